using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Import.Clean;

/// <summary>The properties to drop and to rename, and which of them there were.</summary>
sealed class NameChanges
{
    readonly byte[][] _dropped;
    readonly byte[][] _from;
    readonly byte[][] _to;
    readonly byte[][] _toJson;
    readonly bool[] _wasDropped; // in any object
    readonly bool[] _wasRenamed;
    readonly bool[] _isRenamed; // in the current one
    readonly int[] _withNewName;
    readonly HashSet<string> _noColumns;

    public NameChanges(ImportRequest request)
    {
        _dropped = [.. request.Drop.Select(Encoding.UTF8.GetBytes)];
        _from = [.. request.Rename.Keys.Select(Encoding.UTF8.GetBytes)];
        _to = [.. request.Rename.Values.Select(Encoding.UTF8.GetBytes)];
        _toJson =
        [
            .. request.Rename.Values.Select(name => Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"")),
        ];
        _wasDropped = new bool[_dropped.Length];
        _wasRenamed = new bool[_from.Length];
        _isRenamed = new bool[_from.Length];
        _withNewName = new int[_from.Length];
        _noColumns = [.. request.Drop, .. request.Rename.Keys];
    }

    /// <summary>The names that neither an object nor a column has had.</summary>
    public IEnumerable<string> Unseen =>
        _noColumns.Except(Seen(_dropped, _wasDropped), StringComparer.Ordinal).Except(Seen(_from, _wasRenamed), StringComparer.Ordinal);

    /// <summary>Whether the current object would have two properties of one name.</summary>
    public bool Collide
    {
        get
        {
            for (var i = 0; i < _isRenamed.Length; i++)
                if (_isRenamed[i] && _withNewName[i] > 1) return true;
            return false;
        }
    }

    /// <summary>Notes the names of columns; of those to be dropped, the records may contain nothing.</summary>
    public void See(IReadOnlyList<string>? columns) => _noColumns.ExceptWith(columns ?? []);

    /// <summary>Begins an object.</summary>
    public void Begin()
    {
        _isRenamed.AsSpan().Clear();
        _withNewName.AsSpan().Clear();
    }

    /// <summary>Whether a property of the object is dropped.</summary>
    public bool Drops(ref readonly Utf8JsonReader name)
    {
        var dropped = IndexOf(_dropped, in name);
        if (dropped >= 0) _wasDropped[dropped] = true;
        return dropped >= 0;
    }

    /// <summary>Whether a property of the object, which is not dropped, is renamed.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="newName">The new name.</param>
    /// <param name="json">The new name as JSON.</param>
    public bool Renames(ref readonly Utf8JsonReader name, out byte[] newName, out byte[] json)
    {
        (newName, json) = ([], []);
        var renamed = IndexOf(_from, in name);
        if (renamed < 0)
        {
            if (IndexOf(_to, in name) is var same and >= 0) _withNewName[same]++;
            return false;
        }

        (newName, json) = (_to[renamed], _toJson[renamed]);
        _wasRenamed[renamed] = _isRenamed[renamed] = true;
        _withNewName[renamed]++;
        return true;
    }

    static int IndexOf(byte[][] names, ref readonly Utf8JsonReader name)
    {
        for (var i = 0; i < names.Length; i++)
            if (name.ValueTextEquals(names[i])) return i;
        return -1;
    }

    static IEnumerable<string> Seen(byte[][] names, bool[] were) => names.Where((_, i) => were[i]).Select(Encoding.UTF8.GetString);
}

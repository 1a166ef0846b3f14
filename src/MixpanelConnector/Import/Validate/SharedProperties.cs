using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Import.Validate;

/// <summary>The properties that are added to every event that does not have them.</summary>
sealed class SharedProperties
{
    public static readonly SharedProperties None = new([], []);

    readonly byte[][] _names;
    readonly byte[][] _members;

    SharedProperties(byte[][] names, byte[][] members) => (_names, _members, TotalLength) = (names, members, members.Sum(member => (long)member.Length + 1));

    public int Count => _names.Length;

    /// <summary>A name and value as written, such as <c>"plan":"pro"</c>.</summary>
    public ReadOnlySpan<byte> Member(int index) => _members[index];

    public long TotalLength { get; }

    /// <summary>The index of the shared property that a key overrides; -1 for none.</summary>
    public int IndexOf(ReadOnlySpan<byte> key)
    {
        for (var i = 0; i < _names.Length; i++)
            if (key.SequenceEqual(_names[i])) return i;
        return -1;
    }

    /// <exception cref="MixpanelException">The text is not a JSON object.</exception>
    public static SharedProperties Parse(string? json)
    {
        if (json is null) return None;
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind is not JsonValueKind.Object) throw Wrong();
            var properties = document.RootElement.EnumerateObject().ToList();
            if (properties.Any(property => property.Name is "$insert_id"))
                throw MixpanelException.Invalid("properties", "An $insert_id cannot be shared by events: it identifies one event.");
            return new(
                [.. properties.Select(property => Encoding.UTF8.GetBytes(property.Name))],
                [.. properties.Select(property => Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(property.Name)}\":{property.Value.GetRawText()}"))]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw Wrong();
        }
    }

    static MixpanelException Wrong() => MixpanelException.Invalid("properties", "The shared properties must be one JSON object, without duplicate keys.");
}

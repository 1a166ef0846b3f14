using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Files;

namespace MixpanelConnector.Export;

/// <summary>The session of a profile export, stored between runs: the session id for the next page, and the ids received so far.</summary>
sealed class ProfileSession
{
    readonly string? _path;

    ProfileSession(string? path) => _path = path;

    public string? Id { get; private set; }

    public int PageSize { get; private set; }

    public long Total { get; private set; }

    public IdSet Ids { get; private set; } = new();

    /// <summary>The number of pages; 0 when it has not begun.</summary>
    public int Pages => PageSize == 0 ? 0 : (int)((Total + PageSize - 1) / PageSize);

    /// <summary>Resumes the session of a target that contains a number of records; starts a new one when there is none that matches.</summary>
    /// <param name="state">The folder that stores it; null for none.</param>
    /// <param name="target">The target of the export.</param>
    /// <param name="records">The number of records in the target.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static ProfileSession Open(string? state, string target, long records)
    {
        if (state is null) return new(null);
        var folder = Path.Combine(state, "exports");
        OwnFolder.Make(folder);
        var session = new ProfileSession(Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(target)))[..20]));
        session.Load(records);
        return session;
    }

    /// <summary>Starts a session with the data of its first page.</summary>
    public void Begin(string? id, int pageSize, long total)
    {
        (Id, PageSize, Total, Ids) = (id, pageSize, total, new());
        if (_path is null) return;
        File.Delete(_path + ".ids");
        Save();
    }

    /// <summary>Stores the session id, which an answer may have changed.</summary>
    public void Continue(string? id)
    {
        if (id is null || id == Id) return;
        Id = id;
        Save();
    }

    /// <summary>Stores ids, before the manifest entry of their file is written.</summary>
    public void Keep(List<ulong> ids)
    {
        if (_path is null) return;
        using var file = Durable.OpenOwned(_path + ".ids", FileMode.Append);
        file.Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(ids)));
        file.Flush();
        Durable.Sync(file);
    }

    /// <summary>Deletes the session.</summary>
    public void End()
    {
        (Id, PageSize, Total, Ids) = (null, 0, 0, new());
        if (_path is null) return;
        File.Delete(_path + ".ids");
        File.Delete(_path + ".session");
    }

    void Save()
    {
        if (_path is not null)
            NewFile.Write(_path + ".session", JsonSerializer.SerializeToUtf8Bytes(new Saved(Id, PageSize, Total), ProfileSessionJson.Default.Saved));
    }

    void Load(long records)
    {
        try
        {
            if (JsonSerializer.Deserialize(File.ReadAllBytes(_path + ".session"), ProfileSessionJson.Default.Saved) is not { PageSize: > 0 } saved) return;
            using var file = Durable.OpenOwned(_path + ".ids", FileMode.OpenOrCreate, FileAccess.ReadWrite);
            if (file.Length < records * sizeof(ulong)) return;
            file.SetLength(records * sizeof(ulong)); // the ids of a file without an entry are received again
            var ids = new ulong[1024];
            for (var left = records; left > 0; left -= ids.Length)
            {
                var some = ids.AsSpan(0, (int)Math.Min(left, ids.Length));
                file.ReadExactly(MemoryMarshal.AsBytes(some));
                foreach (var id in some) Ids.Add(id);
            }

            (Id, PageSize, Total) = (saved.Id, saved.PageSize, saved.Total);
        }
        catch (Exception e) when (e is FileNotFoundException or JsonException)
        {
            // There is none: a new session starts.
        }
    }

    internal sealed record Saved(string? Id, int PageSize, long Total);
}

[JsonSerializable(typeof(ProfileSession.Saved))]
sealed partial class ProfileSessionJson : JsonSerializerContext;

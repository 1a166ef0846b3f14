using MixpanelConnector.Exported;
using MixpanelConnector.Storage;

namespace MixpanelConnector.Import.Source;

/// <summary>A URL among the inputs, with the objects that it resolves to.</summary>
sealed class StoredInput
{
    /// <summary>The number of concurrent requests for object versions.</summary>
    const int LooksAtOnce = 16;

    const long LargestManifest = 64 << 20;

    readonly ObjectStore _store;
    readonly StorageCalls _calls;

    StoredInput(string input, ObjectStore store, StorageCalls calls) => (Input, _store, _calls) = (input, store, calls);

    /// <summary>The URL as specified by the caller.</summary>
    public string Input { get; }

    /// <summary>The URL of the folder that the keys are relative to, with a trailing slash.</summary>
    public string Root { get; private set; } = "";

    /// <summary>Whether it is the URL of a single object, rather than of a prefix.</summary>
    public bool IsOne { get; private init; }

    /// <summary>The objects by their keys relative to <see cref="Root"/>, in byte order.</summary>
    public IReadOnlyList<(string Relative, StoredObject Object)> Objects { get; private set; } = [];

    /// <summary>The export manifest next to them; null when there is none.</summary>
    public ReadOnlyMemory<byte>? Manifest { get; private set; }

    /// <summary>Resolves a URL.</summary>
    /// <exception cref="MixpanelException">There is nothing at the URL, or it or a setting is invalid.</exception>
    /// <exception cref="StorageException">The storage does not return it.</exception>
    public static async Task<StoredInput> FindAsync(string input, string key, ObjectStore store, StorageCalls calls, CancellationToken cancellationToken)
    {
        if (key.Length > 0 && !key.EndsWith('/') && await HeadAsync(key, store, calls, cancellationToken).ConfigureAwait(false) is { } one)
        {
            var folder = key[..(key.LastIndexOf('/') + 1)];
            return new StoredInput(input, store, calls) { IsOne = true, Root = store.Address + folder, Objects = [(key[folder.Length..], one)] };
        }

        var pattern = KeyPattern.IsPattern(key) ? new KeyPattern(key) : null;
        var root = pattern?.Folder ?? (key.Length == 0 || key.EndsWith('/') ? key : key + '/');
        var found = new StoredInput(input, store, calls) { Root = store.Address + root };
        var objects = new List<(string Relative, StoredObject Object)>();
        for (string? from = null; ;)
        {
            var page = await calls.RunAsync(token => store.ListAsync(pattern?.Literal ?? root, from, token), cancellationToken).ConfigureAwait(false);
            objects.AddRange(page.Objects
                .Where(one => one.Key.StartsWith(root, StringComparison.Ordinal) && !IsMarker(one) && pattern?.Matches(one.Key) != false)
                .Select(one => (one.Key[root.Length..], one)).Where(one => !IsHidden(one.Item1)));
            if ((from = page.Next) is null) break;
        }

        objects.Sort((one, other) => Compare(one.Relative, other.Relative));
        if (objects.Count == 0)
            throw MixpanelException.Invalid("input", pattern is null ? $"The input {input} does not exist." : $"No object matches {input}.");
        found.Objects = await found.WithVersionsAsync(objects, cancellationToken).ConfigureAwait(false);
        if (pattern is null && found.Of(ExportManifest.FileName) is { Length: <= LargestManifest } manifest)
            found.Manifest = await found.ReadAsync(manifest, cancellationToken).ConfigureAwait(false);
        return found;
    }

    /// <summary>The object with a key relative to <see cref="Root"/>; null when there is none.</summary>
    public StoredObject? Of(string relative) => Objects.FirstOrDefault(one => one.Relative == relative).Object;

    /// <summary>An object as an input.</summary>
    public InputFile File(StoredObject one, string relative, string id) => new(Root, relative, id, Folder: null)
    {
        Object = one,
        Length = one.Length,
        Opened = () => Open(one),
        OpenedAt = offset => Open(one, offset),
    };

    public ObjectByteSource Open(StoredObject one, long offset = 0) => new(_store, one, _calls, offset);

    /// <summary>The object with a key; null when there is none, or when this is not disclosed because listing is not allowed.</summary>
    static async Task<StoredObject?> HeadAsync(string key, ObjectStore store, StorageCalls calls, CancellationToken cancellationToken)
    {
        try
        {
            return await calls.RunAsync(token => store.HeadAsync(key, token), cancellationToken).ConfigureAwait(false);
        }
        catch (StorageException e) when (e.Fault is StorageFault.Forbidden && KeyPattern.IsPattern(key))
        {
            return null; // if it may not be listed either, that is reported then
        }
    }

    /// <summary>Adds versions, which listings do not include. If the first object has one, the version of each object is requested.</summary>
    async Task<IReadOnlyList<(string, StoredObject)>> WithVersionsAsync(List<(string Relative, StoredObject Object)> listed,
        CancellationToken cancellationToken)
    {
        if (await HeadAsync(listed[0].Object.Key, _store, _calls, cancellationToken).ConfigureAwait(false) is not { Version: not null }) return listed;
        var found = new (string Relative, StoredObject? Object)[listed.Count];
        await Parallel.ForAsync(0, listed.Count, new ParallelOptions { MaxDegreeOfParallelism = LooksAtOnce, CancellationToken = cancellationToken },
            async (at, token) =>
            found[at] = (listed[at].Relative, await HeadAsync(listed[at].Object.Key, _store, _calls, token).ConfigureAwait(false))).ConfigureAwait(false);
        return [.. found.Where(one => one.Object is not null).Select(one => (one.Relative, one.Object!))]; // objects that were deleted since are omitted
    }

    async Task<ReadOnlyMemory<byte>> ReadAsync(StoredObject one, CancellationToken cancellationToken)
    {
        using var source = Open(one);
        var bytes = new byte[one.Length];
        for (var length = 0; length < bytes.Length;) length += await source.ReadAsync(bytes.AsMemory(length), cancellationToken).ConfigureAwait(false);
        return bytes;
    }

    /// <summary>Whether it is the marker that consoles create for a folder.</summary>
    static bool IsMarker(StoredObject one) => one.Length == 0 && one.Key.EndsWith('/');

    /// <summary>Whether a name begins with a dot; these are skipped, as in a folder.</summary>
    static bool IsHidden(string relative) => relative.StartsWith('.') || relative.Contains("/.", StringComparison.Ordinal);

    /// <summary>Compares by UTF-8 bytes, whose order is that of the characters, unlike that of UTF-16.</summary>
    static int Compare(string one, string other)
    {
        for (var at = 0; at < one.Length && at < other.Length; at++)
        {
            var (left, right) = (one[at], other[at]);
            if (left == right) continue;
            return char.IsSurrogate(left) != char.IsSurrogate(right) ? (char.IsSurrogate(left) ? 1 : -1) : left.CompareTo(right);
        }

        return one.Length.CompareTo(other.Length);
    }
}

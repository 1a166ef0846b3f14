using MixpanelConnector.Exported;
using MixpanelConnector.Storage;

namespace MixpanelConnector.Import.Source;

/// <summary>An address among the inputs, with the objects that it leads to.</summary>
sealed class StoredInput
{
    /// <summary>Requests that look for the versions of objects at the same time.</summary>
    const int LooksAtOnce = 16;

    const long LargestManifest = 64 << 20;

    readonly ObjectStore _store;
    readonly StorageCalls _calls;

    StoredInput(string input, ObjectStore store, StorageCalls calls) => (Input, _store, _calls) = (input, store, calls);

    /// <summary>As the caller gave it.</summary>
    public string Input { get; }

    /// <summary>Where the keys are relative to: the address of a folder, with its slash.</summary>
    public string Root { get; private set; } = "";

    /// <summary>Whether it is the address of one object, and not of those below a prefix.</summary>
    public bool IsOne { get; private init; }

    /// <summary>The objects by their keys relative to <see cref="Root"/>, in the order of their bytes.</summary>
    public IReadOnlyList<(string Relative, StoredObject Object)> Objects { get; private set; } = [];

    /// <summary>What lies beside them as the manifest of an export; null when none does.</summary>
    public ReadOnlyMemory<byte>? Manifest { get; private set; }

    /// <summary>Looks for what an address leads to.</summary>
    /// <exception cref="MixpanelException">Nothing is there, or the address or a setting does not fit.</exception>
    /// <exception cref="StorageException">The storage does not give it.</exception>
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
        if (objects.Count == 0) throw MixpanelException.Invalid("input", pattern is null ? $"The input {input} does not exist." : $"No object matches {input}.");
        found.Objects = await found.WithVersionsAsync(objects, cancellationToken).ConfigureAwait(false);
        if (pattern is null && found.Of(ExportManifest.FileName) is { Length: <= LargestManifest } manifest) found.Manifest = await found.ReadAsync(manifest, cancellationToken).ConfigureAwait(false);
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

    /// <summary>The object that has a key; null when there is none, and where that is not told to whoever may not list.</summary>
    static async Task<StoredObject?> HeadAsync(string key, ObjectStore store, StorageCalls calls, CancellationToken cancellationToken)
    {
        try
        {
            return await calls.RunAsync(token => store.HeadAsync(key, token), cancellationToken).ConfigureAwait(false);
        }
        catch (StorageException e) when (e.Fault is StorageFault.Forbidden && KeyPattern.IsPattern(key))
        {
            return null; // what may not be listed either is told then
        }
    }

    /// <summary>Lists do not say versions. Where the first object has one, each is asked for its own.</summary>
    async Task<IReadOnlyList<(string, StoredObject)>> WithVersionsAsync(List<(string Relative, StoredObject Object)> listed, CancellationToken cancellationToken)
    {
        if (await HeadAsync(listed[0].Object.Key, _store, _calls, cancellationToken).ConfigureAwait(false) is not { Version: not null }) return listed;
        var found = new (string Relative, StoredObject? Object)[listed.Count];
        await Parallel.ForAsync(0, listed.Count, new ParallelOptions { MaxDegreeOfParallelism = LooksAtOnce, CancellationToken = cancellationToken }, async (at, token) =>
            found[at] = (listed[at].Relative, await HeadAsync(listed[at].Object.Key, _store, _calls, token).ConfigureAwait(false))).ConfigureAwait(false);
        return [.. found.Where(one => one.Object is not null).Select(one => (one.Relative, one.Object!))]; // what is gone since is not there
    }

    async Task<ReadOnlyMemory<byte>> ReadAsync(StoredObject one, CancellationToken cancellationToken)
    {
        using var source = Open(one);
        var bytes = new byte[one.Length];
        for (var length = 0; length < bytes.Length;) length += await source.ReadAsync(bytes.AsMemory(length), cancellationToken).ConfigureAwait(false);
        return bytes;
    }

    /// <summary>What consoles make of a folder.</summary>
    static bool IsMarker(StoredObject one) => one.Length == 0 && one.Key.EndsWith('/');

    /// <summary>As below a folder, names that begin with a dot are left out.</summary>
    static bool IsHidden(string relative) => relative.StartsWith('.') || relative.Contains("/.", StringComparison.Ordinal);

    /// <summary>By the bytes of UTF-8, which are ordered as the characters are, and not as UTF-16 is.</summary>
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

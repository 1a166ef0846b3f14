using System.Reflection;
using MixpanelConnector.Exported;

namespace MixpanelConnector.Export;

/// <summary>
/// The manifest of a target, and its only writer: a file's entry is added after the file is written, and removed before another file takes its name.
/// </summary>
sealed class ManifestKeeper : IDisposable
{
    static readonly string Program =
        $"mixpanel {typeof(ManifestKeeper).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]}";

    readonly ExportTarget _target;
    readonly SemaphoreSlim _turn = new(1, 1);

    ManifestKeeper(ExportTarget target, ExportManifest manifest) => (_target, Manifest) = (target, manifest);

    public ExportManifest Manifest { get; private set; }

    /// <summary>Continues the export of a target, or starts a new one.</summary>
    /// <exception cref="MixpanelException">The target contains another export.</exception>
    /// <exception cref="DamagedExportException">Its manifest is damaged.</exception>
    public static async Task<ManifestKeeper> OpenAsync(ExportTarget target, ExportRequest request, MixpanelOptions options, CancellationToken cancellationToken)
    {
        var asked = Begun(request, options);
        ExportManifest? found = null;
        if (await target.ReadManifestAsync(cancellationToken).ConfigureAwait(false) is { } bytes)
        {
            found = ExportManifest.TryParse(bytes.Span);
            if (found is null && !request.Restart)
                throw new DamagedExportException($"{target.PathOf(ExportManifest.FileName)} is not an export manifest, or is damaged. Choose another folder, "
                    + $"or begin again with {options.Words[Setting.OfExport(nameof(ExportRequest.Restart))]}.");
        }

        var isEmpty = found is { Complete: false, Files: [] }; // nothing would be lost
        if (found is not null && !isEmpty && !request.Restart && Difference(found, asked) is { } other)
            throw MixpanelException.Invalid("to",
                $"{target.Name} contains an export with {other}. Choose another folder, or begin again with {options.Words[Setting.OfExport(nameof(ExportRequest.Restart))]}, which discards it.");
        var keeper = new ManifestKeeper(target, found is null || isEmpty || request.Restart ? asked : WithDays(found, asked));
        await target.DeleteLeftoversAsync(cancellationToken).ConfigureAwait(false);
        if (keeper.Manifest != found) await keeper.WriteAsync(cancellationToken).ConfigureAwait(false);
        if (request.Restart && found is not null) await keeper.DeleteAsync(found.Files, cancellationToken).ConfigureAwait(false);
        return keeper;
    }

    /// <summary>Adds or replaces an entry.</summary>
    public Task SetAsync(ExportEntry entry, CancellationToken cancellationToken) =>
        ChangeAsync(files => [.. files.Where(file => !IsSame(file, entry)).Append(entry).OrderBy(file => file.Day).ThenBy(file => file.FirstPage)],
            cancellationToken);

    /// <summary>Removes entries.</summary>
    public async Task RemoveAsync(IReadOnlyCollection<ExportEntry> entries, CancellationToken cancellationToken)
    {
        if (entries.Count > 0) await ChangeAsync(files => [.. files.Except(entries)], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Notes that every page has its entry.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (Manifest.Complete) return;
        Manifest = Manifest with { Complete = true };
        await WriteAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether a file exists with the size of its entry; a truncated file has a different size.</summary>
    public async Task<bool> IsThereAsync(ExportEntry entry, CancellationToken cancellationToken) =>
        entry.Name is null || await _target.LengthOfAsync(entry.Name, cancellationToken).ConfigureAwait(false) == entry.Bytes;

    /// <summary>Deletes files that no entry refers to any more.</summary>
    public async Task DeleteAsync(IEnumerable<ExportEntry> entries, CancellationToken cancellationToken)
    {
        foreach (var entry in entries)
        {
            if (entry.Name is not null && Manifest.Files.All(file => file.Name != entry.Name))
                await _target.DeleteAsync(entry.Name, cancellationToken).ConfigureAwait(false);
            if (entry is { Day: { } day, Unreadable: > 0 } && Manifest.Files.All(file => file.Day != day || file.Unreadable == 0))
                await _target.DeleteAsync(ExportNames.Unreadable(day), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Deletes the manifest of an export that is not resumed, if nothing was written.</summary>
    public async Task DiscardEmptyAsync()
    {
        if (Manifest is { Complete: false, Files: [] }) await _target.DeleteManifestAsync().ConfigureAwait(false);
    }

    public void Dispose() => _turn.Dispose();

    async Task ChangeAsync(Func<IReadOnlyList<ExportEntry>, IReadOnlyList<ExportEntry>> change, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var files = change(Manifest.Files);
            Manifest = Manifest with { Files = files, Records = files.Sum(file => file.Records), Complete = HoldsAllDays(Manifest, files) };
            await WriteAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    ValueTask WriteAsync(CancellationToken cancellationToken) => _target.ReplaceManifestAsync(Manifest.ToJson(), cancellationToken);

    static bool IsSame(ExportEntry one, ExportEntry other) => one.Day == other.Day && one.FirstPage == other.FirstPage;

    static bool HoldsAllDays(ExportManifest manifest, IReadOnlyList<ExportEntry> files) =>
        manifest is { FromDate: { } from, ToDate: { } to } && files.Count == to.DayNumber - from.DayNumber + 1;

    /// <summary>Returns the manifest of an export that contains nothing yet.</summary>
    static ExportManifest Begun(ExportRequest request, MixpanelOptions options) => new()
    {
        Version = 1,
        Kind = request.KindName,
        ProjectId = options.ProjectId,
        Region = options.Region.ToString().ToLowerInvariant(),
        Endpoint = request.LocalStore ?? options.Endpoint?.AbsoluteUri.TrimEnd('/'),
        FromDate = request.FromDate,
        ToDate = request.ToDate,
        Event = request.Kind is ExportKind.Events ? [.. request.Event.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)] : null,
        Where = string.IsNullOrEmpty(request.Where) ? null : request.Where,
        GroupKey = request.GroupKey,
        DataGroupId = request.DataGroupId,
        WorkspaceId = request.WorkspaceId,
        Format = request.Format.Name,
        Compression = request.Compression?.Name ?? request.Format.UsualCompression,
        Complete = false,
        Records = 0,
        Rows = request.Kind is ExportKind.LookupTables ? "not readable" : null,
        Program = Program,
        Files = [],
    };

    /// <summary>Returns how an existing export differs from the requested one; null when it is the same.</summary>
    static string? Difference(ExportManifest found, ExportManifest asked) =>
        found.Kind != asked.Kind ? $"another kind of record ({found.Kind})"
        : found.ProjectId != asked.ProjectId ? $"another project ({found.ProjectId})"
        : found.Endpoint != asked.Endpoint ? $"another endpoint ({found.Endpoint ?? "Mixpanel's own hosts"})"
        : found.Endpoint is null && found.Region != asked.Region ? $"another region ({found.Region})"
        : found.Format != asked.Format ? $"another format ({found.Format})"
        : found.Compression != asked.Compression ? $"another compression ({found.Compression})"
        : found.Where != asked.Where ? "another condition (where)"
        : !(found.Event ?? []).SequenceEqual(asked.Event ?? [], StringComparer.Ordinal) ? "other event names"
        : found.WorkspaceId != asked.WorkspaceId ? "another data view"
        : found.GroupKey != asked.GroupKey || found.DataGroupId != asked.DataGroupId ? $"another kind of group ({found.GroupKey}, {found.DataGroupId})"
        : null;

    /// <summary>Returns the export extended by the requested days.</summary>
    static ExportManifest WithDays(ExportManifest found, ExportManifest asked)
    {
        if (asked is not { FromDate: { } from, ToDate: { } to }) return found with { Program = Program };
        var manifest = found with
        {
            FromDate = found.FromDate < from ? found.FromDate : from,
            ToDate = found.ToDate > to ? found.ToDate : to,
            Program = Program,
        };
        return manifest with { Complete = HoldsAllDays(manifest, manifest.Files) };
    }
}

/// <summary>The contents of a target are not a valid export.</summary>
sealed class DamagedExportException(string message) : Exception(message);

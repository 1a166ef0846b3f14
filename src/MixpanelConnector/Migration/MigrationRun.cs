using System.Text.Json;
using MixpanelConnector.Export;
using MixpanelConnector.Exported;
using MixpanelConnector.Import.Map;
using MixpanelConnector.Import.Pipeline;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.State;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Migration;

/// <summary>What the parts of a migration share: both projects, the stored state, and the methods to fetch and to send.</summary>
sealed class MigrationRun(MigrationRequest request, MixpanelClient source, MixpanelClient target, MigrationFolder folder, MigrationProblems problems)
{
    /// <summary>The folder for the state of an import, next to its input.</summary>
    const string OfImport = "import";

    public MigrationRequest Request => request;

    public MixpanelClient Source => source;

    public MixpanelClient Target => target;

    public MigrationFolder Folder => folder;

    public MigrationProblems Problems => problems;

    public MigrationMeter Meter { get; } = new(request.Progress);

    /// <summary>How messages refer to settings.</summary>
    public MessageWords Words => source.Options.Words;

    public TimeProvider Time => source.Options.TimeProvider;

    /// <summary>The names of the days and parts that may have dead letters, in order.</summary>
    public List<string> Names { get; } = [];

    /// <summary>Reports how many exports of a project are needed, and how many calls are left this hour.</summary>
    public Task TellNeedAsync(MixpanelClient from, int exports, string what, CancellationToken cancellationToken) => exports == 0
        ? Task.CompletedTask
        : new ExportCalls(new ExportRequest { Folder = "", Notices = Noticed(what), Wait = request.Wait }, from.Transport, new()).TellNeedAsync(exports,
            CallKind.Export, cancellationToken);

    /// <summary>Returns a receiver for the notices of one part.</summary>
    public IProgress<string>? Noticed(string what) => request.Notices is { } notices ? new Labelled(notices, what) : null;

    /// <summary>Fetches records into a folder.</summary>
    public Task<ExportReport> ExportAsync(MixpanelClient from, ExportRequest export, CancellationToken cancellationToken) =>
        new ExportPipeline(
            (export with
            {
                Wait = request.Wait,
                Notices = export.Notices ?? request.Notices,
                IsPart = true,
                Progress = request.Progress is null ? null : Meter,
            }).Validated(Time),
            from.Transport).RunAsync(cancellationToken);

    /// <summary>Returns the manifest of an export in a folder.</summary>
    /// <exception cref="InputException">It is damaged.</exception>
    public static ExportManifest ManifestOf(string folder) =>
        ExportManifest.TryParse(File.ReadAllBytes(Path.Combine(folder, ExportManifest.FileName)))
            ?? throw new InputException($"into {folder} has a damaged manifest");

    /// <summary>Returns a file of an export as an input.</summary>
    /// <param name="exported">The folder of the export.</param>
    /// <param name="entry">The file.</param>
    /// <param name="name">The source name of its records.</param>
    public InputFile InputOf(string exported, ExportEntry entry, string name) => new("", name, $"{source.Options.ProjectId}/{name}", exported)
    {
        RealName = entry.Name,
        Length = entry.Bytes,
        Opened = () => ExportedFiles.Open(Path.Join(exported, entry.Name), entry),
    };

    /// <summary>Sends records.</summary>
    /// <exception cref="ImportStateException">Their state cannot be opened.</exception>
    public async Task<ImportReport> ImportAsync(string name, IReadOnlyList<InputFile> inputs, ImportType type, RecordPreparation preparation, string? groupKey,
        CancellationToken cancellationToken)
    {
        using IImportState state = request.DryRun
            ? new DryRunState(keepsDeadLetters: request.DeadLetterPath is not null)
            : request.OpenState!(Path.Combine(folder.WorkOf(name), OfImport));
        var report = await new ImportPipeline(
            new ImportRequest
            {
                Inputs = [.. inputs.Select(input => input.Name)],
                Found = inputs,
                Format = ImportFormat.Ndjson.Name,
                Type = type,
                GroupKey = groupKey,
                Words = Words,
                Preparation = preparation,
                AllowEmpty = true,
                DryRun = request.DryRun,
                DeadLetterPath = request.DryRun && request.DeadLetterPath is null ? null : folder.RejectedOf(name),
                MaxOutage = request.MaxOutage,
                Diagnostics = request.Diagnostics,
                Progress = request.Progress is null ? null : Meter,
            },
            state,
            target.Transport).RunAsync(cancellationToken).ConfigureAwait(false);
        Meter.Sent(report);
        return report;
    }

    /// <summary>Sends the download of a day or a part. If it is damaged, explains how to download it again.</summary>
    public async Task WithoutDamageAsync(string name, Func<Task> send)
    {
        var before = problems.Count(RunOutcome.Damaged);
        try
        {
            await send().ConfigureAwait(false);
        }
        catch (InputException e)
        {
            problems.Note(e.Outcome, $"The download of {name} {e.Message}.");
        }

        if (problems.Count(RunOutcome.Damaged) > before)
            problems.Note(RunOutcome.Damaged,
                $"Delete {folder.WorkOf(name)} and {Words.RunAgain}: it is downloaded again, and accepted records keep their ids and count once.");
    }

    /// <summary>Returns the counts of the records that were sent.</summary>
    /// <param name="name">The day or part; for messages.</param>
    /// <param name="report">The report of the import.</param>
    /// <param name="given">The number of records from the source.</param>
    /// <param name="isSettled">Whether all of them are settled.</param>
    public MigrationCounts CountsOf(string name, ImportReport report, long given, bool isSettled)
    {
        var leftOut = report.LeftOut ?? new Dictionary<string, long>(StringComparer.Ordinal);
        var counts = new MigrationCounts
        {
            Read = given,
            Accepted = report.Accepted,
            Rejected = report.Rejected,
            LeftOut = leftOut,
            Pending = given - report.Accepted - report.Rejected - leftOut.Values.Sum(),
            AmbiguousTime = request.SourceTimeZone is null ? null : report.Mapped?.GetValueOrDefault("ambiguous_time") ?? 0,
        };
        if (isSettled && counts.Pending != 0)
            problems.Note(RunOutcome.Inconsistent,
                $"The audit of the counts failed for {name}: of {given} records {counts.Pending} have no outcome. This is a defect: please report it.",
                isFinal: true);
        return counts;
    }

    sealed class Labelled(IProgress<string> notices, string what) : IProgress<string>
    {
        public void Report(string value) => notices.Report($"{what}: {value}");
    }

    /// <summary>Returns the lines of an input whose records were rejected.</summary>
    public IEnumerable<long> RejectedLines(string name, string input)
    {
        foreach (var letter in folder.Rejected([name]))
        {
            using var json = JsonDocument.Parse(letter);
            if (json.RootElement.GetProperty("source").GetString() == input) yield return json.RootElement.GetProperty("line").GetInt64();
        }
    }
}

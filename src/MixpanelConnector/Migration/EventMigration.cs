using System.Collections;
using MixpanelConnector.Export;
using MixpanelConnector.Exported;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Migration;

/// <summary>
/// Migrates events day by day: downloads several days concurrently, a few of them ahead, and sends them one after the other. A day's download is kept
/// until the last of its events is settled; after that, only its counts and its dead letters are kept.
/// </summary>
sealed class EventMigration(MigrationRun run)
{
    readonly TimeZoneInfo? _zone = run.Request.Zone;
    readonly List<MigrationDay> _days = [];

    /// <summary>The counts of the days so far.</summary>
    public MigrationEvents Counts
    {
        get
        {
            var sum = _days.Aggregate(MigrationCounts.None with { AmbiguousTime = _zone is null ? null : 0 }, (sum, day) => sum.And(day));
            return new()
            {
                Read = sum.Read,
                Accepted = sum.Accepted,
                Rejected = sum.Rejected,
                LeftOut = sum.LeftOut,
                Pending = sum.Pending,
                AmbiguousTime = sum.AmbiguousTime,
                Days = [.. _days.OrderBy(day => day.Day)],
            };
        }
    }

    /// <summary>The days of the migration.</summary>
    public IEnumerable<DateOnly> Days =>
        Enumerable.Range(0, run.Request.ToDate!.Value.DayNumber - run.Request.FromDate!.Value.DayNumber + 1).Select(run.Request.FromDate.Value.AddDays);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var left = new Queue<DateOnly>();
        foreach (var day in Days)
        {
            run.Names.Add(ExportNames.Of(day));
            if (run.Folder.SettledOf(ExportNames.Of(day)) is { } settled) Settled(day, settled);
            else left.Enqueue(day);
        }

        run.Meter.Begin("events", _days.Count, _days.Count + left.Count);
        await run.TellNeedAsync(run.Source, left.Count(day => !File.Exists(Path.Combine(run.Folder.WorkOf(ExportNames.Of(day)), ExportManifest.FileName))),
            "events", cancellationToken).ConfigureAwait(false);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ahead = new Queue<(DateOnly Day, Task<ExportReport> Download)>();
        try
        {
            while (true)
            {
                while (left.Count > 0 && ahead.Count < run.Request.Parallel && !run.Problems.AreFinal && run.Problems.RetryAfter is null)
                {
                    var day = left.Dequeue();
                    ahead.Enqueue((day, Task.Run(() => DownloadAsync(day, stop.Token), CancellationToken.None)));
                }

                if (!ahead.TryDequeue(out var next)) return;
                if (!run.Problems.Note(await next.Download.ConfigureAwait(false))) continue;
                if (run.Problems.AreFinal) NotSent(next.Day);
                else await run.WithoutDamageAsync(ExportNames.Of(next.Day), () => SendAsync(next.Day, cancellationToken)).ConfigureAwait(false);
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            foreach (var (_, download) in ahead) await ((Task)download).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    Task<ExportReport> DownloadAsync(DateOnly day, CancellationToken cancellationToken) =>
        run.ExportAsync(run.Source, new ExportRequest { Folder = run.Folder.WorkOf(ExportNames.Of(day)), FromDate = day, ToDate = day }, cancellationToken);

    async Task SendAsync(DateOnly day, CancellationToken cancellationToken)
    {
        var name = ExportNames.Of(day);
        var (entry, inputs) = FilesOf(day);
        var given = entry.Records + entry.Unreadable;
        if (given == 0)
        {
            Settle(day, new(MigrationCounts.None with { AmbiguousTime = _zone is null ? null : 0 }));
            return;
        }

        var file = entry.Name is null ? null : new DayFile(inputs[0], entry.Records, _zone);
        var duplicates = file is null ? null : await file.DuplicatesAsync(cancellationToken).ConfigureAwait(false);
        var report = await run.ImportAsync(name, inputs, ImportType.Events, new EventPreparation(_zone, duplicates, ofFile: inputs[0].Id), groupKey: null,
            cancellationToken).ConfigureAwait(false);
        var isSettled = run.Problems.Note(report);
        var counts = run.CountsOf(name, report, given, isSettled);
        if (!isSettled || run.Problems.AreFinal)
        {
            _days.Add(Of(day, counts));
            run.Meter.Add(counts);
            return;
        }

        if (run.Request.DryRun || file is null)
        {
            Settle(day, new(counts));
            return;
        }

        var rejected = new BitArray(checked((int)entry.Records));
        foreach (var line in run.RejectedLines(name, name)) rejected[(int)line - 1] = true;
        Settle(day, new(counts) { Sums = await file.SumsAsync(inputs[0].Id, duplicates, rejected, run.Time, cancellationToken).ConfigureAwait(false) });
    }

    /// <summary>Returns the files of a day: its events, and the lines that are not records.</summary>
    (ExportEntry Entry, IReadOnlyList<InputFile> Inputs) FilesOf(DateOnly day)
    {
        var (name, folder) = (ExportNames.Of(day), run.Folder.WorkOf(ExportNames.Of(day)));
        var entry = MigrationRun.ManifestOf(folder).Files[0];
        var inputs = new List<InputFile>();
        if (entry.Name is not null) inputs.Add(run.InputOf(folder, entry, name));
        if (entry.Unreadable > 0)
            inputs.Add(new("", ExportNames.Unreadable(day), $"{run.Source.Options.ProjectId}/{ExportNames.Unreadable(day)}", folder)
            {
                RealName = ExportNames.Unreadable(day),
                IsPlain = true,
            });
        return (entry, inputs);
    }

    void NotSent(DateOnly day)
    {
        var entry = FilesOf(day).Entry;
        _days.Add(Of(day, MigrationCounts.None with { Read = entry.Records + entry.Unreadable, Pending = entry.Records + entry.Unreadable }));
    }

    void Settle(DateOnly day, MigrationFolder.Settled settled)
    {
        run.Folder.Settle(ExportNames.Of(day), settled);
        _days.Add(Of(day, settled.Counts));
        run.Meter.Add(settled.Counts, isDay: true);
    }

    void Settled(DateOnly day, MigrationFolder.Settled settled)
    {
        run.Folder.Forget(ExportNames.Of(day)); // left by a run that was killed while it settled the day
        _days.Add(Of(day, settled.Counts));
        run.Meter.Add(settled.Counts);
    }

    static MigrationDay Of(DateOnly day, MigrationCounts counts) =>
        new()
        {
            Day = day,
            Read = counts.Read,
            Accepted = counts.Accepted,
            Rejected = counts.Rejected,
            LeftOut = counts.LeftOut,
            Pending = counts.Pending,
            AmbiguousTime = counts.AmbiguousTime,
        };
}

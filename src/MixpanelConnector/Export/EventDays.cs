using System.Globalization;
using MixpanelConnector.Exported;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Export;

/// <summary>Fetches the missing days of a range, several at once.</summary>
/// <param name="request">The request.</param>
/// <param name="target">The target of the files.</param>
/// <param name="keeper">The manifest.</param>
/// <param name="calls">Sends the requests.</param>
/// <param name="counts">The counts of the run.</param>
/// <param name="failed">Notes a failure; returns false when no other day is worth trying.</param>
sealed class EventDays(ExportRequest request, ExportTarget target, ManifestKeeper keeper, ExportCalls calls, ExportCounts counts, Func<Exception, bool> failed)
{
    /// <summary>Fetches the days; returns the number of days that already existed.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var (from, to) = (request.FromDate!.Value, request.ToDate!.Value);
        var all = to.DayNumber - from.DayNumber + 1;
        var there = new HashSet<DateOnly>();
        var lost = new List<ExportEntry>();
        foreach (var entry in keeper.Manifest.Files)
        {
            if (!await keeper.IsThereAsync(entry, cancellationToken).ConfigureAwait(false)) lost.Add(entry);
            else if (!entry.Open && to.DayNumber - entry.Day!.Value.DayNumber >= request.Lookback) there.Add(entry.Day.Value);
        }

        await keeper.RemoveAsync(lost, cancellationToken).ConfigureAwait(false);
        var days = Enumerable.Range(0, all).Select(from.AddDays).Where(day => !there.Contains(day)).ToList();
        var resumed = keeper.Manifest.Files.Count(entry => there.Contains(entry.Day!.Value));
        counts.Total = all;
        counts.FinishedAre(all - days.Count);
        if (days.Count > 0 && !request.IsPart) await calls.TellNeedAsync(days.Count, CallKind.Export, cancellationToken).ConfigureAwait(false);

        var download = new DayDownload(request, target, calls, counts);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await Parallel.ForEachAsync(days, new ParallelOptions { MaxDegreeOfParallelism = request.Parallel, CancellationToken = stop.Token },
                async (day, _) =>
            {
                counts.Begin();
                try
                {
                    // Not the loop's token: a download in progress is completed even when no other day is worth trying.
                    if (!stop.IsCancellationRequested) await FetchAsync(download, day, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    if (!failed(e)) await stop.CancelAsync().ConfigureAwait(false);
                }
                finally
                {
                    counts.End();
                }
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The reason was noted already.
        }

        cancellationToken.ThrowIfCancellationRequested();
        return resumed;
    }

    async Task FetchAsync(DayDownload download, DateOnly day, CancellationToken cancellationToken)
    {
        var fetched = await download.FetchAsync(day, cancellationToken).ConfigureAwait(false);
        await using (fetched.ConfigureAwait(false))
        {
            // A completed download is stored; cancellation takes effect after that.
            var before = keeper.Manifest.Files.Where(entry => entry.Day == day).ToList();
            if (fetched.File is not null) await keeper.RemoveAsync(before, CancellationToken.None).ConfigureAwait(false);
            await fetched.CommitAsync(CancellationToken.None).ConfigureAwait(false);
            await keeper.SetAsync(fetched.Entry, CancellationToken.None).ConfigureAwait(false);
            await keeper.DeleteAsync(before, CancellationToken.None).ConfigureAwait(false);
            // Left by a run that was killed before it wrote the entry.
            if (fetched.File is null) await target.DeleteAsync(ExportNames.OfDay(day, request), CancellationToken.None).ConfigureAwait(false);
            if (fetched.Unreadable is null) await target.DeleteAsync(ExportNames.Unreadable(day), CancellationToken.None).ConfigureAwait(false);
        }

        counts.Finish(1);
        if (fetched.Entry.Unreadable > 0)
            request.Notices?.Report(string.Create(CultureInfo.InvariantCulture,
                $"{ExportNames.Of(day)}: {Counted.Of(fetched.Entry.Unreadable, "line is not a record", "lines are not records")}, "
                + $"in a second download too: {target.PathOf(ExportNames.Unreadable(day))} contains them."));
    }
}

using System.Globalization;
using MixpanelConnector.Export;
using MixpanelConnector.Files;

namespace MixpanelConnector.Migration;

/// <summary>
/// Reads the days of the target that events were sent to, and compares their number, and a hash of their identities: the name, the time
/// and the <c>$insert_id</c>. Events that were sent twice count once, as in Mixpanel.
/// </summary>
sealed class EventVerification(MigrationRun run, IEnumerable<DateOnly> days)
{
    const int MostNamed = 5;

    const string Name = "verification";

    /// <summary>Returns how the target differs from what was sent; null when it does not.</summary>
    public async Task<string?> RunAsync(CancellationToken cancellationToken)
    {
        var sent = new SortedDictionary<DateOnly, DaySum>();
        foreach (var day in days) sent[day] = new DaySum { Day = day };
        var asked = sent.Keys.ToHashSet();
        var all = new Dictionary<DateOnly, DaySum>();
        foreach (var (day, settled) in run.Folder.SettledDays())
        {
            foreach (var sum in settled.Sums)
            {
                all[sum.Day] = all.TryGetValue(sum.Day, out var other) ? other.And(sum) : sum;
                if (asked.Contains(day)) sent[sum.Day] = sum; // with a time zone, also days outside the requested range
            }
        }

        // Days that an unfinished run has verified are not read again.
        var left = sent.Keys.Where(day => !File.Exists(PathOfRight(day))).ToList();
        run.Meter.Begin("verification", sent.Count - left.Count, sent.Count);
        await run.TellNeedAsync(run.Target, left.Count, "verification", cancellationToken).ConfigureAwait(false);
        OwnFolder.Make(run.Folder.WorkOf(Name));
        var (wrong, others) = (new List<string>(), new List<string>());
        foreach (var day in left)
        {
            if (await HeldAsync(day, cancellationToken).ConfigureAwait(false) is not { } held) return null;
            var expected = all.GetValueOrDefault(day) ?? new DaySum { Day = day };
            if ((held.Count, held.WithoutUser) != (expected.Count, expected.WithoutUser))
                wrong.Add(string.Create(CultureInfo.InvariantCulture, $"{ExportNames.Of(day)} ({expected.Count} accepted, {held.Count} there)"));
            else if (held.Whole != expected.Whole) others.Add(ExportNames.Of(day));
            else NewFile.Write(PathOfRight(day), []);
            run.Meter.Add(MigrationCounts.None, isDay: true);
        }

        run.Folder.Forget(Name);
        if (others.Count > 0) run.Request.Notices?.Report($"The events match, but the target distinguishes users differently on {Named(others)}.");
        return wrong.Count == 0
            ? null
            : $"The target lacks events that it accepted, or has others too, on {Named(wrong)}. Recently sent events may take a while to appear: "
                + $"verify again later. Events that the target had before cannot be distinguished from those sent.";
    }

    /// <summary>Returns the sum of the target's events of a day; null when it cannot be read.</summary>
    async Task<DaySum?> HeldAsync(DateOnly day, CancellationToken cancellationToken)
    {
        var name = $"verify-{ExportNames.Of(day)}";
        var folder = run.Folder.WorkOf(name);
        if (!run.Problems.Note(await run.ExportAsync(run.Target, new ExportRequest { Folder = folder, FromDate = day, ToDate = day, Restart = true },
            cancellationToken).ConfigureAwait(false)))
            return null;
        var entry = MigrationRun.ManifestOf(folder).Files[0];
        var held = new DaySum { Day = day };
        if (entry.Name is not null)
        {
            var file = new DayFile(run.InputOf(folder, entry, name), entry.Records, zone: null);
            var sums = await file.SumsAsync(name, await file.DuplicatesAsync(cancellationToken).ConfigureAwait(false), without: null, run.Time,
                cancellationToken).ConfigureAwait(false);
            held = sums.Aggregate(held, (all, sum) => all.And(sum));
        }

        run.Folder.Forget(name);
        return held;
    }

    string PathOfRight(DateOnly day) => Path.Combine(run.Folder.WorkOf(Name), ExportNames.Of(day));

    static string Named(List<string> days) =>
        string.Join(", ", days.Take(MostNamed))
            + (days.Count > MostNamed ? string.Create(CultureInfo.InvariantCulture, $" and {days.Count - MostNamed} more") : "");
}

using System.Collections;
using System.Text;
using MixpanelConnector.Export;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Readers;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Validate;

namespace MixpanelConnector.Migration;

/// <summary>
/// Analyses the events of an exported day: finds duplicates, and computes their sums. It holds in memory a bit
/// for each event, and the hashes of <see cref="MostKnown"/> events: a day with more events is read once for each such portion.
/// </summary>
/// <param name="file">The events, one per line.</param>
/// <param name="events">The number of events.</param>
/// <param name="zone">The time zone in which their times were written; null for UTC.</param>
sealed class DayFile(InputFile file, long events, TimeZoneInfo? zone)
{
    /// <summary>The maximum number of hashes in memory, which use 48 MB.</summary>
    public const int MostKnown = 1 << 20;

    static readonly ImportRequest AsNdjson = new() { Format = ImportFormat.Ndjson.Name };

    readonly RecordScanner _scanner = new(ofEvents: true, withColumns: false);

    /// <summary>The number of events whose hashes are held at once.</summary>
    public int Most { get; init; } = MostKnown;

    /// <summary>
    /// Returns the duplicates: events with the same name, time, user and <c>$insert_id</c> as another event that Mixpanel processed later, or at the same time
    /// on a later line. Null for none.
    /// </summary>
    /// <exception cref="InputException">The file is damaged.</exception>
    public async Task<BitArray?> DuplicatesAsync(CancellationToken cancellationToken)
    {
        var parts = (ulong)((events + Most - 1) / Most);
        BitArray? duplicates = null;
        for (var part = 0UL; part < parts; part++)
        {
            var latest = new Dictionary<UInt128, (long ProcessedAt, int Line)>((int)Math.Min(events, Most));
            var mapper = new EventMapper(zone, duplicates: null);
            await ReadAsync((in Record read) =>
            {
                if (!mapper.Begin(in read) || !mapper.TryNext(out var made, out var output) || output.LeftOut is not null || !_scanner.TryRead(made.Bytes)
                    || _scanner.InsertId.IsNone || _scanner.DistinctId.IsNone)
                    return;
                var identity = EventIdentity.Of(made.Bytes, _scanner).Whole;
                if ((ulong)identity % parts != part) return;
                var (line, isKnown) = ((int)read.Line - 1, latest.TryGetValue(identity, out var known));
                if (isKnown) (duplicates ??= new BitArray(checked((int)events))).Set(mapper.ProcessedAt < known.ProcessedAt ? line : known.Line, value: true);
                if (!isKnown || mapper.ProcessedAt >= known.ProcessedAt) latest[identity] = (mapper.ProcessedAt, line);
            }, cancellationToken).ConfigureAwait(false);
        }

        return duplicates;
    }

    /// <summary>Returns the sums of the events that are neither left out nor excluded, by the days of their true times.</summary>
    /// <param name="sourceId">The name of the file for computed ids.</param>
    /// <param name="duplicates">The events that are left out.</param>
    /// <param name="without">The excluded events, by line; null for none.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="InputException">The file is damaged.</exception>
    public async Task<IReadOnlyList<DaySum>> SumsAsync(string sourceId, BitArray? duplicates, BitArray? without, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var sums = new Dictionary<DateOnly, DaySum>();
        var mapper = new EventMapper(zone, duplicates);
        var preparer = new EventPreparer(time, SharedProperties.Parse(null));
        preparer.Begin(sourceId, ImportIds.None);
        preparer.ReadClock();
        await ReadAsync((in Record read) =>
        {
            if (!mapper.Begin(in read) || !mapper.TryNext(out var made, out var output) || output.LeftOut is not null) return;
            preparer.Next();
            if (made.Rejection is null) preparer.Recall(in made); // restores the ids that were computed when the events were sent
            if (without is not null && without[(int)read.Line - 1]) return;
            if (!_scanner.TryRead(made.Bytes)) return;
            var insertId = _scanner.InsertId.IsNone ? Encoding.ASCII.GetBytes(preparer.InsertIdOf(in made, tried: true) ?? "") : [];
            var day = DateOnly.FromDateTime(DateTimeOffset.FromUnixTimeMilliseconds(_scanner.Time).UtcDateTime);
            sums[day] = (sums.GetValueOrDefault(day) ?? new DaySum { Day = day }).And(EventIdentity.Of(made.Bytes, _scanner, insertId));
        }, cancellationToken).ConfigureAwait(false);
        return [.. sums.Values.OrderBy(sum => sum.Day)];
    }

    async Task ReadAsync(Take take, CancellationToken cancellationToken)
    {
        using var reader = await RecordReaders.OpenAsync(file, reached: null, AsNdjson, cancellationToken).ConfigureAwait(false);
        do TakeAll(reader, take);
        while (await reader.FillAsync(cancellationToken).ConfigureAwait(false));
        TakeAll(reader, take); // the reader may have to see the end before it returns the last record
    }

    static void TakeAll(RecordReader reader, Take take)
    {
        while (reader.TryRead(out var record)) take(in record);
    }

    delegate void Take(in Record record);
}

using System.Collections;
using System.Text;
using MixpanelConnector.Export;
using MixpanelConnector.Import;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Validate;

namespace MixpanelConnector.Migration;

/// <summary>
/// What the events of an exported day are, beside what is sent of them: which are duplicates, and what they come to. Memory holds a bit
/// for each event, and the hashes of <see cref="MostKnown"/> of them: a day with more is read once for each so many.
/// </summary>
/// <param name="file">The events, one a line.</param>
/// <param name="events">How many there are.</param>
/// <param name="zone">The zone whose clocks their times were written by; null for UTC.</param>
sealed class DayFile(InputFile file, long events, TimeZoneInfo? zone)
{
    /// <summary>They take 48 MB.</summary>
    public const int MostKnown = 1 << 20;

    static readonly ImportRequest AsNdjson = new() { Format = ImportFormat.Ndjson.Name };

    readonly RecordScanner _scanner = new(ofEvents: true, withColumns: false);

    /// <summary>So many are told apart at once.</summary>
    public int Most { get; init; } = MostKnown;

    /// <summary>The events of which another has the name, time, user and <c>$insert_id</c>, and was taken in later; or as late, and stands behind it. Null for none.</summary>
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
                if (!mapper.Begin(in read) || !mapper.TryNext(out var made, out var output) || output.LeftOut is not null || !_scanner.TryRead(made.Bytes) || _scanner.InsertId.IsNone || _scanner.DistinctId.IsNone) return;
                var identity = EventIdentity.Of(made.Bytes, _scanner).Whole;
                if ((ulong)identity % parts != part) return;
                var (line, isKnown) = ((int)read.Line - 1, latest.TryGetValue(identity, out var known));
                if (isKnown) (duplicates ??= new BitArray(checked((int)events))).Set(mapper.ProcessedAt < known.ProcessedAt ? line : known.Line, value: true);
                if (!isKnown || mapper.ProcessedAt >= known.ProcessedAt) latest[identity] = (mapper.ProcessedAt, line);
            }, cancellationToken).ConfigureAwait(false);
        }

        return duplicates;
    }

    /// <summary>What the events come to that are not left out, and not among some, by the days of their true times.</summary>
    /// <param name="sourceId">The name of the file in the ids that are computed.</param>
    /// <param name="duplicates">Those that are left out.</param>
    /// <param name="without">Those that do not count, by their lines; null for none.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="InputException">The file is damaged.</exception>
    public async Task<IReadOnlyList<DaySum>> SumsAsync(string sourceId, BitArray? duplicates, BitArray? without, TimeProvider time, CancellationToken cancellationToken)
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
            if (made.Rejection is null) preparer.Recall(in made); // it has the ids that were computed as the events were sent
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
        TakeAll(reader, take); // the reader may need to see the end before it gives the last record
    }

    static void TakeAll(RecordReader reader, Take take)
    {
        while (reader.TryRead(out var record)) take(in record);
    }

    delegate void Take(in Record record);
}

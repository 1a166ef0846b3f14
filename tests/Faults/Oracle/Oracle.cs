using System.Text.Json;

namespace MixpanelConnector.Faults;

/// <summary>Everything that is observable from outside about an import that ended.</summary>
sealed record Evidence
{
    /// <summary>Every line of every input.</summary>
    public required IReadOnlyList<SourceRecord> Source { get; init; }

    /// <summary>Every event that the server stored, including repetitions.</summary>
    public required IReadOnlyList<Arrival> Sink { get; init; }

    /// <summary>The lines of the dead-letter file; null if this outcome does not require one.</summary>
    public required IReadOnlyList<DeadLine>? DeadLetters { get; init; }

    public required JsonElement? Report { get; init; }

    public required int ExitCode { get; init; }

    /// <summary>Standard error.</summary>
    public required string Said { get; init; }
}

/// <summary>
/// Judges an import by its input, the events that the server stored, its dead letters, its report and its exit code, without code of the
/// importer. Each finding begins with the broken invariant.
/// </summary>
static class Oracle
{
    public static IReadOnlyList<string> Judge(Evidence evidence) =>
        [
            .. Conservation(evidence),
            .. NoLoss(evidence),
            .. NoDoubles(evidence),
            .. NoMerges(evidence),
            .. Integrity(evidence),
            .. DeadLetterTruth(evidence),
            .. HonestExit(evidence),
        ];

    /// <summary>Compares the claims of a state with what happened so far, and with the previous state.</summary>
    public static IEnumerable<string> JudgeState(StoredState? before, StoredState? now, IReadOnlyList<SourceRecord> source, IReadOnlyList<Arrival> sink)
    {
        if (before is not null && now is null) yield return "I7 the checkpoint is gone";
        if (now is null) yield break;
        foreach (var (id, offset) in before?.Offsets ?? new Dictionary<string, long>(StringComparer.Ordinal))
            if (now.Offsets.GetValueOrDefault(id) < offset) yield return $"I7 {id} went back from {offset} to {now.Offsets.GetValueOrDefault(id)}";

        var stored = sink.Select(arrival => arrival.Oid).ToHashSet();
        var dead = now.DeadLetters.Select(letter => (letter.Source, letter.Offset)).ToHashSet();
        if (dead.Count != now.DeadLetters.Count) yield return "I6 the state holds a dead letter twice";
        var settled = source.Where(record => record.Offset < now.Offsets.GetValueOrDefault(IdOf(record))).ToList();
        foreach (var record in settled.Where(record => !record.IsBlank && !dead.Contains((record.File, record.Offset)) && !stored.Contains(record.Oid)))
            yield return $"I7 the checkpoint is past line {record.Line} of {record.File}, which arrived nowhere";
        if (settled.Count != now.Accepted + now.Rejected + now.Blank)
            yield return $"I1 the state counts {now.Accepted} + {now.Rejected} + {now.Blank} of {settled.Count} settled records";
        if (now.Rejected != now.DeadLetters.Count) yield return $"I1 the state counts {now.Rejected} rejected, and holds {now.DeadLetters.Count} dead letters";
    }

    static string IdOf(SourceRecord record)
    {
        var name = Path.GetFileName(record.File);
        return name.EndsWith(".gz", StringComparison.Ordinal) ? name[..^3] : name;
    }

    static IEnumerable<string> Conservation(Evidence evidence)
    {
        if (evidence.Report is not { } report) yield break;
        var (read, accepted, rejected, pending, blank) = Counts(report);
        if (read != accepted + rejected + pending + blank)
            yield return $"I1 {read} read are not {accepted} accepted + {rejected} rejected + {pending} pending + {blank} blank";
        if (read > evidence.Source.Count) yield return $"I1 {read} read of {evidence.Source.Count}";
        if (evidence.DeadLetters is { } letters && rejected != letters.Count) yield return $"I1 {rejected} rejected, {letters.Count} dead letters";
        if (blank > evidence.Source.Count(record => record.IsBlank))
            yield return $"I1 {blank} blank lines of {evidence.Source.Count(record => record.IsBlank)}";
    }

    static IEnumerable<string> NoLoss(Evidence evidence)
    {
        var stored = evidence.Sink.Select(arrival => arrival.Oid).ToHashSet();
        var dead = (evidence.DeadLetters ?? []).Select(letter => (letter.Source, letter.Offset)).ToHashSet();
        if (IsDone(evidence))
        {
            foreach (var record in evidence.Source.Where(record =>
                !record.IsBlank && !dead.Contains((record.File, record.Offset)) && !stored.Contains(record.Oid)))
                yield return $"I2 line {record.Line} of {record.File} is lost";
        }

        var sourced = evidence.Source.Select(record => record.Oid).ToHashSet();
        foreach (var stranger in stored.Where(oid => !sourced.Contains(oid))) yield return $"I2 event {stranger} was stored, and is in no input";
        if (evidence.Report is { } report && Counts(report).Accepted > stored.Count)
            yield return $"I2 {Counts(report).Accepted} accepted, {stored.Count} stored";
    }

    static IEnumerable<string> NoDoubles(Evidence evidence) => evidence.Sink
        .GroupBy(arrival => arrival.Oid)
        .Where(group => group.Select(arrival => arrival.Key).Distinct().Skip(1).Any())
        .Select(group => $"I3 event {group.Key} was stored under several keys");

    static IEnumerable<string> NoMerges(Evidence evidence)
    {
        foreach (var merged in evidence.Sink.GroupBy(arrival => arrival.Key.OnItsDay)
            .Where(group => group.Select(arrival => arrival.Oid).Distinct().Skip(1).Any()))
            yield return $"I4 events {string.Join(", ", merged.Select(arrival => arrival.Oid).Distinct())} share a key";
        foreach (var arrival in evidence.Sink.Where(arrival => arrival.Key.InsertId.Length == 0)) yield return $"I4 event {arrival.Oid} has no $insert_id";
    }

    static IEnumerable<string> Integrity(Evidence evidence)
    {
        var source = evidence.Source.Where(record => record.Oid >= 0).GroupBy(record => record.Oid).ToDictionary(group => group.Key, group => group.First());
        foreach (var arrival in evidence.Sink)
        {
            if (source.TryGetValue(arrival.Oid, out var record) && JsonTrees.Difference(record.Json!.Value, arrival.Json) is { } difference)
                yield return $"I5 event {arrival.Oid} differs: {difference}";
        }
    }

    static IEnumerable<string> DeadLetterTruth(Evidence evidence)
    {
        if (evidence.DeadLetters is not { } letters) yield break;
        var places = evidence.Source.ToDictionary(record => (record.File, record.Offset));
        var stored = evidence.Sink.Select(arrival => arrival.Oid).ToHashSet();
        foreach (var twice in letters.GroupBy(letter => (letter.Source, letter.Offset)).Where(group => group.Skip(1).Any()))
            yield return $"I6 the record at {twice.Key} has several dead letters";
        foreach (var letter in letters)
        {
            if (!places.TryGetValue((letter.Source, letter.Offset), out var record))
                yield return $"I6 a dead letter names {letter.Source} at {letter.Offset}, where no record begins";
            else if (!record.Raw.AsSpan().SequenceEqual(letter.Raw)) yield return $"I6 the dead letter of line {record.Line} holds other bytes";
            else if (record.Line != letter.Line) yield return $"I6 the dead letter of line {record.Line} says line {letter.Line}";
            else if (!letter.MaybeDelivered && record.Oid >= 0 && stored.Contains(record.Oid))
                yield return $"I6 event {record.Oid} is in the dead letters, and was stored";
        }
    }

    static IEnumerable<string> HonestExit(Evidence evidence)
    {
        if (evidence.ExitCode != 0 && string.IsNullOrWhiteSpace(evidence.Said)) yield return $"I8 exit {evidence.ExitCode} without a word";
        if (evidence.Report is not { } report)
        {
            if (IsDone(evidence)) yield return $"I8 exit {evidence.ExitCode} without a report";
            yield break;
        }

        var (read, accepted, rejected, pending, blank) = Counts(report);
        if (report.GetProperty("exit_code").GetInt32() != evidence.ExitCode)
            yield return $"I8 the report says exit {report.GetProperty("exit_code").GetInt32()}, the process {evidence.ExitCode}";
        if (!IsDone(evidence)) yield break;
        if (evidence.ExitCode == 0 && rejected + pending > 0) yield return $"I8 exit 0 with {rejected} rejected and {pending} pending";
        if (evidence.ExitCode == 3 && (rejected == 0 || pending > 0)) yield return $"I8 exit 3 with {rejected} rejected and {pending} pending";
        if (read != evidence.Source.Count) yield return $"I8 done with {read} of {evidence.Source.Count} records";
        if (blank != evidence.Source.Count(record => record.IsBlank))
            yield return $"I8 done with {blank} of {evidence.Source.Count(record => record.IsBlank)} blank lines";
        if (evidence.DeadLetters is { } letters && accepted != evidence.Source.Count(record => !record.IsBlank) - letters.Count)
            yield return $"I8 {accepted} accepted of {evidence.Source.Count(record => !record.IsBlank)} records, {letters.Count} dead letters";
    }

    static bool IsDone(Evidence evidence) => evidence.ExitCode is 0 or 3;

    static (long Read, long Accepted, long Rejected, long Pending, long Blank) Counts(JsonElement report)
    {
        long Count(string name) => report.GetProperty(name).GetInt64();
        return (Count("read"), Count("accepted"), Count("rejected"), Count("pending"), Count("blank"));
    }
}

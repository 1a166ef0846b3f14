using System.Globalization;
using System.Text.Json;

namespace MixpanelConnector.Import.Undelivered;

/// <summary>Counts records that were not accepted by reason, with the first few of each. Its memory use is bounded.</summary>
sealed class ReasonCounts
{
    const int MostReasons = 50;
    const int MostSamples = 3;

    static readonly (string Code, string? Field) Others = ("other_reasons", null);

    readonly Dictionary<(string Code, string? Field), (long Count, List<ImportReasonSample> Samples)> _reasons = [];

    /// <summary>The total number of records.</summary>
    public long Total { get; private set; }

    /// <summary>The reasons, the most frequent first; null when there are none.</summary>
    public IReadOnlyList<ImportReason>? Reasons => Total == 0 ? null : new EqualList<ImportReason>(_reasons
        .Select(reason => new ImportReason
        {
            Code = reason.Key.Code,
            Field = reason.Key.Field,
            Count = reason.Value.Count,
            Samples = new EqualList<ImportReasonSample>(reason.Value.Samples),
        })
        .OrderByDescending(reason => reason.Count)
            .ThenBy(reason => reason.Code, StringComparer.Ordinal)
            .ThenBy(reason => reason.Field, StringComparer.Ordinal));

    public static ReasonCounts Of(IEnumerable<ReadOnlyMemory<byte>> deadLetters)
    {
        var counts = new ReasonCounts();
        foreach (var letter in deadLetters) counts.Add(letter.Span);
        return counts;
    }

    /// <summary>Counts a serialized dead letter.</summary>
    public void Add(ReadOnlySpan<byte> deadLetter)
    {
        string source = "", code = "", message = "";
        string? field = null;
        int? status = null;
        var line = 0L;
        var maybeDelivered = false;
        var reader = new Utf8JsonReader(deadLetter);
        reader.Read();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (TakeNext(ref reader, "source"u8)) source = reader.GetString()!;
            else if (TakeNext(ref reader, "line"u8)) line = reader.GetInt64();
            else if (TakeNext(ref reader, "code"u8)) code = reader.GetString()!;
            else if (TakeNext(ref reader, "field"u8)) field = reader.GetString();
            else if (TakeNext(ref reader, "message"u8)) message = reader.GetString()!;
            else if (TakeNext(ref reader, "http_status"u8)) status = reader.GetInt32();
            else if (TakeNext(ref reader, "maybe_delivered"u8)) maybeDelivered = reader.GetBoolean();
            else reader.Skip();
        }

        Add(source, line, new Refusal(code, field, message) { HttpStatus = status, MaybeDelivered = maybeDelivered });

        static bool TakeNext(ref Utf8JsonReader reader, ReadOnlySpan<byte> name) => reader.ValueTextEquals(name) && reader.Read();
    }

    public void Add(string source, long line, in Refusal refusal)
    {
        Total++;
        var key = (refusal.Code, refusal.ShownField);
        if (!_reasons.TryGetValue(key, out var reason) && _reasons.Count >= MostReasons)
        {
            key = Others;
            _reasons.TryGetValue(key, out reason);
        }

        var samples = reason.Samples ?? [];
        if (samples.Count < MostSamples) samples.Add(new(string.Create(CultureInfo.InvariantCulture, $"{source}:{line}"), refusal.Shown));
        _reasons[key] = (reason.Count + 1, samples);
    }
}

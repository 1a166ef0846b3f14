using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector;

/// <summary>
/// A record that was not accepted, or a warning about an input. Contains no property
/// values. File and field names come from the input: sanitize them before printing.
/// </summary>
/// <param name="Source">The input's name as the caller specified or found it.</param>
/// <param name="Line">The line on which the record begins, from 1; null when the diagnostic is about the whole input.</param>
/// <param name="Code">A stable identifier of the reason, such as <c>invalid_json</c>.</param>
/// <param name="Reason">The reason as readable text.</param>
public sealed record ImportDiagnostic(string Source, long? Line, string Code, string Reason)
{
    /// <summary>The invalid field, such as <c>properties.time</c>; null when the reason is about the record as a whole.</summary>
    public string? Field { get; init; }
}

/// <summary>The progress of an import. Counts are in records and start at 0 in each run.</summary>
public sealed record ImportProgress
{
    /// <summary>Records read from the inputs in this run.</summary>
    public required long Read { get; init; }

    /// <summary>Records that Mixpanel accepted in this run.</summary>
    public required long Accepted { get; init; }

    /// <summary>Records that were not accepted in this run.</summary>
    public required long Rejected { get; init; }

    /// <summary>Requests sent in this run.</summary>
    public required long Requests { get; init; }

    /// <summary>Requests in this run that retried one whose outcome was not final.</summary>
    public required long Retries { get; init; }

    /// <summary>Bytes of the inputs read so far, as stored on disk.</summary>
    public required long InputBytes { get; init; }

    /// <summary>The total size of all inputs in bytes; null when one of them is a stream.</summary>
    public long? TotalInputBytes { get; init; }

    /// <summary>Whether sending is paused because Mixpanel asked for it or is unreachable.</summary>
    public bool Waiting { get; init; }

    /// <summary>
    /// The records per second that Mixpanel's quota seems to allow, estimated from what
    /// was accepted and throttled in this run; null as long as nothing was throttled.
    /// </summary>
    public double? QuotaRate { get; init; }
}

/// <summary>What the receiver of diagnostics, if there is one, is told.</summary>
static class Diagnoses
{
    public static void Warn(this IProgress<ImportDiagnostic>? receiver, string source, string reason) =>
        receiver?.Report(new ImportDiagnostic(source, Line: null, "warning", reason));

    public static void Refused(this IProgress<ImportDiagnostic>? receiver, in DeadLetter letter, in Refusal refusal) =>
        receiver?.Report(new ImportDiagnostic(letter.Source, letter.Line, refusal.Code, refusal.Shown) { Field = refusal.ShownField });
}

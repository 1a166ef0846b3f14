using System.Globalization;
using MixpanelConnector.Import.Undelivered;
using MixpanelConnector.Tracking.Records;
using MixpanelConnector.Tracking.Values;

namespace MixpanelConnector;

/// <summary>A record that a tracker accepted but that is not in Mixpanel, and the reason.</summary>
public sealed record RejectedRecord
{
    /// <summary>The kind of the record.</summary>
    public required TrackedKind Kind { get; init; }

    /// <summary>
    /// A stable name for the reason, in snake_case: <c>rejected</c> by Mixpanel, <c>record_too_large</c>, <c>outcome_unknown</c>, <c>not_serializable</c>,
    /// <c>damaged</c>; <c>before_send_failed</c>, <c>opt_out_failed</c>, <c>sample_failed</c> where the application's own code threw.
    /// </summary>
    public required string Code { get; init; }

    /// <summary>The reason as text, without any value of the record.</summary>
    public required string Message { get; init; }

    /// <summary>The field at fault; null when it is the record as a whole, or is not known.</summary>
    public string? Field { get; init; }

    /// <summary>The HTTP status of Mixpanel's answer; null when there was none.</summary>
    public int? HttpStatus { get; init; }

    /// <summary>The event's <c>$insert_id</c>; null for updates of profiles.</summary>
    public string? InsertId { get; init; }

    /// <summary>Whether it may have taken effect nevertheless.</summary>
    public bool MaybeDelivered { get; init; }

    /// <summary>The record as it was sent, as JSON; empty when there is none. It contains personal data: do not log it.</summary>
    public ReadOnlyMemory<byte> Json { get; init; }

    /// <summary>Returns kind, code and message; not the record.</summary>
    public override string ToString() => $"{Kind} {Code}: {Message}";

    internal static RejectedRecord NotSerializable(TrackedKind kind, Exception e) => new()
    {
        Kind = kind,
        Code = "not_serializable",
        Field = e is UnwritableValueException { Path: not "" and var path } ? path : null,
        // The message of another exception may contain a value.
        Message = e is UnwritableValueException ? e.Message : $"The record cannot be written as JSON ({e.GetType().Name}).",
    };

    /// <summary>Contains nothing of the record, because it has not been redacted yet.</summary>
    internal static RejectedRecord NotScreened(TrackedKind kind, string code, string message) => new()
    {
        Kind = kind,
        Code = code,
        Message = $"{message} The record is rejected, because its contents could not be checked.",
    };

    internal static RejectedRecord TooLarge(TrackedKind kind, int bytes) => new()
    {
        Kind = kind,
        Code = "record_too_large",
        Message = string.Create(CultureInfo.InvariantCulture, $"The record has {bytes} bytes; Mixpanel accepts at most {RecordWriter.MostRecordBytes}."),
    };

    /// <param name="kind">The kind of the record.</param>
    /// <param name="refusal">Why it was not accepted.</param>
    /// <param name="json">The record as it was sent.</param>
    internal static RejectedRecord Of(TrackedKind kind, in Refusal refusal, byte[] json) => new()
    {
        Kind = kind,
        Code = refusal.Code,
        Message = refusal.Message,
        Field = refusal.Field,
        HttpStatus = refusal.HttpStatus,
        InsertId = refusal.InsertId,
        MaybeDelivered = refusal.MaybeDelivered,
        Json = json,
    };
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Undelivered;
using MixpanelConnector.Tracking;

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
    internal static RejectedRecord NotScreened(TrackedKind kind, RecordScreenException e) => new()
    {
        Kind = kind,
        Code = e.Code,
        Message = $"{e.Message} The record is rejected, because its contents could not be checked.",
    };

    internal static RejectedRecord TooLarge(TrackedKind kind, int bytes) => new()
    {
        Kind = kind,
        Code = "record_too_large",
        Message = string.Create(CultureInfo.InvariantCulture, $"The record has {bytes} bytes; Mixpanel accepts at most {RecordWriter.MostRecordBytes}."),
    };

    internal static RejectedRecord From(TrackedKind kind, DeadLetter letter)
    {
        using var document = JsonDocument.Parse(letter.Json);
        var root = document.RootElement;
        return new RejectedRecord
        {
            Kind = kind,
            Code = root.GetProperty("code"u8).GetString()!,
            Message = root.GetProperty("message"u8).GetString()!,
            Field = root.TryGetProperty("field"u8, out var field) ? field.GetString() : null,
            HttpStatus = root.TryGetProperty("http_status"u8, out var status) ? status.GetInt32() : null,
            InsertId = root.TryGetProperty("insert_id"u8, out var id) ? id.GetString() : null,
            MaybeDelivered = root.GetProperty("maybe_delivered"u8).GetBoolean(),
            Json = root.TryGetProperty("raw"u8, out var raw) ? Encoding.UTF8.GetBytes(raw.ValueKind is JsonValueKind.Object ? raw.GetRawText() : raw.GetString()!) : default,
        };
    }
}

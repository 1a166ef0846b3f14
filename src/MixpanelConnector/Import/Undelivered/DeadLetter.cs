using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Import.Undelivered;

/// <summary>A record that was not accepted, as its line in the dead-letter file.</summary>
readonly record struct DeadLetter(string Source, long Line, long Offset, byte[] Json);

/// <summary>Why a record is not accepted, as recorded in its dead letter.</summary>
readonly record struct Refusal(string Code, string? Field, string Message)
{
    public int? HttpStatus { get; init; }

    public string? InsertId { get; init; }

    /// <summary>The number of requests that contained the record.</summary>
    public int Attempts { get; init; }

    public bool MaybeDelivered { get; init; }

    /// <summary>
    /// The message for output that must not contain record content. A server's message can
    /// quote the record, so only messages that Mixpanel documents word for word are shown.
    /// </summary>
    public string Shown => HttpStatus is not { } status || KnownMessages.Messages.Contains(Message) ? Message : string.Create(
        CultureInfo.InvariantCulture,
        $"{(MaybeDelivered ? "the response left open whether Mixpanel accepted the record" : "Mixpanel rejected the record")} (HTTP {status}); "
        + $"its message is in the dead letter");

    /// <summary>The field for output that must not contain record content.</summary>
    public string? ShownField => HttpStatus is null || (Field is not null && KnownMessages.Fields.Contains(Field)) ? Field : null;
}

/// <summary>Builds dead letters.</summary>
static class DeadLetters
{
    // Escapes only quotes and what JSON requires, so that letters of every script stay readable. The file is not HTML.
    static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="source">The record's source.</param>
    /// <param name="line">Its line; 0 for the whole source.</param>
    /// <param name="offset">Its offset.</param>
    /// <param name="raw">The record as it was read.</param>
    /// <param name="oversized">The retained part, if the record is too large to store.</param>
    /// <param name="options">The options that determine what is sent for it, as a JSON object; empty for none.</param>
    /// <param name="refusal">Why it was not accepted.</param>
    /// <param name="layout">What is needed to read a text row without its file, as a JSON object; empty for none.</param>
    /// <param name="misfits">The fields of a row that do not match their columns, as a JSON array; empty for none.</param>
    public static DeadLetter Of(string source, long line, long offset, ReadOnlySpan<byte> raw, OversizedRecord? oversized, ReadOnlySpan<byte> options,
        in Refusal refusal, ReadOnlySpan<byte> layout = default, ReadOnlySpan<byte> misfits = default)
    {
        var buffer = new ArrayBufferWriter<byte>(raw.Length + 512);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("source"u8, source);
            if (line > 0)
            {
                json.WriteNumber("line"u8, line);
                json.WriteNumber("offset"u8, offset);
            }

            if (oversized is null && layout.IsEmpty && Utf8.IsValid(raw) && PlainObject.Is(raw)) WriteObject(json, raw);
            else WriteText(json, oversized is null ? raw : oversized.Head.Span);
            if (oversized is not null)
            {
                json.WriteBoolean("raw_truncated"u8, true);
                json.WriteNumber("length"u8, oversized.Length);
                json.WriteString("sha256"u8, oversized.Sha256);
            }

            json.WriteString("code"u8, refusal.Code);
            if (refusal.Field is not null) json.WriteString("field"u8, refusal.Field);
            json.WriteString("message"u8, refusal.Message);
            if (refusal.HttpStatus is { } status) json.WriteNumber("http_status"u8, status);
            if (refusal.InsertId is not null) json.WriteString("insert_id"u8, refusal.InsertId);
            json.WriteNumber("attempts"u8, refusal.Attempts);
            json.WriteBoolean("maybe_delivered"u8, refusal.MaybeDelivered);
            if (!layout.IsEmpty)
            {
                json.WritePropertyName("row"u8);
                json.WriteRawValue(layout, skipInputValidation: true);
            }

            if (!misfits.IsEmpty)
            {
                json.WritePropertyName("misfits"u8);
                json.WriteRawValue(misfits, skipInputValidation: true);
            }

            if (!options.IsEmpty)
            {
                json.WritePropertyName("options"u8);
                json.WriteRawValue(options, skipInputValidation: true);
            }

            json.WriteEndObject();
        }

        return new(source, line, offset, buffer.WrittenSpan.ToArray());
    }

    /// <summary>Writes the original bytes without line ends, since a dead letter is a single line; in JSON, line ends occur only between values.</summary>
    static void WriteObject(Utf8JsonWriter json, ReadOnlySpan<byte> raw)
    {
        json.WritePropertyName("raw"u8);
        if (raw.ContainsAny((byte)'\r', (byte)'\n'))
        {
            var line = raw.ToArray();
            line.AsSpan().Replace((byte)'\r', (byte)' ');
            line.AsSpan().Replace((byte)'\n', (byte)' ');
            raw = line;
        }

        json.WriteRawValue(raw, skipInputValidation: true);
    }

    static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> raw)
    {
        if (Utf8.IsValid(raw)) json.WriteString("raw"u8, raw);
        else json.WriteBase64String("raw_base64"u8, raw);
    }
}

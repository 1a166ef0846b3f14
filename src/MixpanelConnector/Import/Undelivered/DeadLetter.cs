using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Import.Undelivered;

/// <summary>A record that was not accepted, as its line in the dead-letter file.</summary>
readonly record struct DeadLetter(string Source, long Line, long Offset, byte[] Json);

/// <summary>Why a record is not accepted, as its dead letter tells it.</summary>
readonly record struct Refusal(string Code, string? Field, string Message)
{
    public int? HttpStatus { get; init; }

    public string? InsertId { get; init; }

    /// <summary>How many requests carried the record.</summary>
    public int Attempts { get; init; }

    public bool MaybeDelivered { get; init; }

    /// <summary>The message where nothing of a record's content may be: what a server wrote can quote it, unless Mixpanel's documentation has it word for word.</summary>
    public string Shown => HttpStatus is not { } status || KnownMessages.Messages.Contains(Message) ? Message : string.Create(
        CultureInfo.InvariantCulture, $"{(MaybeDelivered ? "an answer left open whether Mixpanel took the record" : "Mixpanel refused the record")} (HTTP {status}); its words are in the dead letter");

    /// <summary>The field where nothing of a record's content may be.</summary>
    public string? ShownField => HttpStatus is null || (Field is not null && KnownMessages.Fields.Contains(Field)) ? Field : null;
}

/// <summary>Writes dead letters.</summary>
static class DeadLetters
{
    // Quotes and what JSON must escape are escaped; letters of every script stay readable. The file is no HTML.
    static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="source">The record's source.</param>
    /// <param name="line">Its line; 0 where it is the whole source.</param>
    /// <param name="offset">Its offset.</param>
    /// <param name="raw">The record as it was read.</param>
    /// <param name="oversized">What is left of it, when it is too large to keep.</param>
    /// <param name="options">The options that make of it what is sent, as a JSON object; empty for none.</param>
    /// <param name="refusal">Why it is not accepted.</param>
    /// <param name="layout">What is needed to read it without its file, where it is a row of text, as a JSON object; empty for none.</param>
    public static DeadLetter Of(string source, long line, long offset, ReadOnlySpan<byte> raw, OversizedRecord? oversized, ReadOnlySpan<byte> options, in Refusal refusal, ReadOnlySpan<byte> layout = default)
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

            if (!options.IsEmpty)
            {
                json.WritePropertyName("options"u8);
                json.WriteRawValue(options, skipInputValidation: true);
            }

            json.WriteEndObject();
        }

        return new(source, line, offset, buffer.WrittenSpan.ToArray());
    }

    /// <summary>Its own bytes, but for line ends, since a dead letter is one line: in JSON they stand between values only.</summary>
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

using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>The changes that Mixpanel makes to an event's properties when it stores them.</summary>
/// <param name="Time">The time that replaces the sent one, or is added; null to keep it.</param>
/// <param name="DistinctId">The derived id; null if one was sent.</param>
/// <param name="InsertId">The generated id; null if one was sent.</param>
/// <param name="Imported">Whether to mark the event with <c>$import</c>.</param>
/// <param name="ReceivedMilliseconds">For <c>mp_processing_time_ms</c>.</param>
readonly record struct EventChanges(long? Time, string? DistinctId, string? InsertId, bool Imported, long ReceivedMilliseconds);

/// <summary>Writes the properties of an event as they are stored: the sent text, with only the documented changes.</summary>
sealed class EventText(IBufferWriter<byte> output) : IDisposable
{
    // Left unclosed on purpose, in Copy; text is written readable rather than escaped.
    readonly Utf8JsonWriter _json = new(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

    public void Write(ReadOnlySpan<byte> body, in EventFields fields, in EventChanges changes)
    {
        _json.Reset();
        _json.WriteStartObject();
        Add(fields, changes);
        if (fields.PropertyCount == 0) _json.WriteEndObject();
        else if (fields.NeedsRewriting) Rewrite(body[fields.PropertiesStart..fields.PropertiesEnd], changes.Time);
        else Copy(body, fields, changes.Time);
        _json.Flush();
    }

    public void Dispose() => _json.Dispose();

    void Add(in EventFields fields, in EventChanges changes)
    {
        _json.WriteNumber("mp_processing_time_ms"u8, changes.ReceivedMilliseconds);
        if (changes.Imported) _json.WriteBoolean("$import"u8, true);
        if (changes.Time is { } time && fields.Time.Kind == FieldKind.Missing) _json.WriteNumber("time"u8, time);
        if (changes.DistinctId is { } distinctId) _json.WriteString("distinct_id"u8, distinctId);
        if (changes.InsertId is { } insertId) _json.WriteString("$insert_id"u8, insertId);
    }

    void Copy(ReadOnlySpan<byte> body, in EventFields fields, long? time)
    {
        _json.Flush();
        output.Write(","u8);
        var from = fields.PropertiesStart + 1;
        if (time is not null && fields.Time.Kind != FieldKind.Missing)
        {
            CopyOnOneLine(body[from..fields.Time.Start]);
            _json.Reset();
            _json.WriteNumberValue(time.Value);
            _json.Flush();
            from = fields.Time.End;
        }
        CopyOnOneLine(body[from..fields.PropertiesEnd]);
        _json.Reset();
    }

    /// <summary>An unescaped line break can occur only between tokens, where a space is equivalent.</summary>
    void CopyOnOneLine(ReadOnlySpan<byte> json)
    {
        var copy = output.GetSpan(json.Length)[..json.Length];
        json.CopyTo(copy);
        copy.Replace((byte)'\n', (byte)' ');
        copy.Replace((byte)'\r', (byte)' ');
        output.Advance(json.Length);
    }

    /// <summary>Truncates values that are too long, omits the members that were added above, and keeps numbers as they were written.</summary>
    void Rewrite(ReadOnlySpan<byte> properties, long? time)
    {
        var reader = new Utf8JsonReader(properties, new JsonReaderOptions { MaxDepth = EventLimits.JsonDepth });
        reader.Read();
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1)
            {
                WriteToken(ref reader);
                continue;
            }
            var name = reader;
            reader.Read();
            var isLeftOut = EventScanner.IsAddedOnReceipt(JsonText.Of(ref name)) || (reader.TokenType == JsonTokenType.Null && IsField(ref name));
            if (isLeftOut)
            {
                reader.Skip();
                continue;
            }
            WriteToken(ref name);
            if (time is not null && name.ValueTextEquals("time"u8))
            {
                reader.Skip();
                _json.WriteNumberValue(time.Value);
            }
            else
            {
                WriteToken(ref reader);
            }
        }
    }

    static bool IsField(ref Utf8JsonReader name) =>
        name.ValueTextEquals("time"u8) || name.ValueTextEquals("distinct_id"u8) || name.ValueTextEquals("$insert_id"u8);

    void WriteToken(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject: _json.WriteStartObject(); break;
            case JsonTokenType.EndObject: _json.WriteEndObject(); break;
            case JsonTokenType.StartArray: _json.WriteStartArray(); break;
            case JsonTokenType.EndArray: _json.WriteEndArray(); break;
            case JsonTokenType.PropertyName: _json.WritePropertyName(JsonText.Cut(ref reader).Utf8); break;
            case JsonTokenType.String: _json.WriteStringValue(JsonText.Cut(ref reader).Utf8); break;
            default: _json.WriteRawValue(reader.ValueSpan, skipInputValidation: true); break;
        }
    }
}

using System.Text.Json;
using MixpanelConnector.Tracking.Values;

namespace MixpanelConnector;

/// <summary>Writes the properties of an event, each value in the format that Mixpanel reads.</summary>
public readonly struct MixpanelEventWriter
{
    const int Deepest = 64;

    readonly Utf8JsonWriter _json;

    internal MixpanelEventWriter(Utf8JsonWriter json) => _json = json;

    /// <summary>Writes the name of the next property or member.</summary>
    /// <param name="utf8">The name.</param>
    public void Name(ReadOnlySpan<byte> utf8) => _json.WritePropertyName(utf8);

    /// <summary>Writes the name of the next property or member.</summary>
    /// <param name="name">The name.</param>
    public void Name(string name) => _json.WritePropertyName(name);

    /// <summary>Writes null, as an item of a list. For a property that is null, write neither name nor value.</summary>
    public void Null() => _json.WriteNullValue();

    /// <summary>Writes a string.</summary>
    /// <param name="value">The value.</param>
    public void Value(string value) => _json.WriteStringValue(value);

    /// <summary>Writes a character, as a string.</summary>
    /// <param name="value">The value.</param>
    public void Value(char value) => _json.WriteStringValue([value]);

    /// <summary>Writes a boolean.</summary>
    /// <param name="value">The value.</param>
    public void Value(bool value) => _json.WriteBooleanValue(value);

    /// <summary>Writes a number.</summary>
    /// <param name="value">The value.</param>
    public void Value(int value) => _json.WriteNumberValue(value);

    /// <summary>Writes a number.</summary>
    /// <param name="value">The value.</param>
    public void Value(uint value) => _json.WriteNumberValue(value);

    /// <summary>Writes a number.</summary>
    /// <param name="value">The value.</param>
    public void Value(long value) => _json.WriteNumberValue(value);

    /// <summary>Writes a number.</summary>
    /// <param name="value">The value.</param>
    public void Value(ulong value) => _json.WriteNumberValue(value);

    /// <summary>Writes a number, which must be finite.</summary>
    /// <param name="value">The value.</param>
    /// <exception cref="ArgumentException">The number is not finite.</exception>
    public void Value(float value) => _json.WriteNumberValue(float.IsFinite(value) ? value : throw TrackedValue.NotFinite(""));

    /// <summary>Writes a number, which must be finite.</summary>
    /// <param name="value">The value.</param>
    /// <exception cref="ArgumentException">The number is not finite.</exception>
    public void Value(double value) => _json.WriteNumberValue(double.IsFinite(value) ? value : throw TrackedValue.NotFinite(""));

    /// <summary>Writes a number.</summary>
    /// <param name="value">The value.</param>
    public void Value(decimal value) => _json.WriteNumberValue(value);

    /// <summary>Writes a time, as Mixpanel's UTC text. One of unspecified kind is taken as UTC.</summary>
    /// <param name="value">The value.</param>
    public void Value(DateTime value) => _json.WriteStringValue(MixpanelTime.Of(value));

    /// <summary>Writes a time, as Mixpanel's UTC text.</summary>
    /// <param name="value">The value.</param>
    public void Value(DateTimeOffset value) => _json.WriteStringValue(MixpanelTime.Of(value.UtcDateTime));

    /// <summary>Writes an id, as a string.</summary>
    /// <param name="value">The value.</param>
    public void Value(Guid value) => _json.WriteStringValue(value);

    /// <summary>Writes bytes, as base64.</summary>
    /// <param name="value">The value.</param>
    public void Bytes(ReadOnlySpan<byte> value) => _json.WriteBase64StringValue(value);

    /// <summary>Writes the time of the event itself, its <c>time</c>, as a number of milliseconds.</summary>
    /// <param name="value">The value.</param>
    public void Milliseconds(DateTime value) => _json.WriteNumberValue(MixpanelTime.MillisecondsOf(value));

    /// <summary>Writes the time of the event itself, its <c>time</c>, as a number of milliseconds.</summary>
    /// <param name="value">The value.</param>
    public void Milliseconds(DateTimeOffset value) => _json.WriteNumberValue(value.ToUnixTimeMilliseconds());

    /// <summary>
    /// Writes a value of any other type that is supported without a contract: dates, times of day, time spans, addresses, large numbers, enumerations, JSON.
    /// </summary>
    /// <param name="value">The value.</param>
    /// <exception cref="ArgumentException">Values of its type cannot be written without a contract.</exception>
    public void Other(object value) => TrackedValue.Write(_json, value, "");

    /// <summary>Begins an object. Its members follow, each a name and a value.</summary>
    public void StartObject()
    {
        EnsureNotTooDeep();
        _json.WriteStartObject();
    }

    /// <summary>Ends the object that was started last.</summary>
    public void EndObject() => _json.WriteEndObject();

    /// <summary>Begins a list. Its items follow.</summary>
    public void StartList()
    {
        EnsureNotTooDeep();
        _json.WriteStartArray();
    }

    /// <summary>Ends the list that was started last.</summary>
    public void EndList() => _json.WriteEndArray();

    void EnsureNotTooDeep()
    {
        if (_json.CurrentDepth >= Deepest) throw TrackedValue.TooDeep();
    }
}

using System.Text.Json;
using MixpanelConnector.Tracking;

namespace MixpanelConnector;

/// <summary>Writes the properties of an event, each value in the form that Mixpanel reads.</summary>
public readonly struct MixpanelEventWriter
{
    const int Deepest = 64;

    readonly Utf8JsonWriter _json;

    internal MixpanelEventWriter(Utf8JsonWriter json) => _json = json;

    /// <summary>The name of what is written next.</summary>
    /// <param name="utf8">The name.</param>
    public void Name(ReadOnlySpan<byte> utf8) => _json.WritePropertyName(utf8);

    /// <summary>The name of what is written next.</summary>
    /// <param name="name">The name.</param>
    public void Name(string name) => _json.WritePropertyName(name);

    /// <summary>Nothing, for an item of a list; of a property write neither name nor value.</summary>
    public void Null() => _json.WriteNullValue();

    /// <summary>A text.</summary>
    /// <param name="value">The value.</param>
    public void Value(string value) => _json.WriteStringValue(value);

    /// <summary>A character, as text.</summary>
    /// <param name="value">The value.</param>
    public void Value(char value) => _json.WriteStringValue([value]);

    /// <summary>A boolean.</summary>
    /// <param name="value">The value.</param>
    public void Value(bool value) => _json.WriteBooleanValue(value);

    /// <summary>A number.</summary>
    /// <param name="value">The value.</param>
    public void Value(int value) => _json.WriteNumberValue(value);

    /// <summary>A number.</summary>
    /// <param name="value">The value.</param>
    public void Value(uint value) => _json.WriteNumberValue(value);

    /// <summary>A number.</summary>
    /// <param name="value">The value.</param>
    public void Value(long value) => _json.WriteNumberValue(value);

    /// <summary>A number.</summary>
    /// <param name="value">The value.</param>
    public void Value(ulong value) => _json.WriteNumberValue(value);

    /// <summary>A number, which must be finite.</summary>
    /// <param name="value">The value.</param>
    public void Value(float value) => _json.WriteNumberValue(float.IsFinite(value) ? value : throw TrackedValue.NotFinite(""));

    /// <summary>A number, which must be finite.</summary>
    /// <param name="value">The value.</param>
    public void Value(double value) => _json.WriteNumberValue(double.IsFinite(value) ? value : throw TrackedValue.NotFinite(""));

    /// <summary>A number.</summary>
    /// <param name="value">The value.</param>
    public void Value(decimal value) => _json.WriteNumberValue(value);

    /// <summary>A moment, as Mixpanel's UTC text. One that does not say where it is from is UTC.</summary>
    /// <param name="value">The value.</param>
    public void Value(DateTime value) => _json.WriteStringValue(MixpanelTime.Of(value));

    /// <summary>A moment, as Mixpanel's UTC text.</summary>
    /// <param name="value">The value.</param>
    public void Value(DateTimeOffset value) => _json.WriteStringValue(MixpanelTime.Of(value.UtcDateTime));

    /// <summary>An id, as text.</summary>
    /// <param name="value">The value.</param>
    public void Value(Guid value) => _json.WriteStringValue(value);

    /// <summary>Bytes, as base64.</summary>
    /// <param name="value">The value.</param>
    public void Bytes(ReadOnlySpan<byte> value) => _json.WriteBase64StringValue(value);

    /// <summary>The moment of the event itself, its <c>time</c>, as a number of milliseconds.</summary>
    /// <param name="value">The value.</param>
    public void Milliseconds(DateTime value) => _json.WriteNumberValue(MixpanelTime.MillisecondsOf(value));

    /// <summary>The moment of the event itself, its <c>time</c>, as a number of milliseconds.</summary>
    /// <param name="value">The value.</param>
    public void Milliseconds(DateTimeOffset value) => _json.WriteNumberValue(value.ToUnixTimeMilliseconds());

    /// <summary>A value of any other type that has a form without a contract: days, times of day, spans, addresses, large numbers, enumerations, JSON.</summary>
    /// <param name="value">The value.</param>
    public void Other(object value) => TrackedValue.Write(_json, value, "");

    /// <summary>Begins an object: what follows are its members, each a name and a value.</summary>
    public void StartObject()
    {
        EnsureNotTooDeep();
        _json.WriteStartObject();
    }

    /// <summary>Ends the object that was begun last.</summary>
    public void EndObject() => _json.WriteEndObject();

    /// <summary>Begins a list: what follows are its items.</summary>
    public void StartList()
    {
        EnsureNotTooDeep();
        _json.WriteStartArray();
    }

    /// <summary>Ends the list that was begun last.</summary>
    public void EndList() => _json.WriteEndArray();

    void EnsureNotTooDeep()
    {
        if (_json.CurrentDepth >= Deepest) throw new UnwritableValueException("", "it is nested too deeply, or holds itself");
    }
}

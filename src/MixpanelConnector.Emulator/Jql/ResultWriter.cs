using System.Text.Json;
using Jint;
using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;
using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Jql;

/// <summary>Writes values of a script as JSON, like <c>JSON.stringify</c>, up to a size limit.</summary>
sealed class ResultWriter(Utf8JsonWriter json, ScriptLimits limits)
{
    const long MostBytes = 32 * 1024 * 1024;
    const int MostLevels = 64;

    /// <summary>The maximum total length of strings that a single step serializes; the result is six times as long if every character is escaped.</summary>
    const long MostCharacters = 1_000_000;

    public long Bytes => json.BytesCommitted + json.BytesPending;

    /// <summary>Writes an item of a collection; a value without a JSON representation becomes null.</summary>
    public void WriteItem(JsValue value) => Write(value, MostLevels);

    /// <summary>Checks the size of a value without writing it: a value that occurs several times counts each time.</summary>
    public static void Measure(JsValue value, ScriptLimits limits)
    {
        var characters = 0L;
        Measure(value, limits, MostLevels, ref characters);
    }

    static void Measure(JsValue value, ScriptLimits limits, int levels, ref long characters)
    {
        limits.Spend(1);
        if (value is JsString text && (characters += text.Length) > MostCharacters)
            throw new RefusedException(JqlScript.Failed, $"JSON.stringify takes texts of at most {MostCharacters} characters together");
        if (value is not ObjectInstance parent || value.IsCallable()) return;
        if (levels == 0) throw TooDeep();
        foreach (var (_, property) in parent.GetOwnProperties())
        {
            if (property.Enumerable && property.Value is { } inner) Measure(inner, limits, levels - 1, ref characters);
        }
    }

    void Write(JsValue value, int levels)
    {
        limits.Spend(1);
        if (Bytes > MostBytes)
            throw new RefusedException(JqlScript.Failed, $"the answer is longer than {MostBytes / (1024 * 1024)} MiB: filter, reduce or group more");
        value = Plain(value);
        switch (value)
        {
            case JsString text:
                json.WriteStringValue(Whole(text.ToString()));
                break;
            case JsNumber number when double.IsFinite(number.AsNumber()):
                json.WriteRawValue(TypeConverter.ToString(number), skipInputValidation: true);
                break;
            case JsBoolean truth:
                json.WriteBooleanValue(truth.AsBoolean());
                break;
            case ObjectInstance when levels == 0:
                throw TooDeep();
            case ObjectInstance list when value.IsArray():
                WriteList(list, levels - 1);
                break;
            case ObjectInstance members when !value.IsCallable():
                WriteObject(members, levels - 1);
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }

    void WriteList(ObjectInstance list, int levels)
    {
        json.WriteStartArray();
        var length = TypeConverter.ToLength(list.Get("length"));
        for (var i = 0UL; i < length; i++)
            Write(list.Get(i), levels);
        json.WriteEndArray();
    }

    void WriteObject(ObjectInstance members, int levels)
    {
        json.WriteStartObject();
        foreach (var name in members.GetOwnPropertyKeys(Types.String))
        {
            if (members.GetOwnProperty(name).Enumerable != true || Plain(members.Get(name)) is not { } value || value.IsUndefined() || value.IsSymbol()
                || value.IsCallable())
                continue;
            json.WritePropertyName(Whole(name.ToString()));
            Write(value, levels);
        }
        json.WriteEndObject();
    }

    /// <summary>The JSON representation that an object defines by toJSON, such as a <c>Date</c>.</summary>
    static JsValue Plain(JsValue value) => value is ObjectInstance said && said.Get("toJSON") is var own && own.IsCallable() ? own.Call(said, []) : value;

    /// <summary>Replaces unpaired surrogates, which are not valid text.</summary>
    static string Whole(string text) => text.AsSpan().ContainsAnyInRange('\ud800', '\udfff') ? string.Concat(text.EnumerateRunes()) : text;

    static RefusedException TooDeep() => new(JqlScript.Failed, $"a value nests deeper than {MostLevels} levels, or holds itself");
}

using System.Collections;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector.Tracking.Values;

/// <summary>
/// Serializes .NET values, in the same way for every kind of input: times as Mixpanel's UTC text, enumerations by name, numbers of any size
/// unchanged, bytes as base64; <c>null</c> is omitted from objects. Text and parsed JSON stay unchanged.
/// </summary>
static class TrackedValue
{
    /// <summary>The depth to which a value may be nested: the writer's limit.</summary>
    public const int DeepestWritten = 1000;

    public const string NestedTooDeeply = "it is nested too deeply, or contains itself";

    /// <summary>The converters for contracts: the types that System.Text.Json would write differently.</summary>
    public static readonly IReadOnlyList<JsonConverter> Converters =
    [
        new TimeConverter(),
        new OffsetTimeConverter(),
        new EnumConverter(),
        new NullableEnumConverter(),
        new BigIntegerConverter(),
        new NodeConverter(),
        new RefusingConverter(),
    ];

    /// <summary>Writes a value.</summary>
    /// <param name="json">The writer.</param>
    /// <param name="value">The value.</param>
    /// <param name="path">The path of property names to it.</param>
    /// <exception cref="UnwritableValueException">It cannot be expressed in JSON.</exception>
    public static void Write(Utf8JsonWriter json, object? value, string path)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case string text:
                WriteText(json, text, path);
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case int number:
                json.WriteNumberValue(number);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            case double number:
                json.WriteNumberValue(double.IsFinite(number) ? number : throw NotFinite(path));
                break;
            case float number:
                json.WriteNumberValue(float.IsFinite(number) ? number : throw NotFinite(path));
                break;
            case decimal number:
                json.WriteNumberValue(number);
                break;
            case ulong number:
                json.WriteNumberValue(number);
                break;
            case uint or short or ushort or byte or sbyte:
                json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case Half number:
                json.WriteRawValue(Half.IsFinite(number) ? number.ToString(CultureInfo.InvariantCulture) : throw NotFinite(path));
                break;
            case Int128 or UInt128 or BigInteger:
                json.WriteRawValue(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture));
                break;
            case DateTime time:
                json.WriteStringValue(MixpanelTime.Of(time));
                break;
            case DateTimeOffset time:
                json.WriteStringValue(MixpanelTime.Of(time.UtcDateTime));
                break;
            case DateOnly day:
                json.WriteStringValue(day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
                break;
            case TimeOnly time:
                json.WriteStringValue(time.ToTimeSpan().ToString("c", CultureInfo.InvariantCulture));
                break;
            case TimeSpan span:
                json.WriteStringValue(span.ToString("c", CultureInfo.InvariantCulture));
                break;
            case Guid id:
                json.WriteStringValue(id);
                break;
            case Uri address:
                WriteText(json, address.OriginalString, path);
                break;
            case Enum named:
                WriteText(json, EnumNames.Of(named), path);
                break;
            case char or Version:
                WriteText(json, value.ToString()!, path);
                break;
            case byte[] bytes:
                json.WriteBase64StringValue(bytes);
                break;
            case ReadOnlyMemory<byte> bytes:
                json.WriteBase64StringValue(bytes.Span);
                break;
            case Memory<byte> bytes:
                json.WriteBase64StringValue(bytes.Span);
                break;
            case JsonNode node:
                WriteNode(json, node, path);
                break;
            case JsonElement element:
                element.WriteTo(json);
                break;
            case JsonDocument document:
                document.RootElement.WriteTo(json);
                break;
            case IEnumerable<KeyValuePair<string, object?>> members:
                EnsureNotTooDeep(json);
                json.WriteStartObject();
                foreach (var (name, member) in members) WriteMember(json, name, member, path);
                json.WriteEndObject();
                break;
            case IDictionary members:
                EnsureNotTooDeep(json);
                json.WriteStartObject();
                foreach (DictionaryEntry member in members) WriteMember(json, NameOf(member.Key, path), member.Value, path);
                json.WriteEndObject();
                break;
            case IEnumerable items:
                EnsureNotTooDeep(json);
                json.WriteStartArray();
                foreach (var item in items) Write(json, item, path);
                json.WriteEndArray();
                break;
            default:
                throw new UnwritableValueException(path,
                    RefusingConverter.Reason(value.GetType())
                        ?? $"a value of type {value.GetType().Name} needs its type's contract: use text, a number, a boolean, a time, a list, a dictionary or JSON, or track an object with its JsonTypeInfo");
        }
    }

    /// <summary>Returns the name for a key of a dictionary: the text that the key would be as a value, or its number.</summary>
    static string NameOf(object key, string path) => key switch
    {
        string text => text,
        Enum named => EnumNames.Of(named),
        DateTime time => MixpanelTime.Of(time),
        DateTimeOffset time => MixpanelTime.Of(time.UtcDateTime),
        DateOnly day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        TimeOnly time => time.ToTimeSpan().ToString("c", CultureInfo.InvariantCulture),
        Uri address => address.OriginalString,
        bool or char or Version => key.ToString()!,
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new UnwritableValueException(path, $"a dictionary with keys of type {key.GetType().Name} has no names: use keys such as text"),
    };

    /// <summary>Whether a property of an event is its time, as a .NET type.</summary>
    public static bool IsMoment(string name, object value) => name == "time" && MillisecondsOf(value) is not null;

    /// <summary>Writes a property of an event, in which <c>time</c> is a number.</summary>
    public static void WriteOfEvent(Utf8JsonWriter json, string name, object? value)
    {
        var time = name != "time" ? null : value is JsonValue held ? Held(held) : value;
        WriteMember(json, name, MillisecondsOf(time) is { } milliseconds ? milliseconds : value, "");
    }

    /// <summary>Returns the .NET value that a JSON value wraps.</summary>
    static object? Held(JsonValue value) => value.TryGetValue(out object? held) ? held : null;

    static long? MillisecondsOf(object? value) => value switch
    {
        DateTime time => MixpanelTime.MillisecondsOf(time),
        DateTimeOffset time => time.ToUnixTimeMilliseconds(),
        _ => null,
    };

    public static void WriteMember(Utf8JsonWriter json, string name, object? value, string path)
    {
        if (value is null) return;
        var at = path.Length == 0 ? name : $"{path}.{name}";
        try
        {
            json.WritePropertyName(name);
        }
        catch (UnwritableValueException e)
        {
            throw new UnwritableValueException(at, e.Reason);
        }

        Write(json, value, at);
    }

    static void EnsureNotTooDeep(Utf8JsonWriter json)
    {
        if (json.CurrentDepth >= DeepestWritten) throw TooDeep();
    }

    /// <summary>Without the path, which is as long as the value is deep.</summary>
    public static UnwritableValueException TooDeep() => new("", NestedTooDeeply);

    /// <exception cref="UnwritableValueException">The text is not valid Unicode.</exception>
    static void WriteText(Utf8JsonWriter json, string text, string path)
    {
        try
        {
            json.WriteStringValue(text);
        }
        catch (UnwritableValueException e)
        {
            throw new UnwritableValueException(path, e.Reason);
        }
    }

    static void WriteNode(Utf8JsonWriter json, JsonNode node, string path)
    {
        switch (node)
        {
            case JsonObject members:
                EnsureNotTooDeep(json);
                json.WriteStartObject();
                foreach (var (name, member) in members) WriteMember(json, name, member, path);
                json.WriteEndObject();
                break;
            case JsonArray items:
                EnsureNotTooDeep(json);
                json.WriteStartArray();
                foreach (var item in items) Write(json, item, path);
                json.WriteEndArray();
                break;
            case JsonValue value when Held(value) is double or float or Half or DateTime or DateTimeOffset or Enum or BigInteger:
                Write(json, Held(value), path);
                break;
            default:
                WriteOwn(json, node, path);
                break;
        }
    }

    /// <summary>Writes a JSON value with its own serialization. An exception from it may contain the value.</summary>
    static void WriteOwn(Utf8JsonWriter json, JsonNode node, string path)
    {
        try
        {
            node.WriteTo(json);
        }
        catch (UnwritableValueException e)
        {
            throw new UnwritableValueException(path, e.Reason);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new UnwritableValueException(path, e.GetType().Name);
        }
    }

    /// <summary>Returns the converter that writes a time as milliseconds; null for a type that is not a time.</summary>
    public static JsonConverter? MillisecondsOf(Type type) =>
        type == typeof(DateTime) ? new MillisecondsConverter<DateTime>(MixpanelTime.MillisecondsOf)
        : type == typeof(DateTime?) ? new MillisecondsConverter<DateTime?>(time => MixpanelTime.MillisecondsOf(time!.Value))
        : type == typeof(DateTimeOffset) ? new MillisecondsConverter<DateTimeOffset>(time => time.ToUnixTimeMilliseconds())
        : type == typeof(DateTimeOffset?) ? new MillisecondsConverter<DateTimeOffset?>(time => time!.Value.ToUnixTimeMilliseconds())
        : type == typeof(object) ? new AnyTimeConverter()
        : null;

    public static UnwritableValueException NotFinite(string path) => new(path, "a number must be finite");

    abstract class WriteOnlyConverter<T> : JsonConverter<T>
    {
        public sealed override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();
    }

    sealed class TimeConverter : WriteOnlyConverter<DateTime>
    {
        public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options) => writer.WriteStringValue(MixpanelTime.Of(value));

        public override void WriteAsPropertyName(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options) =>
            writer.WritePropertyName(MixpanelTime.Of(value));
    }

    sealed class OffsetTimeConverter : WriteOnlyConverter<DateTimeOffset>
    {
        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(MixpanelTime.Of(value.UtcDateTime));

        public override void WriteAsPropertyName(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WritePropertyName(MixpanelTime.Of(value.UtcDateTime));
    }

    /// <summary>Converts every enumeration: a converter for each type could not be created in ahead-of-time compiled code.</summary>
    sealed class EnumConverter : WriteOnlyConverter<Enum>
    {
        public static bool Converts(Type type) => type.IsEnum && !type.IsDefined(typeof(JsonConverterAttribute), inherit: false);

        public override bool CanConvert(Type typeToConvert) => Converts(typeToConvert);

        public override void Write(Utf8JsonWriter writer, Enum value, JsonSerializerOptions options) => writer.WriteStringValue(EnumNames.Of(value));

        public override void WriteAsPropertyName(Utf8JsonWriter writer, Enum value, JsonSerializerOptions options) =>
            writer.WritePropertyName(EnumNames.Of(value));
    }

    /// <summary>Converts nullable enumerations, which System.Text.Json cannot do with a converter for every enumeration.</summary>
    sealed class NullableEnumConverter : WriteOnlyConverter<object>
    {
        public override bool CanConvert(Type typeToConvert) => Nullable.GetUnderlyingType(typeToConvert) is { } type && EnumConverter.Converts(type);

        public override void Write(Utf8JsonWriter writer, object value, JsonSerializerOptions options) => writer.WriteStringValue(EnumNames.Of((Enum)value));
    }

    sealed class BigIntegerConverter : WriteOnlyConverter<BigInteger>
    {
        public override void Write(Utf8JsonWriter writer, BigInteger value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.ToString(CultureInfo.InvariantCulture));

        public override void WriteAsPropertyName(Utf8JsonWriter writer, BigInteger value, JsonSerializerOptions options) =>
            writer.WritePropertyName(value.ToString(CultureInfo.InvariantCulture));
    }

    sealed class NodeConverter : WriteOnlyConverter<JsonNode>
    {
        public override bool CanConvert(Type typeToConvert) => typeToConvert.IsAssignableTo(typeof(JsonNode));

        public override void Write(Utf8JsonWriter writer, JsonNode value, JsonSerializerOptions options) => WriteNode(writer, value, "");
    }

    /// <summary>Refuses what System.Text.Json would write without its content: tasks, whose result it would even wait for, and tuples.</summary>
    sealed class RefusingConverter : WriteOnlyConverter<object>
    {
        public static string? Reason(Type type) =>
            type.IsAssignableTo(typeof(Task)) || type == typeof(ValueTask)
                || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueTask<>)) ? "it is a task: await it, and track its result"
            : type.IsValueType
                && type.IsAssignableTo(typeof(ITuple)) ? "it is a tuple, whose items have no names in JSON: use a list, or an object such as new { A, B }"
            : null;

        public override bool CanConvert(Type typeToConvert) => Reason(typeToConvert) is not null;

        public override void Write(Utf8JsonWriter writer, object value, JsonSerializerOptions options) =>
            throw new UnwritableValueException("", Reason(value.GetType())!);
    }

    sealed class MillisecondsConverter<T>(Func<T, long> milliseconds) : WriteOnlyConverter<T>
    {
        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteNumberValue(milliseconds(value));
    }

    sealed class AnyTimeConverter : WriteOnlyConverter<object>
    {
        public override void Write(Utf8JsonWriter writer, object value, JsonSerializerOptions options)
        {
            if (MillisecondsOf(value) is { } milliseconds) writer.WriteNumberValue(milliseconds);
            else JsonSerializer.Serialize(writer, value, options.GetTypeInfo(value.GetType()));
        }
    }
}

/// <summary>A value that cannot be expressed in JSON. The message names its property, and contains nothing of the value.</summary>
sealed class UnwritableValueException(string path, string reason)
    : ArgumentException($"{(path.Length == 0 ? "The properties" : $"The property '{path}'")} cannot be written as JSON: {reason}.")
{
    /// <summary>The path of property names to the value; empty when it is the properties as a whole.</summary>
    public string Path { get; } = path;

    public string Reason { get; } = reason;
}

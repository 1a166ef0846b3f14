using System.Text.Json;

namespace MixpanelConnector.Flags.Logic;

enum LogicKind : byte
{
    /// <summary>A value that was not given.</summary>
    Undefined,
    Null,
    Boolean,
    Number,
    Text,
    List,
    Object,
}

/// <summary>A JsonLogic value, which follows JavaScript. It allocates only for strings, lists and objects.</summary>
readonly struct LogicValue
{
    readonly object? _reference;
    readonly double _number;

    LogicValue(LogicKind kind, double number, object? reference) => (Kind, _number, _reference) = (kind, number, reference);

    public LogicKind Kind { get; }

    public static LogicValue Undefined => default;

    public static LogicValue Null => new(LogicKind.Null, 0, null);

    public static LogicValue Of(bool value) => new(LogicKind.Boolean, value ? 1 : 0, null);

    public static LogicValue Of(double value) => new(LogicKind.Number, value, null);

    public static LogicValue Of(string value) => new(LogicKind.Text, 0, value);

    public static LogicValue Of(LogicValue[] value) => new(LogicKind.List, 0, value);

    public static LogicValue Of(Dictionary<string, LogicValue> value) => new(LogicKind.Object, 0, value);

    /// <summary>Creates a list with an identity of its own: two empty ones are not the same.</summary>
    public static LogicValue OfNew(List<LogicValue> items)
    {
        var list = new LogicValue[items.Count];
        items.CopyTo(list);
        return Of(list);
    }

    public static LogicValue EmptyList => OfNew([]);

    public bool IsNothing => Kind is LogicKind.Undefined or LogicKind.Null;

    public bool IsReference => Kind is LogicKind.List or LogicKind.Object;

    /// <summary>The value of a number; 0 or 1 for a boolean.</summary>
    public double Number => _number;

    public string Text => (string)_reference!;

    public LogicValue[] List => (LogicValue[])_reference!;

    public Dictionary<string, LogicValue> Members => (Dictionary<string, LogicValue>)_reference!;

    /// <summary>JsonLogic's truthiness: JavaScript's, except that an empty list is false.</summary>
    public bool IsTrue => Kind switch
    {
        LogicKind.Boolean => _number != 0,
        LogicKind.Number => _number != 0 && !double.IsNaN(_number),
        LogicKind.Text => Text.Length > 0,
        LogicKind.List => List.Length > 0,
        LogicKind.Object => true,
        _ => false,
    };

    /// <summary><c>===</c>: lists and objects are compared by reference.</summary>
    public bool IsSameAs(in LogicValue other) => Kind == other.Kind && Kind switch
    {
        LogicKind.Boolean or LogicKind.Number => _number == other._number,
        LogicKind.Text => string.Equals(Text, other.Text, StringComparison.Ordinal),
        LogicKind.List or LogicKind.Object => ReferenceEquals(_reference, other._reference),
        _ => true,
    };

    /// <summary>Converts JSON, with its strings in lower case.</summary>
    /// <param name="json">The JSON.</param>
    /// <param name="lowersNames">Whether member names become lower case, too, as in data.</param>
    /// <exception cref="InvalidOperationException">A string is not valid Unicode.</exception>
    public static LogicValue Lowered(JsonElement json, bool lowersNames)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                var members = new Dictionary<string, LogicValue>(StringComparer.Ordinal);
                foreach (var member in json.EnumerateObject())
                    members[lowersNames ? member.Name.ToLowerInvariant() : member.Name] = Lowered(member.Value, lowersNames);
                return Of(members);
            case JsonValueKind.Array:
                var items = new LogicValue[json.GetArrayLength()];
                var at = 0;
                foreach (var item in json.EnumerateArray()) items[at++] = Lowered(item, lowersNames);
                return Of(items);
            case JsonValueKind.String:
                return Of(json.GetString()!.ToLowerInvariant());
            case JsonValueKind.Number:
                return Of(json.GetDouble());
            case JsonValueKind.True or JsonValueKind.False:
                return Of(json.ValueKind is JsonValueKind.True);
            default:
                return Null;
        }
    }
}

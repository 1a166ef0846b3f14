using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Flags;
using MixpanelConnector.Flags.Logic;
using MixpanelConnector.Tracking.Records;
using MixpanelConnector.Tracking.Values;

namespace MixpanelConnector;

/// <summary>
/// The context that flags are evaluated for: the person, the device, groups, and the properties that rules compare. Immutable; create one per
/// request and evaluate all flags with it, because values that evaluations need are computed once.
/// </summary>
public sealed class EvaluationContext
{
    // The limit of a JSON reader, which also bounds the recursion of evaluations.
    const int Deepest = 64;

    const string TooDeep = "The context is nested too deeply.";

    const string DistinctIdName = "distinct_id", DeviceIdName = "device_id", PropertiesName = "custom_properties";

    readonly Dictionary<string, ulong> _assignments = new(StringComparer.Ordinal);
    LoweredProperties? _properties;

    EvaluationContext(JsonElement json)
    {
        Json = json;
        foreach (var member in json.EnumerateObject())
            if (TextOf(member.Value) is { } text)
            {
                _assignments[member.Name] = FlagHash.Of(Encoding.UTF8.GetBytes(text));
                if (member.NameEquals(DistinctIdName)) DistinctId = text;
            }
            else if (member.Value.ValueKind is JsonValueKind.Null)
            {
                _assignments.Remove(member.Name); // of a duplicate name, the last one counts
                if (member.NameEquals(DistinctIdName)) DistinctId = null;
            }

        DistinctIdHash = DistinctId?.GetHashCode(StringComparison.Ordinal) ?? 0;
        IsTester = DistinctId is not null && json.GetProperty(DistinctIdName).ValueKind is JsonValueKind.String;
    }

    /// <summary>Creates a context for a person and, optionally, a device.</summary>
    /// <param name="distinctId">The person's <c>distinct_id</c>; null for nobody.</param>
    /// <param name="deviceId">The device, for flags that are assigned by <c>device_id</c>. Default: none.</param>
    public EvaluationContext(string? distinctId, string? deviceId = null)
        : this(Written(json =>
        {
            if (distinctId is not null) json.WriteString(DistinctIdName, distinctId);
            if (deviceId is not null) json.WriteString(DeviceIdName, deviceId);
        }))
    { }

    /// <summary>Creates a context for a user as events identify one.</summary>
    /// <param name="user">The user; may be <see cref="MixpanelUser.None"/>.</param>
    public EvaluationContext(MixpanelUser user)
        : this(user.DistinctId is { Length: > 0 } id ? id : null, user.DeviceId) { }

    /// <summary>Creates a context from JSON, such as <c>{"distinct_id":"user-1","company":"acme","custom_properties":{"plan":"pro"}}</c>.</summary>
    /// <param name="json">A JSON object.</param>
    /// <exception cref="MixpanelException">It is not an object, is nested more than 64 levels deep, or contains a string that is not valid Unicode.</exception>
    public static EvaluationContext FromJson(JsonElement json)
    {
        if (json.ValueKind is not JsonValueKind.Object)
            throw MixpanelException.Invalid("context", "The context must be a JSON object, such as {\"distinct_id\":\"user-1\"}.");
        try
        {
            return new(JsonElement.Parse(json.GetRawText())); // bounds the depth, unlike a clone
        }
        catch (JsonException)
        {
            throw MixpanelException.Invalid("context", TooDeep);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            throw MixpanelException.Invalid("context", "The context contains text that is not valid Unicode, or an invalid number.");
        }
    }

    /// <summary>The person's <c>distinct_id</c>; null for nobody.</summary>
    public string? DistinctId { get; }

    /// <summary>Returns the same context with one more value that flags may be assigned by, such as a group.</summary>
    /// <param name="key">The key in flag definitions, such as <c>company_id</c>.</param>
    /// <param name="value">The value, such as <c>acme</c>.</param>
    /// <exception cref="ArgumentException">The key is empty.</exception>
    public EvaluationContext With(string key, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentNullException.ThrowIfNull(value);
        return new(Written(json =>
        {
            CopyBut(key, json);
            json.WriteString(key, value);
        }));
    }

    /// <summary>Returns the same context with these properties, which rules compare, instead of its own.</summary>
    /// <param name="properties">Strings, numbers, booleans, times (in UTC unless specified), lists, JSON, and nested dictionaries.</param>
    /// <exception cref="MixpanelException">A value cannot be expressed in JSON, contains itself, or is nested more than about 60 levels deep.</exception>
    public EvaluationContext WithProperties(IReadOnlyDictionary<string, object?> properties)
    {
        ArgumentNullException.ThrowIfNull(properties);
        return WithPayload(Payload.Of(properties.ToDictionary(property => property.Key, property => Stated(property.Key, property.Value, depth: 1),
            StringComparer.Ordinal)));
    }

    /// <summary>Formats times with their offset, which rules need to compare them; times in events are Mixpanel's text, which has none.</summary>
    static object? Stated(string name, object? value, int depth) => value switch
    {
        DateTimeOffset time => Text(time),
        DateTime time => Text(new DateTimeOffset(time.Kind is DateTimeKind.Local ? time.ToUniversalTime() : DateTime.SpecifyKind(time, DateTimeKind.Utc))),
        IReadOnlyDictionary<string, object?> when depth > Deepest =>
            throw MixpanelException.Invalid(name, $"The property '{name}' is nested too deeply, or contains itself."),
        IReadOnlyDictionary<string, object?> nested =>
            nested.ToDictionary(property => property.Key, property => Stated(name, property.Value, depth + 1), StringComparer.Ordinal),
        _ => value,
    };

    static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    /// <summary>Returns the same context with these properties, which rules compare, instead of its own.</summary>
    /// <param name="properties">The properties.</param>
    /// <exception cref="MixpanelException">A value cannot be expressed in JSON, or is nested more than about 60 levels deep.</exception>
    public EvaluationContext WithProperties(JsonObject properties)
    {
        ArgumentNullException.ThrowIfNull(properties);
        return WithPayload(Payload.Of(properties));
    }

    /// <summary>The JSON to send when Mixpanel evaluates.</summary>
    internal JsonElement Json { get; }

    internal int DistinctIdHash { get; }

    /// <summary>Whether the person can be a test user: a numeric id cannot.</summary>
    internal bool IsTester { get; }

    /// <summary>Returns the hash of the value that a flag is assigned by.</summary>
    /// <returns>False when the context has none.</returns>
    internal bool TryGetAssignment(string key, out ulong hash)
    {
        if (_assignments.TryGetValue(key, out hash)) return true;
        if (!Json.TryGetProperty(key, out var value) || value.ValueKind is JsonValueKind.Null) return false;
        hash = FlagHash.Of(Encoding.UTF8.GetBytes(value.GetRawText()));
        return true;
    }

    /// <summary>Returns the properties for rules, in lower case.</summary>
    /// <returns>False when there are no properties, so that no rule can hold.</returns>
    internal bool TryGetProperties(out LogicValue properties)
    {
        var lowered = _properties ??= new(Lower());
        properties = lowered.Value;
        return properties.Kind is LogicKind.Object;
    }

    LogicValue Lower()
    {
        try
        {
            return Json.TryGetProperty(PropertiesName, out var properties) && properties.ValueKind is JsonValueKind.Object
                ? LogicValue.Lowered(properties, lowersNames: true)
                : LogicValue.Undefined;
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            return LogicValue.Undefined; // a string that is not valid Unicode equals nothing
        }
    }

    /// <summary>Returns the text that a value is hashed by; null for null, lists and objects.</summary>
    static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Number when value.GetRawText() is var digits =>
            digits.AsSpan(digits[0] is '-' ? 1 : 0).ContainsAnyExceptInRange('0', '9') || digits is "-0" ? JavaScriptNumber.ToText(value.GetDouble()) : digits,
        _ => null,
    };

    EvaluationContext WithPayload(Payload payload)
    {
        try
        {
            return new(Written(json =>
            {
                CopyBut(PropertiesName, json);
                json.WritePropertyName(PropertiesName);
                payload.WriteTo(json, ofEvent: false);
            }));
        }
        catch (UnwritableValueException e)
        {
            throw MixpanelException.Invalid(e.Path, $"The property cannot be written as JSON: {e.Reason}.");
        }
        catch (JsonException)
        {
            throw MixpanelException.Invalid(PropertiesName, TooDeep);
        }
    }

    void CopyBut(string name, Utf8JsonWriter json)
    {
        foreach (var member in Json.EnumerateObject())
            if (!member.NameEquals(name)) member.WriteTo(json);
    }

    static JsonElement Written(Action<Utf8JsonWriter> members)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text, JsonDefaults.WriterOptions))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return JsonElement.Parse(text.WrittenSpan);
    }

    sealed record LoweredProperties(LogicValue Value);
}

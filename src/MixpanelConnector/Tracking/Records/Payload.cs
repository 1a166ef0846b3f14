using System.Collections;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MixpanelConnector.Tracking.TypedEvents;
using MixpanelConnector.Tracking.Values;

namespace MixpanelConnector.Tracking.Records;

/// <summary>Properties as the caller gave them: a value with its type's contract, JSON, a dictionary, or nothing.</summary>
readonly struct Payload
{
    // The default of System.Text.Json.
    const int DeepestOfContracts = 64;

    readonly object? _value, _contract;

    /// <param name="value">The value.</param>
    /// <param name="type">Its JSON contract.</param>
    public Payload(object? value, JsonTypeInfo? type) => (_value, _contract) = (value, type);

    /// <param name="happened">The event.</param>
    /// <param name="contract">Its contract.</param>
    public Payload(object happened, EventContract contract) => (_value, _contract) = (happened, contract);

    public static Payload Of(JsonNode? json) => new(json, type: null);

    public static Payload Of(IEnumerable<KeyValuePair<string, object?>> properties) => new(properties, type: null);

    /// <summary>Returns a single property, which may be null intentionally.</summary>
    public static Payload Of(string name, object? value) => new(new OneProperty(name, value), type: null);

    /// <summary>Returns properties of an update whose nulls are intentional.</summary>
    public static Payload WithNulls(JsonObject properties) => new(new Nullable(properties), type: null);

    /// <summary>Writes the properties.</summary>
    /// <param name="json">The writer.</param>
    /// <param name="ofEvent">Whether they are an event's.</param>
    /// <exception cref="UnwritableValueException">A value cannot be expressed in JSON.</exception>
    public void WriteTo(Utf8JsonWriter json, bool ofEvent)
    {
        try
        {
            if (_contract is EventContract own) own.Write(_value!, json);
            else if (ContractFor(ofEvent) is not { } contract) Write(json, ofEvent);
            else if (contract.Kind is JsonTypeInfoKind.Dictionary && Members(_value, contract) is { } members) Write(json, members, contract, ofEvent);
            else JsonSerializer.Serialize(json, _value, contract);
        }
        catch (UnwritableValueException e) when (_contract is not null || e.Path.Length == 0)
        {
            // A converter within the contract knows only the path from its own value, and the encoder none.
            var name = FindUnwritable(ofEvent);
            throw new UnwritableValueException(e.Path.Length == 0 || e.Path == name ? name : $"{name}.{e.Path}", e.Reason);
        }
        catch (Exception e) when (e is not UnwritableValueException and not OutOfMemoryException)
        {
            // The caller's type threw, or contains something that JSON cannot express. The exception may contain the value.
            throw new UnwritableValueException(FindUnwritable(ofEvent), ReasonOf(e, json.CurrentDepth));
        }
    }

    static string ReasonOf(Exception e, int depth) => e switch
    {
        JsonException when depth >= DeepestOfContracts => TrackedValue.NestedTooDeeply,
        NotSupportedException =>
            "values of its type are not supported: use text, a number, a boolean, a time, a list, a dictionary, JSON, or a type with such properties",
        _ => e.GetType().Name,
    };

    void Write(Utf8JsonWriter json, bool ofEvent)
    {
        switch (_value)
        {
            case OneProperty one:
                json.WriteStartObject();
                json.WritePropertyName(one.Name);
                TrackedValue.Write(json, one.Value, one.Name);
                json.WriteEndObject();
                break;
            case Nullable nullable:
                json.WriteStartObject();
                foreach (var (name, member) in nullable.Members)
                {
                    json.WritePropertyName(name);
                    TrackedValue.Write(json, member, name);
                }

                json.WriteEndObject();
                break;
            case JsonObject members when ofEvent:
                json.WriteStartObject();
                foreach (var (name, member) in members) TrackedValue.WriteOfEvent(json, name, member);
                json.WriteEndObject();
                break;
            case IEnumerable<KeyValuePair<string, object?>> members when ofEvent:
                json.WriteStartObject();
                foreach (var (name, member) in members) TrackedValue.WriteOfEvent(json, name, member);
                json.WriteEndObject();
                break;
            default:
                TrackedValue.Write(json, _value, "");
                break;
        }
    }

    /// <summary>
    /// Writes a dictionary whose values may be of any type that the contract's options know; the values of a dictionary's contract may also be null or times.
    /// </summary>
    static void Write(Utf8JsonWriter json, IEnumerable<KeyValuePair<string, object?>> members, JsonTypeInfo contract, bool ofEvent)
    {
        var declared = contract.ElementType == typeof(object) ? null : contract.Options.GetTypeInfo(contract.ElementType!);
        json.WriteStartObject();
        foreach (var (name, member) in members)
        {
            if (member is null) continue;
            if (ofEvent && TrackedValue.IsMoment(name, member))
            {
                TrackedValue.WriteOfEvent(json, name, member);
                continue;
            }

            json.WritePropertyName(contract.Options.DictionaryKeyPolicy?.ConvertName(name) ?? name);
            JsonSerializer.Serialize(json, member, declared ?? contract.Options.GetTypeInfo(member.GetType()));
        }

        json.WriteEndObject();
    }

    /// <summary>Returns the members of a dictionary whose keys are names; null when they are something else.</summary>
    static IEnumerable<KeyValuePair<string, object?>>? Members(object? value, JsonTypeInfo contract) => value switch
    {
        IEnumerable<KeyValuePair<string, object?>> members => members,
        IDictionary members when contract.KeyType == typeof(string) => Members(members),
        _ => null,
    };

    static IEnumerable<KeyValuePair<string, object?>> Members(IDictionary members)
    {
        foreach (DictionaryEntry member in members) yield return new((string)member.Key, member.Value);
    }

    /// <summary>Returns the contract to write with; null when there is none. A value declared as object uses the contract of its runtime type.</summary>
    JsonTypeInfo? ContractFor(bool ofEvent) => _contract is not JsonTypeInfo type ? null
        : TrackedContract.Of(_value is not null && type.Type == typeof(object) ? type.Options.GetTypeInfo(_value.GetType()) : type, ofEvent);

    /// <summary>Returns the property that cannot be written, by trying each alone.</summary>
    string FindUnwritable(bool ofEvent)
    {
        if (_contract is EventContract own) return own.FindUnwritable(_value!);
        foreach (var (name, write) in Members(ofEvent))
        {
            try
            {
                using var nowhere = new Utf8JsonWriter(Stream.Null, WellFormedEncoder.WriterOptions);
                nowhere.WriteStartObject();
                nowhere.WritePropertyName(name);
                write(nowhere);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                return name;
            }
        }

        return "";
    }

    IEnumerable<(string Name, Action<Utf8JsonWriter> Write)> Members(bool ofEvent)
    {
        var held = _value is Nullable nullable ? nullable.Members : _value;
        if (held is OneProperty one)
        {
            yield return (one.Name, json => TrackedValue.Write(json, one.Value, one.Name));
        }
        else if (held is JsonObject json)
        {
            foreach (var (name, member) in json) yield return (name, nowhere => TrackedValue.Write(nowhere, member, name));
        }
        else if (held is IEnumerable<KeyValuePair<string, object?>> members)
        {
            foreach (var (name, member) in members)
                if (member is not null) yield return (name, json => TrackedValue.Write(json, member, name));
        }
        else if (held is not null && ContractFor(ofEvent) is { Kind: JsonTypeInfoKind.Object } contract)
        {
            foreach (var property in contract.Properties)
                yield return (property.Name, json =>
                {
                    if (property.Get?.Invoke(held) is { } member) JsonSerializer.Serialize(json, member, contract.Options.GetTypeInfo(member.GetType()));
                    else json.WriteNullValue();
                }
                );
        }
    }

    sealed record OneProperty(string Name, object? Value);

    sealed record Nullable(JsonObject Members);
}

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace MixpanelConnector.Tracking;

/// <summary>Properties as the caller gave them: a value with its type's JSON contract, JSON, names with values, or nothing.</summary>
readonly struct Payload(object? value, JsonTypeInfo? type)
{
    public static Payload Of(JsonNode? json) => new(json, null);

    public static Payload Of(IEnumerable<KeyValuePair<string, object?>> properties) => new(properties, null);

    /// <summary>One property, which may be null on purpose.</summary>
    public static Payload Of(string name, object? value) => new(new OneProperty(name, value), null);

    /// <summary>Writes the properties.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="ofEvent">Whether they are an event's.</param>
    /// <exception cref="UnwritableValueException">A value has no form in JSON.</exception>
    public void WriteTo(Utf8JsonWriter json, bool ofEvent)
    {
        try
        {
            if (ContractFor(ofEvent) is not { } contract) Write(json, ofEvent);
            else if (contract.Kind is JsonTypeInfoKind.Dictionary && value is IEnumerable<KeyValuePair<string, object?>> members) Write(json, members, contract.Options, ofEvent);
            else JsonSerializer.Serialize(json, value, contract);
        }
        catch (UnwritableValueException e) when (type is not null)
        {
            // A converter within the contract knows the way from its own value alone.
            var name = FindUnwritable(ofEvent);
            throw new UnwritableValueException(e.Path.Length == 0 || e.Path == name ? name : $"{name}.{e.Path}", e.Reason);
        }
        catch (Exception e) when (e is not UnwritableValueException and not OutOfMemoryException)
        {
            // The caller's own type threw, or it says what JSON cannot. What it threw may hold the value.
            throw new UnwritableValueException(FindUnwritable(ofEvent), e.GetType().Name);
        }
    }

    void Write(Utf8JsonWriter json, bool ofEvent)
    {
        switch (value)
        {
            case OneProperty one:
                json.WriteStartObject();
                json.WritePropertyName(one.Name);
                TrackedValue.Write(json, one.Value, one.Name);
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
                TrackedValue.Write(json, value, "");
                break;
        }
    }

    /// <summary>Names with values of any type that the contract's options know; the values of a dictionary's contract may be null and times, too.</summary>
    static void Write(Utf8JsonWriter json, IEnumerable<KeyValuePair<string, object?>> members, JsonSerializerOptions options, bool ofEvent)
    {
        json.WriteStartObject();
        foreach (var (name, member) in members)
        {
            if (member is null) continue;
            if (ofEvent && TrackedValue.IsMoment(name, member))
            {
                TrackedValue.WriteOfEvent(json, name, member);
                continue;
            }

            json.WritePropertyName(name);
            JsonSerializer.Serialize(json, member, options.GetTypeInfo(member.GetType()));
        }

        json.WriteEndObject();
    }

    /// <summary>The contract to write by; null where there is none. What is declared as an object goes by what it is.</summary>
    JsonTypeInfo? ContractFor(bool ofEvent) => type is null ? null
        : TrackedContract.Of(value is not null && type.Type == typeof(object) ? type.Options.GetTypeInfo(value.GetType()) : type, ofEvent);

    /// <summary>The property that cannot be written: each is tried alone.</summary>
    string FindUnwritable(bool ofEvent)
    {
        foreach (var (name, write) in Members(ofEvent))
        {
            try
            {
                using var nowhere = new Utf8JsonWriter(Stream.Null);
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
        var held = value;
        if (held is OneProperty one)
        {
            yield return (one.Name, json => TrackedValue.Write(json, one.Value, one.Name));
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
                }
                );
        }
    }

    sealed record OneProperty(string Name, object? Value);
}

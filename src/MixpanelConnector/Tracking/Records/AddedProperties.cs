using System.Text.Json.Nodes;

namespace MixpanelConnector.Tracking.Records;

/// <summary>The properties of a scope or a group, added to every event that does not set them itself.</summary>
sealed class AddedProperties(JsonObject properties)
{
    Made? _made;

    /// <summary>Returns these and further properties; the further ones take precedence.</summary>
    public AddedProperties With(JsonObject further)
    {
        var all = properties.DeepClone().AsObject();
        foreach (var (name, value) in further) all[name] = value?.DeepClone();
        return new(all);
    }

    /// <summary>Returns a tracker's additions to an event together with these properties, which take precedence.</summary>
    public EventAdditions AddTo(EventAdditions additions)
    {
        var made = _made;
        if (made?.Of != additions) _made = made = new(additions, additions.With(properties));
        return made!.With;
    }

    /// <summary>Adds the properties that an event does not have.</summary>
    public JsonNode FillIn(JsonNode own)
    {
        foreach (var (name, value) in properties) own.AsObject().TryAdd(name, value?.DeepClone());
        return own;
    }

    /// <summary>Serialized once for all events; most scopes and groups have one tracker.</summary>
    sealed record Made(EventAdditions Of, EventAdditions With);
}

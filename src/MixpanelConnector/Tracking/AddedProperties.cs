using System.Text.Json.Nodes;

namespace MixpanelConnector.Tracking;

/// <summary>Properties for every event of a scope or of a group that does not have them of its own.</summary>
sealed class AddedProperties(JsonObject properties)
{
    Made? _made;

    /// <summary>The same and further ones, which win.</summary>
    public AddedProperties With(JsonObject further)
    {
        var all = properties.DeepClone().AsObject();
        foreach (var (name, value) in further) all[name] = value?.DeepClone();
        return new(all);
    }

    /// <summary>What a tracker adds to an event, with these, which win.</summary>
    public EventAdditions AddTo(EventAdditions additions)
    {
        var made = _made;
        if (made?.Of != additions) _made = made = new(additions, additions.With(properties));
        return made!.With;
    }

    /// <summary>Puts those into an event's properties that it does not have.</summary>
    public JsonNode FillIn(JsonNode own)
    {
        foreach (var (name, value) in properties) own.AsObject().TryAdd(name, value?.DeepClone());
        return own;
    }

    /// <summary>Written once for all events; most scopes and groups have one tracker.</summary>
    sealed record Made(EventAdditions Of, EventAdditions With);
}

namespace MixpanelConnector.Emulator.Selectors;

/// <summary>A profile or an event as the input of an expression.</summary>
interface ISelectorRecord
{
    /// <summary>The named value, or <see cref="SelectorValue.Undefined"/> if the record has none.</summary>
    SelectorValue Get(PropertyRoot root, string name);
}

enum PropertyRoot
{
    Properties,
    User,
    Event,
    Behaviors,
}

/// <summary>A value that an expression reads, such as <c>properties["$city"]</c>.</summary>
readonly record struct PropertyReference(PropertyRoot Root, string Name);

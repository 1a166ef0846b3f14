namespace MixpanelConnector.Emulator.Selectors;

/// <summary>The context in which an expression is used: each supports other roots and functions.</summary>
enum SelectorDialect
{
    /// <summary>Profile queries: <c>properties</c> is the profile, <c>behaviors</c> are counts defined by the request.</summary>
    Engage,

    /// <summary>Event reports: <c>properties</c> is the event, <c>user</c> is the profile joined to it.</summary>
    Events,

    /// <summary>Raw export: <c>properties</c> is the event's properties, <c>event</c> is the event itself.</summary>
    Export,
}

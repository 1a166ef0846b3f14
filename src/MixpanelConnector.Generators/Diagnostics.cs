using Microsoft.CodeAnalysis;

namespace MixpanelConnector.Generators;

/// <summary>The diagnostics of the analyzers. docs/typed-events.md explains each.</summary>
static class Diagnostics
{
    public static readonly DiagnosticDescriptor NotGenerated = New("MIXP001", DiagnosticSeverity.Info,
        "An event can be tracked only with its JsonTypeInfo",
        "{0} cannot be tracked with Track(user, …) without its JsonTypeInfo, because {1}");

    public static readonly DiagnosticDescriptor NotTracked = New("MIXP002", DiagnosticSeverity.Error,
        "An event cannot be tracked without its JsonTypeInfo",
        "{0} cannot be tracked without its JsonTypeInfo: {1}");

    public static readonly DiagnosticDescriptor EventName = New("MIXP003", DiagnosticSeverity.Warning,
        "The name of an event is not allowed",
        "The event's name {0}");

    public static readonly DiagnosticDescriptor ReservedProperty = New("MIXP004", DiagnosticSeverity.Warning,
        "The name of a property is not allowed",
        "'{0}' {1}");

    public static readonly DiagnosticDescriptor Time = New("MIXP005", DiagnosticSeverity.Warning,
        "The time of an event is not a date or number",
        "'time' is when the event happened: make {0} a DateTimeOffset, a DateTime or a number of milliseconds since 1970, or rename the property");

    public static readonly DiagnosticDescriptor TooMany = New("MIXP006", DiagnosticSeverity.Warning,
        "An event has too many properties",
        "{0} has {1} properties, but Mixpanel allows 255, including those that the tracker adds: group properties into objects or lists, or split the event");

    public static readonly DiagnosticDescriptor Seconds = New("MIXP007", DiagnosticSeverity.Warning,
        "A time is given in seconds",
        "'{0}' is in seconds: Mixpanel {1}");

    public static readonly DiagnosticDescriptor PropertyCase = New("MIXP008", DiagnosticSeverity.Warning,
        "Names of properties differ only in case",
        "'{0}' and '{1}' of {2} differ only in case and are different properties in Mixpanel: use the same spelling, or distinct names",
        WellKnownDiagnosticTags.CompilationEnd);

    public static readonly DiagnosticDescriptor EventCase = New("MIXP009", DiagnosticSeverity.Warning,
        "Names of events differ only in case",
        "'{0}' and '{1}' of {2} differ only in case and are different events in Mixpanel: use the same spelling, or distinct names",
        WellKnownDiagnosticTags.CompilationEnd);

    public static readonly DiagnosticDescriptor Unsupported = New("MIXP010", DiagnosticSeverity.Warning,
        "No code can be generated for a property",
        "{0} {1}. No code is generated for {2}.");

    static DiagnosticDescriptor New(string id, DiagnosticSeverity severity, string title, string message, params string[] tags) =>
        new(id, title, message, "Mixpanel", severity, isEnabledByDefault: true, description: null, $"docs/typed-events.md#{id.ToLowerInvariant()}", tags);

    /// <summary>Properties of a diagnostic that a code fix reads.</summary>
    public static class Hints
    {
        /// <summary>The name that is proposed instead.</summary>
        public const string Name = "Name";

        /// <summary>The type can be made partial; the additional location is its declaration.</summary>
        public const string Partial = "Partial";

        /// <summary>A number of milliseconds can be used instead.</summary>
        public const string Milliseconds = "Milliseconds";

        /// <summary>The <c>DateTimeOffset</c> can be used instead.</summary>
        public const string Moment = "Moment";
    }
}

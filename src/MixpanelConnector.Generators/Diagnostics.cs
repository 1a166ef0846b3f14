using Microsoft.CodeAnalysis;

namespace MixpanelConnector.Generators;

/// <summary>The diagnostics of the analyzers. docs/typed-events.md explains each.</summary>
static class Diagnostics
{
    public static readonly DiagnosticDescriptor NotGenerated = New("MIXP001", DiagnosticSeverity.Info,
        "An event is tracked by its JSON contract alone",
        "{0} cannot be tracked by Track(user, …) alone, since {1}");

    public static readonly DiagnosticDescriptor NotTracked = New("MIXP002", DiagnosticSeverity.Error,
        "An event has nothing that writes it",
        "{0} cannot be tracked so: {1}. Or give its JsonTypeInfo, too.");

    public static readonly DiagnosticDescriptor EventName = New("MIXP003", DiagnosticSeverity.Warning,
        "The name of an event is not allowed",
        "The event's name {0}");

    public static readonly DiagnosticDescriptor ReservedProperty = New("MIXP004", DiagnosticSeverity.Warning,
        "The name of a property is Mixpanel's",
        "'{0}' {1}");

    public static readonly DiagnosticDescriptor Time = New("MIXP005", DiagnosticSeverity.Warning,
        "The time of an event is no time",
        "'time' is when the event happened: give {0} the type DateTimeOffset or DateTime, or a number of milliseconds since 1970, or the property another name");

    public static readonly DiagnosticDescriptor TooMany = New("MIXP006", DiagnosticSeverity.Warning,
        "An event has too many properties",
        "{0} has {1} properties, and Mixpanel takes 255, with those that the tracker adds: put what belongs together into objects or lists, or into events of their own");

    public static readonly DiagnosticDescriptor Seconds = New("MIXP007", DiagnosticSeverity.Warning,
        "A time is given in seconds",
        "'{0}' is given in seconds: Mixpanel {1}");

    public static readonly DiagnosticDescriptor PropertyCase = New("MIXP008", DiagnosticSeverity.Warning,
        "Names of properties differ only in case",
        "'{0}' and '{1}' of {2} are two properties to Mixpanel, since they differ in case: give both the same name, or other ones", WellKnownDiagnosticTags.CompilationEnd);

    public static readonly DiagnosticDescriptor EventCase = New("MIXP009", DiagnosticSeverity.Warning,
        "Names of events differ only in case",
        "'{0}' and '{1}' of {2} are two events to Mixpanel, since they differ in case: give both the same name, or other ones", WellKnownDiagnosticTags.CompilationEnd);

    public static readonly DiagnosticDescriptor Unsupported = New("MIXP010", DiagnosticSeverity.Warning,
        "Nothing can be generated for a property",
        "{0} {1}. Nothing is generated for {2}.");

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

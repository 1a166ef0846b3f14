using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace MixpanelConnector.Generators;

/// <summary>Analyzes types with <c>[MixpanelEvent]</c>: reports what Mixpanel would not accept as intended, and what no code can be generated for.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class EventTypeAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
        ImmutableArray.Create(Diagnostics.NotGenerated, Diagnostics.EventName, Diagnostics.ReservedProperty, Diagnostics.Time, Diagnostics.TooMany,
            Diagnostics.PropertyCase, Diagnostics.EventCase, Diagnostics.Unsupported);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(static start =>
        {
            if (start.Compilation.GetTypeByMetadataName(KnownNames.EventAttribute) is null) return;
            var events = new ConcurrentBag<EventType>();
            start.RegisterSymbolAction(symbol => Look(symbol, events), SymbolKind.NamedType);
            start.RegisterCompilationEndAction(end => new NameCases(end).Report(events));
        });
    }

    static void Look(SymbolAnalysisContext context, ConcurrentBag<EventType> events)
    {
        var symbol = (INamedTypeSymbol)context.Symbol;
        if (EventType.Of(symbol, context.Compilation, context.CancellationToken) is not { } type) return;
        events.Add(type);
        LookAtName(context, type);
        if (EventType.IsWrittenByHand(symbol, context.CancellationToken)) return;
        if (EventType.WhyClosed(symbol, context.CancellationToken) is { } why)
            Report(context, Diagnostics.NotGenerated, symbol.Locations[0], Places.Partial(symbol, why), [symbol.Locations[0]], symbol.Name, why);
        else
            foreach (var (obstacle, reason) in type.Contract.Obstacles)
                Report(context, Diagnostics.Unsupported, Places.Of(obstacle, context.Compilation) ?? symbol.Locations[0], null, [], obstacle.Name, reason,
                    symbol.Name);
        LookAtProperties(context, type);
    }

    static void LookAtName(SymbolAnalysisContext context, EventType type)
    {
        var fault = type.Name switch
        {
            _ when string.IsNullOrWhiteSpace(type.Name) => "is empty: name what happened, such as \"Order placed\"",
            _ when KnownNames.HasReservedPrefix(type.Name) =>
                $"begins with {(type.Name[0] == '$' ? "$" : "mp_")}, which Mixpanel reserves: call it '{KnownNames.Allowed(type.Name)}'",
            { Length: > KnownNames.LongestName } => $"has {type.Name.Length} characters; Mixpanel truncates it to {KnownNames.LongestName}",
            _ => null,
        };
        if (fault is null) return;
        var proposed = string.IsNullOrWhiteSpace(type.Name)
            ? null
            : ImmutableDictionary<string, string?>.Empty.Add(Diagnostics.Hints.Name, KnownNames.Allowed(type.Name));
        Report(context, Diagnostics.EventName, Places.Argument(type.Attribute, context.CancellationToken) ?? type.Symbol.Locations[0], proposed, [], fault);
    }

    static void LookAtProperties(SymbolAnalysisContext context, EventType type)
    {
        var names = new HashSet<string>(type.Members.Select(member => member.Name), StringComparer.Ordinal);
        if (type.Members.Count + KnownNames.Added.Count(name => !names.Contains(name)) > KnownNames.MostProperties)
            Report(context, Diagnostics.TooMany, type.Symbol.Locations[0], null, [], type.Symbol.Name, type.Members.Count);
        foreach (var member in type.Members)
        {
            var place = Places.OfName(member.Symbol, context.Compilation, context.CancellationToken) ?? type.Symbol.Locations[0];
            if (member.Name == "time" && !IsTime(member.Type)) Report(context, Diagnostics.Time, place, null, [], member.Symbol.Name);
            var allowed = Unused(KnownNames.Allowed(member.Name));
            var fault = KnownNames.IsReservedProperty(member.Name)
                ? member.Name == "distinct_id" ? "identifies the user: pass the user to Track instead" : $"is reserved by Mixpanel: call it '{allowed}'"
                : member.Name.Length > KnownNames.LongestName ? $"has {member.Name.Length} characters; Mixpanel truncates it to {KnownNames.LongestName}"
                    : null;
            if (fault is not null)
                Report(context, Diagnostics.ReservedProperty, place, ImmutableDictionary<string, string?>.Empty.Add(Diagnostics.Hints.Name, allowed), [],
                    member.Name, fault);
        }

        string Unused(string name)
        {
            while (names.Contains(name)) name = $"event_{name}";
            return name;
        }
    }

    /// <summary>Whether Mixpanel accepts it as a time: a date type of .NET, or a number.</summary>
    static bool IsTime(ITypeSymbol type)
    {
        var bare = type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable ? nullable.TypeArguments[0] : type;
        return bare.SpecialType is SpecialType.System_DateTime or SpecialType.System_Int64 or SpecialType.System_UInt64 or SpecialType.System_Int32
            or SpecialType.System_UInt32 or SpecialType.System_Double or SpecialType.System_Decimal or SpecialType.System_Object
            || bare.ToDisplayString() == "System.DateTimeOffset";
    }

    static void Report(SymbolAnalysisContext context, DiagnosticDescriptor descriptor, Location place, ImmutableDictionary<string, string?>? hints,
        IEnumerable<Location> more, params object[] arguments) =>
        context.ReportDiagnostic(Diagnostic.Create(descriptor, place, more, hints, arguments));
}

using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace MixpanelConnector.Generators;

/// <summary>Finds timestamps that are passed to an event in seconds: <c>ToUnixTimeSeconds()</c> directly as a property.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class SecondsAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(Diagnostics.Seconds);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterOperationAction(Look, OperationKind.Invocation);
    }

    static void Look(OperationAnalysisContext context)
    {
        var call = (IInvocationOperation)context.Operation;
        if (call.TargetMethod is not { Name: "ToUnixTimeSeconds", ContainingType: { Name: "DateTimeOffset", ContainingNamespace.Name: "System" } }) return;
        if (PropertyOf(call) is not var (name, takes)) return;
        var hints = ImmutableDictionary<string, string?>.Empty;
        if (name == "time" && takes is Takes.Long or Takes.Anything) hints = hints.Add(Diagnostics.Hints.Milliseconds, "");
        if (takes is Takes.Anything) hints = hints.Add(Diagnostics.Hints.Moment, "");
        var why = name == "time"
            ? "cannot order events in the same second: use milliseconds, or the DateTimeOffset itself"
            : "would read a number, not a time: use the DateTimeOffset itself";
        context.ReportDiagnostic(Diagnostic.Create(Diagnostics.Seconds, call.Syntax.GetLocation(), hints, name, why));
    }

    /// <summary>The property that a value is assigned to, and the values it accepts; null if there is none.</summary>
    static (string Name, Takes Takes)? PropertyOf(IOperation value)
    {
        var (held, parent) = (value, value.Parent);
        while (parent is IConversionOperation or IParenthesizedOperation) (held, parent) = (parent, parent.Parent);
        switch (parent)
        {
            case IArgumentOperation
            {
                Parameter:
                {
                    ContainingSymbol: IMethodSymbol
                    {
                        MethodKind: MethodKind.Constructor,
                        ContainingType: var type
                    }
                } parameter
            } when EventType.AttributeOf(type) is not null:
                var property = type.GetMembers(parameter.Name).OfType<IPropertySymbol>().FirstOrDefault();
                return (property is null ? parameter.Name : NameOf(property), TakesOf(parameter.Type));
            case IArgumentOperation
            {
                Parent: IInvocationOperation
                {
                    TargetMethod.Name: "Add",
                    Parent: IObjectOrCollectionInitializerOperation initializer
                } add
            } when add.Arguments.Length == 2
                    && KeyOf(add.Arguments[0].Value) is { } key && IsTracked(initializer.Parent):
                return (key, Takes.Anything);
            case ISimpleAssignmentOperation
            {
                Target: IPropertyReferenceOperation { Property: { ContainingType.IsAnonymousType: true } member },
                Parent: IAnonymousObjectCreationOperation made
            } when IsTracked(made):
                return (member.Name, Takes.Anything);
            case ISimpleAssignmentOperation
            {
                Target: IPropertyReferenceOperation { Property.IsIndexer: true } place,
                Parent: IObjectOrCollectionInitializerOperation initializer
            } when place.Arguments.Length == 1 && KeyOf(place.Arguments[0].Value) is { } key
                    && IsTracked(initializer.Parent):
                return (key, Takes.Anything);
            case ISimpleAssignmentOperation
            {
                Target: IPropertyReferenceOperation { Property: { ContainingType: var type } member }
            } assigned when assigned.Value == held
                    && EventType.AttributeOf(type) is not null:
                return (NameOf(member), TakesOf(member.Type));
            default:
                return null;
        }
    }

    static bool IsTracked(IOperation? value)
    {
        var parent = value?.Parent;
        while (parent is IConversionOperation or IParenthesizedOperation) parent = parent.Parent;
        return parent is IArgumentOperation { Parent: IInvocationOperation { TargetMethod: { Name: "Track" or "TrackAsync" } method } }
            && method.ContainingType.ToDisplayString() == KnownNames.TrackerExtensions;
    }

    static string? KeyOf(IOperation key) => key.ConstantValue is { HasValue: true, Value: string text } ? text : null;

    static string NameOf(IPropertySymbol property) =>
        property.GetAttributes().FirstOrDefault(attribute => attribute.AttributeClass?.Name == "JsonPropertyNameAttribute")?.Argument() as string
            ?? property.Name;

    static Takes TakesOf(ITypeSymbol type)
    {
        var bare = type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable ? nullable.TypeArguments[0] : type;
        return bare.SpecialType switch
        {
            SpecialType.System_Int64 or SpecialType.System_Double or SpecialType.System_Decimal => Takes.Long,
            SpecialType.System_Object => Takes.Anything,
            _ => Takes.Other,
        };
    }

    enum Takes
    {
        Other,
        Long,
        Anything,
    }
}

using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;

namespace MixpanelConnector.Generators;

/// <summary>Reports what an event lacks if a call to track it does not compile.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class TrackCallAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(Diagnostics.NotTracked);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterSyntaxNodeAction(Look, SyntaxKind.InvocationExpression);
    }

    static void Look(SyntaxNodeAnalysisContext context)
    {
        var call = (InvocationExpressionSyntax)context.Node;
        var method = call.Expression switch
        {
            MemberAccessExpressionSyntax { Name.Identifier.ValueText: var name } => name,
            MemberBindingExpressionSyntax { Name.Identifier.ValueText: var name } => name,
            _ => null,
        };
        if (method is not ("Track" or "TrackAsync")) return;
        var bound = context.SemanticModel.GetSymbolInfo(call, context.CancellationToken);
        if (bound.Symbol is not null || !bound.CandidateSymbols.Any(candidate => candidate.ContainingType?.ToDisplayString() == KnownNames.TrackerExtensions))
            return;
        foreach (var argument in call.ArgumentList.Arguments)
        {
            if (context.SemanticModel.GetTypeInfo(argument.Expression, context.CancellationToken).Type is not INamedTypeSymbol type
                || EventType.Of(type.OriginalDefinition, context.Compilation, context.CancellationToken) is not { } happened)
                continue;
            if (EventType.IsWrittenByHand(type.OriginalDefinition, context.CancellationToken)) continue;
            var why = EventType.WhyClosed(type.OriginalDefinition, context.CancellationToken)
                ?? happened.Contract.Obstacles.Select(obstacle => $"{obstacle.Symbol.Name} {obstacle.Reason}").FirstOrDefault();
            if (why is null) continue;
            context.ReportDiagnostic(Diagnostic.Create(Diagnostics.NotTracked, argument.GetLocation(), type.Locations.Where(location => location.IsInSource),
                Places.Partial(type, why), type.Name, why));
        }
    }
}

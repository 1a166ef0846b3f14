using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MixpanelConnector.Generators;

/// <summary>A type that carries <c>[MixpanelEvent]</c>, as the generator and the analyzers see it.</summary>
sealed class EventType
{
    EventType(INamedTypeSymbol symbol, AttributeData attribute, string name, ContractReader contract) =>
        (Symbol, Attribute, Name, Contract) = (symbol, attribute, name, contract);

    public INamedTypeSymbol Symbol { get; }

    public AttributeData Attribute { get; }

    /// <summary>The event's name in Mixpanel.</summary>
    public string Name { get; }

    /// <summary>How it is written.</summary>
    public ContractReader Contract { get; }

    /// <summary>The properties of the event.</summary>
    public IReadOnlyList<EventMember> Members => Contract.Types[0].Members;

    /// <summary>The event of a type; null if the type is not an event, or has no name yet.</summary>
    public static EventType? Of(INamedTypeSymbol symbol, Compilation compilation, CancellationToken cancellationToken)
    {
        if (AttributeOf(symbol) is not { } attribute || attribute.Argument() is not string name) return null;
        return new(symbol, attribute, name, ContractReader.Read(symbol, compilation, cancellationToken));
    }

    /// <summary>The attribute that makes a type an event; null if it has none.</summary>
    public static AttributeData? AttributeOf(ITypeSymbol symbol)
    {
        foreach (var attribute in symbol.GetAttributes())
            if (attribute.AttributeClass is { Name: "MixpanelEventAttribute" } type && type.ToDisplayString() == KnownNames.EventAttribute) return attribute;
        return null;
    }

    /// <summary>Whether the type itself declares the members that would be generated.</summary>
    public static bool IsWrittenByHand(INamedTypeSymbol symbol, CancellationToken cancellationToken)
    {
        foreach (var reference in symbol.DeclaringSyntaxReferences)
            if (!reference.SyntaxTree.FilePath.Contains(nameof(MixpanelEventGenerator))
                && reference.GetSyntax(cancellationToken) is TypeDeclarationSyntax { BaseList: { } bases }
                && bases.Types.Any(type => type.Type.ToString().Contains("IMixpanelEvent<")))
                return true;
        return false;
    }

    /// <summary>Why no partial declaration can be added to the type; null if it can.</summary>
    public static string? WhyClosed(INamedTypeSymbol symbol, CancellationToken cancellationToken)
    {
        if (symbol.IsStatic) return "it is static";
        if (symbol.IsRefLikeType) return "it is a ref struct";
        if (symbol.IsFileLocal) return "it is file-local; make it internal";
        if (!IsPartial(symbol, cancellationToken)) return "it is not partial";
        for (var around = symbol.ContainingType; around is not null; around = around.ContainingType)
        {
            if (around.IsFileLocal) return $"it is nested in {around.Name}, which is file-local; make that internal";
            if (!IsPartial(around, cancellationToken)) return $"it is nested in {around.Name}, which is not partial";
        }

        return null;
    }

    public static bool IsPartial(INamedTypeSymbol symbol, CancellationToken cancellationToken) =>
        symbol.DeclaringSyntaxReferences.Any(reference => reference.GetSyntax(cancellationToken) is TypeDeclarationSyntax type
            && type.Modifiers.Any(SyntaxKind.PartialKeyword));
}

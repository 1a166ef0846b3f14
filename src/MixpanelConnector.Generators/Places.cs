using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MixpanelConnector.Generators;

/// <summary>Where in the sources something is said.</summary>
static class Places
{
    /// <summary>Where a symbol is declared; null for one of another assembly.</summary>
    public static Location? Of(ISymbol symbol, Compilation compilation) => symbol.Locations.FirstOrDefault(location => location.SourceTree is { } tree && compilation.ContainsSyntaxTree(tree));

    /// <summary>Where a property gets its name: by its attribute, else by itself.</summary>
    public static Location? OfName(ISymbol property, Compilation compilation, CancellationToken cancellationToken)
    {
        var attribute = property.GetAttributes().FirstOrDefault(one => one.AttributeClass?.Name == "JsonPropertyNameAttribute");
        return (attribute is null ? null : Argument(attribute, cancellationToken)) is { } named && compilation.ContainsSyntaxTree(named.SourceTree!) ? named : Of(property, compilation);
    }

    /// <summary>Where the first argument of an attribute is.</summary>
    public static Location? Argument(AttributeData attribute, CancellationToken cancellationToken) =>
        (attribute.ApplicationSyntaxReference?.GetSyntax(cancellationToken) as AttributeSyntax)?.ArgumentList?.Arguments.FirstOrDefault()?.Expression.GetLocation();

    /// <summary>What a code fix is to know of a type that is closed for a reason.</summary>
    public static ImmutableDictionary<string, string?> Partial(INamedTypeSymbol symbol, string why) =>
        why.EndsWith("not partial", StringComparison.Ordinal) && !symbol.IsFileLocal ? ImmutableDictionary<string, string?>.Empty.Add(Diagnostics.Hints.Partial, "") : ImmutableDictionary<string, string?>.Empty;
}

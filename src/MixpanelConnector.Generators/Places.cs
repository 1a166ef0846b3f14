using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MixpanelConnector.Generators;

/// <summary>The locations of diagnostics in the sources.</summary>
static class Places
{
    /// <summary>The declaration of a symbol; null if it is in another assembly.</summary>
    public static Location? Of(ISymbol symbol, Compilation compilation) =>
        symbol.Locations.FirstOrDefault(location => location.SourceTree is { } tree && compilation.ContainsSyntaxTree(tree));

    /// <summary>Where the name of a property is set: its attribute, or its declaration.</summary>
    public static Location? OfName(ISymbol property, Compilation compilation, CancellationToken cancellationToken)
    {
        var attribute = property.GetAttributes().FirstOrDefault(one => one.AttributeClass?.Name == "JsonPropertyNameAttribute");
        return (attribute is null ? null : Argument(attribute, cancellationToken)) is { } named && compilation.ContainsSyntaxTree(named.SourceTree!)
            ? named
            : Of(property, compilation);
    }

    /// <summary>The first argument of an attribute.</summary>
    public static Location? Argument(AttributeData attribute, CancellationToken cancellationToken) =>
        (attribute.ApplicationSyntaxReference?.GetSyntax(cancellationToken) as AttributeSyntax)?
            .ArgumentList?.Arguments.FirstOrDefault()?.Expression.GetLocation();

    /// <summary>The hints for a code fix on a type to which no partial declaration can be added.</summary>
    public static ImmutableDictionary<string, string?> Partial(INamedTypeSymbol symbol, string why) =>
        why.EndsWith("not partial", StringComparison.Ordinal) && !symbol.IsFileLocal
            ? ImmutableDictionary<string, string?>.Empty.Add(Diagnostics.Hints.Partial, "")
            : ImmutableDictionary<string, string?>.Empty;
}

using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace MixpanelConnector.Generators;

/// <summary>Generates the name and the serialization of partial types with <c>[MixpanelEvent]</c>, so that they are tracked without reflection.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class MixpanelEventGenerator : IIncrementalGenerator
{
    /// <summary>The step whose output shows whether anything is regenerated.</summary>
    internal const string Step = "Events";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var files = context.SyntaxProvider.ForAttributeWithMetadataName(KnownNames.EventAttribute, static (node, _) => node is TypeDeclarationSyntax,
            static (found, cancellationToken) => FileOf(found, cancellationToken))
            .Where(static file => file.Source is not null)
            .WithTrackingName(Step);
        context.RegisterSourceOutput(files, static (output, file) => output.AddSource(file.Name, SourceText.From(file.Source!, Encoding.UTF8)));
    }

    static (string Name, string? Source) FileOf(GeneratorAttributeSyntaxContext found, CancellationToken cancellationToken)
    {
        var (symbol, compilation) = ((INamedTypeSymbol)found.TargetSymbol, found.SemanticModel.Compilation);
        if (compilation.GetTypeByMetadataName(KnownNames.EventInterface) is null || EventType.WhyClosed(symbol, cancellationToken) is not null
            || EventType.IsWrittenByHand(symbol, cancellationToken))
            return default;
        if (EventType.Of(symbol, compilation, cancellationToken) is not { Contract.Obstacles.Count: 0 } type) return default;
        if (type.Attribute.ApplicationSyntaxReference?.GetSyntax(cancellationToken).FirstAncestorOrSelf<TypeDeclarationSyntax>() != found.TargetNode)
            return default; // repeated on another part, which the compiler reports
        return (NameOf(symbol), EventEmitter.Write(type, EventSchema.Write(type, cancellationToken)));
    }

    /// <summary>
    /// The name of the generated file. Two types whose names differ only in case, or in characters that are invalid in file names, get two files.
    /// </summary>
    static string NameOf(INamedTypeSymbol symbol)
    {
        var full = symbol.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat.WithGlobalNamespaceStyle(SymbolDisplayGlobalNamespaceStyle.Omitted));
        var hash = 2166136261u;
        foreach (var letter in full) hash = unchecked((hash ^ letter) * 16777619);
        var name = new StringBuilder(full.Length);
        foreach (var letter in full) name.Append(letter is '.' or '_' || char.IsLetterOrDigit(letter) ? letter : '-');
        return $"{(name.Length > 100 ? name.ToString(name.Length - 100, 100) : name)}.{hash:x8}.g.cs";
    }
}

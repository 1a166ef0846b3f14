using System.Collections.Immutable;
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using MixpanelConnector.Generators;

namespace MixpanelConnector.CodeFixes;

/// <summary>Gives an event or a property the proposed name: in its attribute, or by adding one.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp), Shared]
public sealed class RenameFix : CodeFixProvider
{
    const string Key = "Rename";

    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } =
        ImmutableArray.Create(Diagnostics.EventName.Id, Diagnostics.ReservedProperty.Id, Diagnostics.PropertyCase.Id, Diagnostics.EventCase.Id);

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        var root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        if (root is null) return;
        foreach (var diagnostic in context.Diagnostics)
        {
            if (!diagnostic.Properties.TryGetValue(Diagnostics.Hints.Name, out var name) || name is null) continue;
            var node = root.FindNode(diagnostic.Location.SourceSpan, getInnermostNodeForTie: true);
            if (Renamed(node, name) is not var (old, changed)) continue;
            context.RegisterCodeFix(
                CodeAction.Create($"Rename it to '{name}'", _ => Task.FromResult(context.Document.WithSyntaxRoot(root.ReplaceNode(old, changed))), Key),
                diagnostic);
        }
    }

    static (SyntaxNode Old, SyntaxNode Changed)? Renamed(SyntaxNode node, string name)
    {
        var literal = SyntaxFactory.LiteralExpression(SyntaxKind.StringLiteralExpression, SyntaxFactory.Literal(name));
        if (node.AncestorsAndSelf().OfType<AttributeArgumentSyntax>().FirstOrDefault() is { } argument)
            return (argument.Expression, literal.WithTriviaFrom(argument.Expression));
        var attribute = SyntaxFactory.Attribute(SyntaxFactory.ParseName("System.Text.Json.Serialization.JsonPropertyName"),
            SyntaxFactory.AttributeArgumentList(SyntaxFactory.SingletonSeparatedList(SyntaxFactory.AttributeArgument(literal))))
            .WithAdditionalAnnotations(Microsoft.CodeAnalysis.Simplification.Simplifier.Annotation);
        var list = SyntaxFactory.AttributeList(SyntaxFactory.SingletonSeparatedList(attribute));
        foreach (var declared in node.AncestorsAndSelf())
        {
            switch (declared)
            {
                case ParameterSyntax parameter:
                    return (parameter,
                        parameter.WithAttributeLists(parameter.AttributeLists.Insert(0,
                            list.WithTarget(SyntaxFactory.AttributeTargetSpecifier(SyntaxFactory.Token(SyntaxKind.PropertyKeyword))
                                .WithTrailingTrivia(SyntaxFactory.Space))
                                .WithTrailingTrivia(SyntaxFactory.Space))));
                case MemberDeclarationSyntax and (PropertyDeclarationSyntax or FieldDeclarationSyntax):
                    var member = (MemberDeclarationSyntax)declared;
                    var indent = SyntaxFactory.TriviaList(member.GetLeadingTrivia().Reverse().TakeWhile(trivia => trivia.IsKind(SyntaxKind.WhitespaceTrivia)));
                    var bare = member.WithLeadingTrivia(indent);
                    return (member,
                        bare.WithAttributeLists(bare.AttributeLists.Insert(0, list.WithTrailingTrivia(SyntaxFactory.LineFeed)))
                            .WithLeadingTrivia(member.GetLeadingTrivia()));
            }
        }

        return null;
    }
}

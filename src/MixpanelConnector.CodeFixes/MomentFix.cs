using System.Collections.Immutable;
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using MixpanelConnector.Generators;

namespace MixpanelConnector.CodeFixes;

/// <summary>Replaces a timestamp in seconds by one in milliseconds, or by the <c>DateTimeOffset</c> itself.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp), Shared]
public sealed class MomentFix : CodeFixProvider
{
    const string InMilliseconds = "Use milliseconds", AsItIs = "Use the DateTimeOffset itself";

    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create(Diagnostics.Seconds.Id);

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        var root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        foreach (var diagnostic in context.Diagnostics)
        {
            if (root?.FindNode(diagnostic.Location.SourceSpan,
                getInnermostNodeForTie: true) is not InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax access } call)
                continue;
            var milliseconds = SyntaxFactory.IdentifierName("ToUnixTimeMilliseconds").WithTriviaFrom(access.Name);
            if (diagnostic.Properties.ContainsKey(Diagnostics.Hints.Milliseconds)) Offer(InMilliseconds, call.ReplaceNode(access.Name, milliseconds));
            if (diagnostic.Properties.ContainsKey(Diagnostics.Hints.Moment)) Offer(AsItIs, access.Expression);

            void Offer(string title, SyntaxNode changed)
            {
                SyntaxNode old = call;
                while (old.Parent is CastExpressionSyntax or ParenthesizedExpressionSyntax) old = old.Parent; // a cast for seconds fits neither
                context.RegisterCodeFix(
                    CodeAction.Create(title, _ => Task.FromResult(context.Document.WithSyntaxRoot(root.ReplaceNode(old, changed.WithTriviaFrom(old)))), title),
                    diagnostic);
            }
        }
    }
}

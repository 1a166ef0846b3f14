using System.Text;
using System.Xml;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MixpanelConnector.Generators;

/// <summary>A documentation comment read from the source, even if the compiler does not generate documentation.</summary>
sealed class DocComment
{
    static readonly DocComment None = new(null);

    readonly XElement? _root;

    DocComment(XElement? root) => _root = root;

    public string? Summary => TextOf(_root?.Element("summary"));

    public string? Parameter(string name) => TextOf(_root?.Elements("param").FirstOrDefault(param => (string?)param.Attribute("name") == name));

    public static DocComment Of(ISymbol symbol, CancellationToken cancellationToken)
    {
        foreach (var reference in symbol.DeclaringSyntaxReferences)
        {
            var node = reference.GetSyntax(cancellationToken);
            if (node is not MemberDeclarationSyntax) continue;
            var text = new StringBuilder();
            foreach (var trivia in node.GetLeadingTrivia())
            {
                if (!trivia.IsKind(SyntaxKind.SingleLineCommentTrivia) && !trivia.IsKind(SyntaxKind.SingleLineDocumentationCommentTrivia)) continue;
                foreach (var line in trivia.ToFullString().Split('\n'))
                    if (line.TrimStart() is var comment && comment.StartsWith("///", StringComparison.Ordinal)
                        && !comment.StartsWith("////", StringComparison.Ordinal))
                        text.Append(comment, 3, comment.Length - 3).Append('\n');
            }

            if (text.Length > 0 && Parse(text.ToString()) is { } root) return new(root);
        }

        return None;
    }

    static XElement? Parse(string text)
    {
        try
        {
            using var reader =
                XmlReader.Create(new StringReader($"<doc>{text}</doc>"), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            return XElement.Load(reader, LoadOptions.PreserveWhitespace);
        }
        catch (XmlException)
        {
            return null; // the compiler warns about it
        }
    }

    /// <summary>The text, its lines joined. A <c>see</c> element becomes the name it refers to.</summary>
    static string? TextOf(XElement? element)
    {
        if (element is null) return null;
        var text = new StringBuilder();
        foreach (var node in element.DescendantNodes())
        {
            if (node is XText { Value: var value }) text.Append(value);
            else if (node is XElement { Name.LocalName: "see" or "paramref" or "typeparamref", IsEmpty: true } named)
                text.Append((string?)named.Attribute("langword") ?? (string?)named.Attribute("name")
                    ?? ((string?)named.Attribute("cref") ?? "").Split('.').Last());
        }

        var words = string.Join(" ", text.ToString().Split([' ', '\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries));
        return words.Length == 0 ? null : words;
    }
}

using System.Reflection;
using System.Text;
using System.Xml.Linq;

namespace MixpanelConnector.Tool.Surfaces.Docs;

/// <summary>The library's documentation comments: the one text for help, schemas and pages.</summary>
static class XmlDocs
{
    static readonly Lazy<Dictionary<string, XElement>> Members = new(() =>
    {
        using var stream = typeof(XmlDocs).Assembly.GetManifestResourceStream("MixpanelConnector.xml")
            ?? throw new InvalidOperationException("The documentation of the library is not embedded.");
        return XDocument.Load(stream).Descendants("member").ToDictionary(m => m.Attribute("name")!.Value, StringComparer.Ordinal);
    });

    public static string? Summary(ActionDescriptor action) => Text(Method(action), "summary");

    /// <summary>What there is to say beside the summary: in the comment, and by the declaration.</summary>
    public static string Remarks(ActionDescriptor action) => $"{Text(Method(action), "remarks")} {ActionFacts.Of(action)}".TrimStart();

    /// <summary>An input that fits, as JSON.</summary>
    public static string? Example(ActionDescriptor action) => Text(Method(action), "example");

    public static string? Summary(PropertyInfo property)
    {
        var owner = property.DeclaringType!;
        return Text($"P:{(owner.IsGenericType ? owner.GetGenericTypeDefinition() : owner).FullName!.Replace('+', '.')}.{property.Name}", "summary");
    }

    static string Method(ActionDescriptor action) => $"M:{typeof(MixpanelClient).FullName}.{action.MethodName}({action.InputType.FullName},{typeof(CancellationToken).FullName})";

    static string? Text(string member, string element) =>
        Members.Value.TryGetValue(member, out var docs) && docs.Element(element) is { } text ? Flatten(text) : null;

    static string Flatten(XElement element)
    {
        var text = new StringBuilder();
        foreach (var node in element.Nodes())
        {
            text.Append(node switch
            {
                XText plain => plain.Value,
                XElement { Name.LocalName: "see" } see => (see.Attribute("cref")?.Value ?? see.Attribute("href")?.Value ?? "").Split('.', ':')[^1],
                XElement other => other.Value,
                _ => "",
            });
        }

        return string.Join(' ', text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }
}

using System.Reflection;
using System.Text;
using System.Xml.Linq;

namespace MixpanelConnector.Tool.Surfaces.Docs;

/// <summary>The library's documentation comments: the one text for help, schemas and pages.</summary>
static class XmlDocs
{
    /// <summary>The file as it is. Only the members that are asked for are parsed: most commands ask for a few of thousands, or for none.</summary>
    static readonly Lazy<byte[]> File = new(() =>
    {
        using var stream = typeof(XmlDocs).Assembly.GetManifestResourceStream("MixpanelConnector.xml")
            ?? throw new InvalidOperationException("The documentation of the library is not embedded.");
        var xml = new byte[stream.Length];
        stream.ReadExactly(xml);
        return xml;
    });

    public static string? Summary(ActionDescriptor action) => Text(Method(action), "summary");

    /// <summary>What the comment says beside the summary; null for nothing.</summary>
    public static string? Notes(ActionDescriptor action) => Text(Method(action), "remarks");

    /// <summary>What there is to say beside the summary: in the comment, and by the declaration.</summary>
    public static string Remarks(ActionDescriptor action) => $"{Notes(action)} {ActionFacts.Of(action)}".TrimStart();

    /// <summary>An input that fits, as JSON.</summary>
    public static string? Example(ActionDescriptor action) => Text(Method(action), "example");

    public static string? Summary(PropertyInfo property) => Text($"P:{property.DeclaringType!.FullName!.Replace('+', '.')}.{property.Name}", "summary");

    static string Method(ActionDescriptor action) => $"M:{typeof(MixpanelClient).FullName}.{action.MethodName}({action.InputType.FullName},{typeof(CancellationToken).FullName})";

    static string? Text(string member, string element) => Element(member)?.Element(element) is { } text ? Flatten(text) : null;

    static XElement? Element(string member)
    {
        var xml = File.Value.AsSpan();
        var start = xml.IndexOf(Encoding.UTF8.GetBytes($"<member name=\"{member}\">"));
        if (start < 0) return null;
        var end = "</member>"u8;
        return XElement.Parse(Encoding.UTF8.GetString(xml.Slice(start, xml[start..].IndexOf(end) + end.Length)));
    }

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

using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector.Tool.Surfaces.Docs;

/// <summary>The library's documentation comments: the single source of text for help, schemas and pages.</summary>
static class XmlDocs
{
    /// <summary>The raw file. Only the requested members are parsed: most commands need a few of thousands, or none.</summary>
    static readonly Lazy<byte[]> File = new(() =>
    {
        using var stream = typeof(XmlDocs).Assembly.GetManifestResourceStream("MixpanelConnector.xml")
            ?? throw new InvalidOperationException("The documentation of the library is not embedded.");
        var xml = new byte[stream.Length];
        stream.ReadExactly(xml);
        return xml;
    });

    public static string? Summary(ActionDescriptor action) => Text(Method(action), "summary");

    /// <summary>The remarks of the comment; null if there are none.</summary>
    public static string? Notes(ActionDescriptor action) => Text(Method(action), "remarks");

    /// <summary>All that is known beyond the summary: from the comment, and from the declaration.</summary>
    public static string Remarks(ActionDescriptor action) => $"{Notes(action)} {ActionFacts.Of(action)}".TrimStart();

    /// <summary>A valid input, as JSON.</summary>
    public static string? Example(ActionDescriptor action) => Text(Method(action), "example");

    /// <summary>Adds a property's description to its schema.</summary>
    public static void Describe(PropertyInfo property, JsonObject schema)
    {
        if (Summary(property) is { } summary) schema.Insert(0, "description", summary);
    }

    /// <summary>The description of a field of an action's input.</summary>
    public static string? Summary(ActionDescriptor action, string field) => Summary(
        action.InputType.GetProperty(string.Concat(field.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..])))
        ?? action.InputType.GetProperties().First(property => property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name == field));

    public static string? Summary(PropertyInfo property)
    {
        var owner = property.DeclaringType!;
        return Text($"P:{(owner.IsGenericType ? owner.GetGenericTypeDefinition() : owner).FullName!.Replace('+', '.')}.{property.Name}", "summary");
    }

    static string Method(ActionDescriptor action) =>
        $"M:{typeof(MixpanelClient).FullName}.{action.MethodName}({action.InputType.FullName},{typeof(CancellationToken).FullName})";

    static string? Text(string member, string element)
    {
        if (Between(File.Value, Encoding.UTF8.GetBytes($"<member name=\"{member}\">"), "</member>"u8, out var docs)
            && Between(docs, Encoding.UTF8.GetBytes($"<{element}>"), Encoding.UTF8.GetBytes($"</{element}>"), out var text))
            return Flatten(Encoding.UTF8.GetString(text));
        return null;
    }

    static bool Between(ReadOnlySpan<byte> xml, ReadOnlySpan<byte> start, ReadOnlySpan<byte> end, out ReadOnlySpan<byte> content)
    {
        content = default;
        var begin = xml.IndexOf(start);
        if (begin < 0) return false;
        var rest = xml[(begin + start.Length)..];
        content = rest[..rest.IndexOf(end)];
        return true;
    }

    /// <summary>
    /// The text without its XML elements: a reference becomes the last part of its name, other elements their contents. The compiler writes nothing else, and
    /// loading an XML parser takes longer than everything else a command does.
    /// </summary>
    static string Flatten(ReadOnlySpan<char> xml)
    {
        var text = new StringBuilder();
        while (xml.IndexOf('<') is >= 0 and var tag)
        {
            text.Append(xml[..tag]);
            xml = xml[(tag + 1)..];
            var element = xml[..xml.IndexOf('>')];
            xml = xml[(element.Length + 1)..];
            if (!element.StartsWith("see ")) continue;
            text.Append(element.ToString().Split('"')[1].Split('.', ':')[^1]);
            const string End = "</see>";
            if (element[^1] != '/') xml = xml[(xml.IndexOf(End) + End.Length)..];
        }

        text.Append(xml).Replace("&lt;", "<").Replace("&gt;", ">").Replace("&quot;", "\"").Replace("&apos;", "'").Replace("&amp;", "&");
        return string.Join(' ', text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }
}

using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis;

namespace MixpanelConnector.Generators;

/// <summary>The Lexicon schema of an event, as JSON: an entry for the upload of schemas.</summary>
static class EventSchema
{
    public static string Write(EventType type, CancellationToken cancellationToken)
    {
        var docs = DocComment.Of(type.Symbol, cancellationToken);
        var json = new StringBuilder("{\"entityType\":\"event\",\"name\":");
        Text(json, type.Name);
        json.Append(",\"schemaJson\":{");
        if (docs.Summary is { } summary)
        {
            json.Append("\"description\":");
            Text(json, summary);
            json.Append(',');
        }

        json.Append("\"properties\":{");
        var isFirst = true;
        foreach (var member in type.Members)
        {
            if (member.Shape is not { } shape) continue;
            Comma(json, ref isFirst);
            Text(json, member.Name);
            json.Append(":{\"type\":");
            if (shape.Types.Length == 1) Text(json, shape.Types[0]);
            else json.Append("[\"").Append(string.Join("\",\"", shape.Types)).Append("\"]");
            if ((DocComment.Of(member.Symbol, cancellationToken).Summary ?? docs.Parameter(member.Symbol.Name)) is { } description)
            {
                json.Append(",\"description\":");
                Text(json, description);
            }

            json.Append('}');
        }

        json.Append('}');
        isFirst = true;
        foreach (var member in type.Members.Where(member => !member.MayBeAbsent))
        {
            json.Append(isFirst ? ",\"required\":[" : "");
            Comma(json, ref isFirst);
            Text(json, member.Name);
        }

        return json.Append(isFirst ? "}}" : "]}}").ToString();
    }

    static void Comma(StringBuilder json, ref bool isFirst)
    {
        if (!isFirst) json.Append(',');
        isFirst = false;
    }

    static void Text(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (var letter in text)
        {
            if (letter is '"' or '\\') json.Append('\\').Append(letter);
            else if (letter < ' ' || char.IsSurrogate(letter) || letter is '\u2028' or '\u2029')
                json.Append("\\u").Append(((int)letter).ToString("x4", CultureInfo.InvariantCulture));
            else json.Append(letter);
        }

        json.Append('"');
    }
}

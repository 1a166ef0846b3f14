using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Import.Map;

/// <summary>Reads a mapping's text as JSON, and rejects what would be misinterpreted: duplicate members, unpaired surrogates, and excessive nesting.</summary>
static class MappingText
{
    /// <summary>The maximum depth of a mapping: dead letters contain it, and must stay within the usual depth limit of JSON parsers.</summary>
    public const int Deepest = 60;

    static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="MixpanelException">It is not JSON, or is rejected.</exception>
    public static JsonElement Read(string text)
    {
        byte[] json;
        try
        {
            json = Strict.GetBytes(text);
        }
        catch (EncoderFallbackException e)
        {
            throw MappingParser.Wrong("the file", string.Create(CultureInfo.InvariantCulture, $"has half of a surrogate pair, character {e.Index + 1} of it"));
        }

        return Read(json);
    }

    /// <inheritdoc cref="Read(string)"/>
    public static JsonElement Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            Check(json.Span);
            using var document = JsonDocument.Parse(json, new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = Deepest });
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw MixpanelException.Invalid("mapping",
                string.Create(CultureInfo.InvariantCulture,
                    $"The mapping is not valid JSON: error on line {e.LineNumber + 1}, at byte {e.BytePositionInLine + 1}."));
        }
    }

    static void Check(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 1000 });
        var open = new List<Level>();
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    var name = TextOf(ref reader, open, "has a name with half of a surrogate pair");
                    if (!open[^1].Names!.Add(name))
                        throw MappingParser.Wrong(PlaceOf(open, open.Count - 1), $"has the member {Columns.RecordFields.Shown(name)} twice");
                    open[^1] = open[^1] with { Name = name };
                    continue;
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    if (open.Count == Deepest)
                        throw MappingParser.Wrong(PlaceOf(open, 8) + "…",
                            string.Create(CultureInfo.InvariantCulture, $"is nested deeper than {Deepest} levels"));
                    open.Add(new Level(reader.TokenType is JsonTokenType.StartObject ? new(StringComparer.Ordinal) : null, null, 0));
                    continue;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    open.RemoveAt(open.Count - 1);
                    break;
                case JsonTokenType.String:
                    TextOf(ref reader, open, "has half of a surrogate pair");
                    break;
            }

            if (open is [.., { Names: null } list]) open[^1] = list with { Index = list.Index + 1 };
        }
    }

    static string TextOf(ref Utf8JsonReader reader, List<Level> open, string fault)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw MappingParser.Wrong(PlaceOf(open, open.Count - (reader.TokenType is JsonTokenType.PropertyName ? 1 : 0)), fault);
        }
    }

    /// <summary>The path at a depth, as in <c>events.leave_out[0].when</c>.</summary>
    static string PlaceOf(List<Level> open, int depth)
    {
        var place = new StringBuilder();
        foreach (var level in open.Take(depth))
        {
            if (level.Names is null) place.Append(CultureInfo.InvariantCulture, $"[{level.Index}]");
            else if (level.Name is { } name) place.Append(place.Length == 0 ? "" : ".").Append(Columns.RecordFields.Shown(name));
        }

        return place.Length == 0 ? "the file" : place.ToString();
    }

    /// <summary>An open object or list.</summary>
    /// <param name="Names">For an object, its members so far; null for a list.</param>
    /// <param name="Name">The last one.</param>
    /// <param name="Index">For a list, the index of the current element.</param>
    readonly record struct Level(HashSet<string>? Names, string? Name, int Index);
}

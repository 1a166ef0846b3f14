using System.Text.Json;

namespace MixpanelConnector.Import.Undelivered;

/// <summary>Recognizes JSON objects that every parser interprets alike.</summary>
static class PlainObject
{
    /// <summary>The object is nested in others, and some parsers stop at depth 64.</summary>
    static readonly JsonReaderOptions Options = new() { MaxDepth = 60 };

    /// <summary>Whether the text is one such object: without duplicate names, unpaired surrogates, or numbers beyond the range of a double.</summary>
    /// <param name="text">The text, in valid UTF-8.</param>
    public static bool Is(ReadOnlySpan<byte> text)
    {
        var names = new Stack<HashSet<string>>();
        var reader = new Utf8JsonReader(text, Options);
        try
        {
            reader.Read();
            if (reader.TokenType is not JsonTokenType.StartObject) return false;
            do
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject:
                        names.Push(new(StringComparer.Ordinal));
                        break;
                    case JsonTokenType.EndObject:
                        names.Pop();
                        break;
                    case JsonTokenType.PropertyName when !names.Peek().Add(reader.GetString()!):
                        return false;
                    case JsonTokenType.String when reader.ValueIsEscaped:
                        reader.GetString(); // throws on an unpaired surrogate
                        break;
                    case JsonTokenType.Number when !reader.TryGetDouble(out var number) || !double.IsFinite(number):
                        return false;
                }
            }
            while (reader.Read());
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}

using System.Text.Json;

namespace MixpanelConnector.Import.Undelivered;

/// <summary>Tells JSON objects that every reader takes for the same thing.</summary>
static class PlainObject
{
    /// <summary>What holds it goes deeper, and readers give up at 64.</summary>
    static readonly JsonReaderOptions Options = new() { MaxDepth = 60 };

    /// <summary>Whether a text is one such object: without a name that stands twice, half of a surrogate pair, or a number beyond a double's range.</summary>
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
                        reader.GetString(); // throws over half a pair
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

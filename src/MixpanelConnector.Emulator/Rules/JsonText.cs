using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>
/// Validates and reads JSON names and strings at the reader's position. The reader itself silently accepts invalid UTF-8 and unpaired surrogates.
/// </summary>
static class JsonText
{
    /// <param name="reader">Positioned on a name or a string.</param>
    /// <param name="bodyIsUtf8">Whether the whole input was already validated as UTF-8.</param>
    public static bool IsValid(ref Utf8JsonReader reader, bool bodyIsUtf8)
    {
        if (!bodyIsUtf8 && !Utf8.IsValid(reader.ValueSpan)) return false;
        return !reader.ValueIsEscaped || Unescape(ref reader) is not null;
    }

    /// <summary>Whether all names and strings in valid JSON are valid.</summary>
    public static bool AreAllValid(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json)) return false;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = EventLimits.JsonDepth });
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && !IsValid(ref reader, bodyIsUtf8: true)) return false;
        }
        return true;
    }

    /// <summary>The valid string at the reader's position, unescaped.</summary>
    public static ReadOnlySpan<byte> Of(ref Utf8JsonReader reader) => reader.ValueIsEscaped ? Unescape(ref reader) : reader.ValueSpan;

    public static bool IsTooLong(ref Utf8JsonReader reader) =>
        reader.ValueSpan.Length > EventLimits.Characters && Cut(ref reader).Shortened;

    /// <summary>The valid string at the reader's position, unescaped, truncated to the length that Mixpanel stores.</summary>
    public static (byte[] Utf8, bool Shortened) Cut(ref Utf8JsonReader reader)
    {
        var text = reader.ValueIsEscaped ? Unescape(ref reader)! : reader.ValueSpan.ToArray();
        var characters = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var startsCharacter = (text[i] & 0b1100_0000) != 0b1000_0000;
            if (startsCharacter && ++characters > EventLimits.Characters) return (text[..i], true);
        }
        return (text, false);
    }

    /// <summary>The text, truncated to the length that Mixpanel stores.</summary>
    public static string Cut(string text)
    {
        if (text.Length <= EventLimits.Characters) return text;
        var characters = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsLowSurrogate(text[i]) && ++characters > EventLimits.Characters) return text[..i];
        }
        return text;
    }

    static byte[]? Unescape(ref Utf8JsonReader reader)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(reader.ValueSpan.Length);
        try
        {
            return buffer[..reader.CopyString(buffer)];
        }
        catch (InvalidOperationException) // unpaired surrogate
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Validate;

/// <summary>What a type of record asks of the keys and values at its two upper levels. Called in the order of the text.</summary>
interface IRecordRules
{
    /// <summary>The most keys of an object and elements of an array below the second level, and of objects within objects; null where Mixpanel judges alone.</summary>
    NestingLimits? Limits { get; }

    /// <summary>A key at level 1 (of the record) or 2 (of a value of the record).</summary>
    Rejection? Key(in JsonToken key, int level);

    /// <summary>The value of the last key at a level: a scalar, or the beginning of an object or array.</summary>
    Rejection? Value(in JsonToken value, int level);
}

/// <param name="Properties">The most keys at the second level.</param>
/// <param name="Keys">The most keys of an object below.</param>
/// <param name="Elements">The most elements of an array.</param>
/// <param name="Depth">The most objects within one another below the second level.</param>
/// <param name="ContainerBytes">The most bytes of a list or object at the second level.</param>
sealed record NestingLimits(int Properties, int Keys, int Elements, int Depth, int ContainerBytes);

/// <summary>A key, a scalar value, or the bracket that begins an object or array.</summary>
readonly ref struct JsonToken(JsonTokenType type, ReadOnlySpan<byte> text, int at, bool isEscaped = false)
{
    public JsonTokenType Type { get; } = type;

    /// <summary>A key without its escapes; a value as it was written. Without the quotes.</summary>
    public ReadOnlySpan<byte> Text { get; } = text;

    /// <summary>Where it begins in the record: at the quote, when it has one.</summary>
    public int At { get; } = at;

    /// <summary>Whether the text holds escapes.</summary>
    public bool IsEscaped { get; } = isEscaped;

    public bool Is(ReadOnlySpan<byte> text) => IsEscaped
        ? Text.Length >= text.Length && Text.Length <= 6L * text.Length && Encoding.UTF8.GetBytes(Unescape()).AsSpan().SequenceEqual(text)
        : Text.SequenceEqual(text);

    /// <summary>The text without its escapes; <c>?</c> when it holds half a surrogate pair, which is refused elsewhere.</summary>
    public string Unescape()
    {
        var reader = new Utf8JsonReader([(byte)'"', .. Text, (byte)'"']);
        reader.Read();
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return "?";
        }
    }
}

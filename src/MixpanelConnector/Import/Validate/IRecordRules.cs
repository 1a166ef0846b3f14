using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Validate;

/// <summary>The rules of a record type for keys and values at its two upper levels. Called in the order of the text.</summary>
interface IRecordRules
{
    /// <summary>The limits for object keys and array elements below the second level, and for nested objects; null when only Mixpanel checks them.</summary>
    NestingLimits? Limits { get; }

    /// <summary>Checks a key at level 1 (of the record) or 2 (of a value of the record).</summary>
    Rejection? Key(in JsonToken key, int level);

    /// <summary>Checks the value of the last key at a level: a scalar, or the beginning of an object or array.</summary>
    Rejection? Value(in JsonToken value, int level);
}

/// <param name="Properties">The maximum number of keys at the second level.</param>
/// <param name="Keys">The maximum number of keys of an object below.</param>
/// <param name="Elements">The maximum number of elements of an array.</param>
/// <param name="Depth">The maximum number of nested objects below the second level.</param>
/// <param name="ContainerBytes">The maximum size of a list or object at the second level, in bytes.</param>
sealed record NestingLimits(int Properties, int Keys, int Elements, int Depth, int ContainerBytes);

/// <summary>A key, a scalar value, or the bracket that begins an object or array.</summary>
readonly ref struct JsonToken(JsonTokenType type, ReadOnlySpan<byte> text, int at, bool isEscaped = false)
{
    public JsonTokenType Type { get; } = type;

    /// <summary>A key unescaped; a value as written. Without quotes.</summary>
    public ReadOnlySpan<byte> Text { get; } = text;

    /// <summary>Its position in the record: that of the quote, if it has one.</summary>
    public int At { get; } = at;

    /// <summary>Whether the text contains escapes.</summary>
    public bool IsEscaped { get; } = isEscaped;

    public bool Is(ReadOnlySpan<byte> text) => IsEscaped
        ? Text.Length >= text.Length && Text.Length <= 6L * text.Length && Encoding.UTF8.GetBytes(Unescape()).AsSpan().SequenceEqual(text)
        : Text.SequenceEqual(text);

    /// <summary>The text unescaped; <c>?</c> when it contains an unpaired surrogate, which is rejected elsewhere.</summary>
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

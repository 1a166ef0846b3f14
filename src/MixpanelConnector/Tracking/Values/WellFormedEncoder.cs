using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Tracking.Values;

/// <summary>
/// Escapes text like <see cref="JavaScriptEncoder.UnsafeRelaxedJsonEscaping"/>, but refuses text that is not valid UTF-16. The writer would replace each half
/// of a surrogate pair by U+FFFD, so that two ids could become one.
/// </summary>
sealed class WellFormedEncoder : JavaScriptEncoder
{
    static readonly JavaScriptEncoder Escaping = UnsafeRelaxedJsonEscaping;

    /// <summary>The options of every writer of tracked records.</summary>
    public static readonly JsonWriterOptions WriterOptions = JsonDefaults.WriterOptions with { Encoder = new WellFormedEncoder() };

    public override int MaxOutputCharactersPerInputCharacter => Escaping.MaxOutputCharactersPerInputCharacter;

    /// <exception cref="UnwritableValueException">The text is not valid UTF-16.</exception>
    public override unsafe int FindFirstCharacterToEncode(char* text, int textLength)
    {
        var first = Escaping.FindFirstCharacterToEncode(text, textLength);
        if (first >= 0) EnsureWellFormed(new ReadOnlySpan<char>(text, textLength)[first..]); // what precedes it needs no encoding
        return first;
    }

    public override int FindFirstCharacterToEncodeUtf8(ReadOnlySpan<byte> utf8Text) => Escaping.FindFirstCharacterToEncodeUtf8(utf8Text);

    public override bool WillEncode(int unicodeScalar) => Escaping.WillEncode(unicodeScalar);

    public override unsafe bool TryEncodeUnicodeScalar(int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten) =>
        Escaping.TryEncodeUnicodeScalar(unicodeScalar, buffer, bufferLength, out numberOfCharactersWritten);

    public override OperationStatus Encode(ReadOnlySpan<char> source, Span<char> destination, out int charsConsumed, out int charsWritten,
        bool isFinalBlock = true) =>
        Escaping.Encode(source, destination, out charsConsumed, out charsWritten, isFinalBlock);

    public override OperationStatus EncodeUtf8(ReadOnlySpan<byte> utf8Source, Span<byte> utf8Destination, out int bytesConsumed, out int bytesWritten,
        bool isFinalBlock = true) =>
        Escaping.EncodeUtf8(utf8Source, utf8Destination, out bytesConsumed, out bytesWritten, isFinalBlock);

    static void EnsureWellFormed(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out _, out var length) is not OperationStatus.Done)
                throw new UnwritableValueException("", "it contains half of a surrogate pair, which is not valid Unicode");
            text = text[length..];
        }
    }
}

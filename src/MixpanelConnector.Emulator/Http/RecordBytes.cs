using System.Buffers;
using System.Buffers.Text;

namespace MixpanelConnector.Emulator.Http;

/// <summary>The JSON in a field <c>data</c>, which is sent as it is or as base64.</summary>
static class RecordBytes
{
    static readonly SearchValues<byte> Blanks = SearchValues.Create(" \t\r\n"u8);

    /// <summary>Unparsed JSON; null if the field contains neither JSON nor base64.</summary>
    public static ReadOnlyMemory<byte>? Decode(ReadOnlySpan<byte> escaped)
    {
        var bytes = FormBytes.Unescape(escaped, plus: (byte)' ');
        var start = bytes.AsSpan().IndexOfAnyExcept(Blanks);
        if (start < 0) return null;
        if (bytes[start] is not ((byte)'[' or (byte)'{'))
        {
            // An unescaped '+' is one of base64's characters.
            bytes = FormBytes.Unescape(escaped, plus: (byte)'+');
            if (!TryFromBase64(ref bytes)) return null;
        }
        return bytes.AsMemory(0, JoinSurrogates(bytes));
    }

    /// <summary>Decodes either alphabet of base64, with or without padding, whatever white space it contains.</summary>
    static bool TryFromBase64(ref byte[] bytes)
    {
        var base64 = new byte[bytes.Length + 3];
        var length = 0;
        foreach (var character in bytes.AsSpan().TrimEnd("= \t\r\n"u8))
        {
            if (!Blanks.Contains(character)) base64[length++] = character switch { (byte)'-' => (byte)'+', (byte)'_' => (byte)'/', _ => character };
        }
        while (length % 4 != 0)
            base64[length++] = (byte)'=';
        bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(length)];
        if (Base64.DecodeFromUtf8(base64.AsSpan(0, length), bytes, out _, out var written) != OperationStatus.Done) return false;
        Array.Resize(ref bytes, written);
        return true;
    }

    /// <summary>
    /// Encodes surrogate pairs as UTF-8, in place: mixpanel-browser encodes each half as if it were a character (CESU-8) before it encodes the text as base64.
    /// </summary>
    /// <returns>The new length.</returns>
    static int JoinSurrogates(Span<byte> text)
    {
        var length = 0;
        for (var at = 0; at < text.Length; length++)
        {
            if (text[at..] is [0xED, >= 0xA0 and <= 0xAF
                and var high, >= 0x80 and <= 0xBF and var highEnd, 0xED, >= 0xB0 and <= 0xBF and var low, >= 0x80 and <= 0xBF and var lowEnd, ..])
            {
                var rune = 0x10000 + ((high & 0x0F) << 16) + ((highEnd & 0x3F) << 10) + ((low & 0x0F) << 6) + (lowEnd & 0x3F);
                length += new System.Text.Rune(rune).EncodeToUtf8(text[length..]) - 1;
                at += 6;
            }
            else
            {
                text[length] = text[at++];
            }
        }
        return length;
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace MixpanelConnector.Import.Source;

/// <summary>Converts text in another encoding to UTF-8, block by block. Invalid bytes are reported, not replaced.</summary>
abstract class Transcoder
{
    /// <summary>Enough space for any character.</summary>
    public const int LongestCharacter = 64;

    /// <summary>Converts as much as there is space for.</summary>
    /// <param name="text">The text, from where the last call stopped.</param>
    /// <param name="utf8">Receives the UTF-8; at least <see cref="LongestCharacter"/> bytes.</param>
    /// <param name="ended">Whether this is the end of the text.</param>
    /// <param name="used">The number of bytes converted.</param>
    /// <param name="written">The number of bytes written.</param>
    /// <returns><see cref="OperationStatus.InvalidData"/> when the next bytes are not a character; <see cref="OperationStatus.NeedMoreData"/> when they may
    /// become one.</returns>
    public abstract OperationStatus Convert(ReadOnlySpan<byte> text, Span<byte> utf8, bool ended, out int used, out int written);
}

/// <summary>UTF-16, in which surrogates must be paired.</summary>
sealed class Utf16Transcoder(bool isBigEndian) : Transcoder
{
    readonly char[] _characters = new char[8 << 10];

    public override OperationStatus Convert(ReadOnlySpan<byte> text, Span<byte> utf8, bool ended, out int used, out int written)
    {
        (used, written) = (0, 0);
        var status = OperationStatus.Done;
        while (status is OperationStatus.Done && text.Length - used > 1)
        {
            var part = text[used..Math.Min(text.Length & ~1, used + (2 * _characters.Length))];
            var isLast = used + part.Length == (text.Length & ~1);
            part.CopyTo(MemoryMarshal.AsBytes(_characters.AsSpan()));
            var codes = MemoryMarshal.Cast<char, ushort>(_characters.AsSpan(0, part.Length / 2));
            if (isBigEndian == BitConverter.IsLittleEndian) BinaryPrimitives.ReverseEndianness(codes, codes);
            status = Utf8.FromUtf16(_characters.AsSpan(0, codes.Length), utf8[written..], out var read, out var length, replaceInvalidSequences: false,
                isFinalBlock: isLast && ended);
            used += 2 * read;
            written += length;
            if (status is OperationStatus.NeedMoreData && !isLast && read > 0) status = OperationStatus.Done; // the pair is split between blocks
        }

        if (status is not OperationStatus.Done || used == text.Length) return status;
        return ended ? OperationStatus.InvalidData : OperationStatus.NeedMoreData;
    }
}

/// <summary>An encoding with one byte per character.</summary>
/// <param name="characters">The character of each byte; U+FFFF for none.</param>
sealed class SingleByteTranscoder(char[] characters) : Transcoder
{
    public override OperationStatus Convert(ReadOnlySpan<byte> text, Span<byte> utf8, bool ended, out int used, out int written)
    {
        (used, written) = (0, 0);
        while (true)
        {
            var ascii = text[used..Math.Min(text.Length, used + utf8.Length - written)];
            if (ascii.IndexOfAnyExceptInRange((byte)0, (byte)0x7f) is var other and >= 0) ascii = ascii[..other];
            ascii.CopyTo(utf8[written..]);
            used += ascii.Length;
            written += ascii.Length;
            if (used == text.Length) return OperationStatus.Done;
            while (used < text.Length && text[used] >= 0x80)
            {
                if (utf8.Length - written < 3) return OperationStatus.DestinationTooSmall;
                var character = characters[text[used]];
                if (character == '\uffff') return OperationStatus.InvalidData;
                used++;
                if (character < '\u0800')
                {
                    utf8[written++] = (byte)(0xc0 | (character >> 6));
                }
                else
                {
                    utf8[written++] = (byte)(0xe0 | (character >> 12));
                    utf8[written++] = (byte)(0x80 | ((character >> 6) & 0x3f));
                }

                utf8[written++] = (byte)(0x80 | (character & 0x3f));
            }

            if (written == utf8.Length && used < text.Length) return OperationStatus.DestinationTooSmall;
        }
    }
}

/// <summary>
/// An encoding with one or more bytes per character, using the runtime's decoders. Control characters beyond ASCII and private-use characters are invalid.
/// </summary>
sealed class MultiByteTranscoder : Transcoder
{
    const int ShiftJis = 932;
    const int Gb18030 = 54936;
    const char Invalid = '\uffff';
    const char LastPrivate = '\uf8ff';

    readonly char[] _characters = new char[8 << 10];
    readonly char _firstPrivate;
    readonly Place _place;
    readonly Encoding _encoding;
    readonly Decoder _decoder;

    public MultiByteTranscoder(int codePage)
    {
        // The standard includes the private-use characters of Shift_JIS and GB 18030.
        _firstPrivate = codePage switch
        {
            ShiftJis => '\ue758',
            Gb18030 => LastPrivate,
            _ => '\ue000',
        };
        _place = new Place(codePage is ShiftJis ? CodePagesEncodingProvider.Instance.GetEncoding(codePage) : null);
        _encoding = CodePagesEncodingProvider.Instance.GetEncoding(codePage, EncoderFallback.ExceptionFallback, _place)!;
        _decoder = _encoding.GetDecoder();
    }

    public override OperationStatus Convert(ReadOnlySpan<byte> text, Span<byte> utf8, bool ended, out int used, out int written)
    {
        (used, written) = (0, 0);
        while (used < text.Length || ended)
        {
            var room = Math.Min(_characters.Length, (utf8.Length - written) / 3);
            if (room < LongestCharacter / 3) return OperationStatus.DestinationTooSmall;
            _place.First = null;
            // A byte is at most one character, except for bytes that the decoder holds back from the previous call.
            var part = text[used..Math.Min(text.Length, used + room - 8)];
            var isEnd = ended && used + part.Length == text.Length;
            _decoder.Convert(part, _characters.AsSpan(0, room), flush: isEnd, out var read, out var count, out _);
            var decoded = _characters.AsSpan(0, count);
            var invalid = FirstInvalid(decoded);
            var good = invalid < 0 ? decoded : decoded[..invalid];
            if (Utf8.FromUtf16(good, utf8[written..], out _, out var length, replaceInvalidSequences: false) is not OperationStatus.Done) invalid = good.Length;
            written += length;
            used += invalid < 0 ? read : Math.Clamp(_place.First ?? LengthOf(invalid, part), 0, read);
            if (invalid >= 0) return OperationStatus.InvalidData;
            if (isEnd) return OperationStatus.Done;
        }

        return OperationStatus.Done;
    }

    /// <summary>The number of bytes of a number of characters.</summary>
    int LengthOf(int characters, ReadOnlySpan<byte> part)
    {
        var decoder = _encoding.GetDecoder();
        for (var length = 0; length < part.Length; length++)
        {
            characters -= decoder.GetChars(part.Slice(length, 1), _characters, flush: false);
            if (characters < 0) return length;
        }

        return part.Length;
    }

    int FirstInvalid(ReadOnlySpan<char> decoded)
    {
        var first = decoded.IndexOf(Invalid);
        if (first >= 0) decoded = decoded[..first];
        if (decoded.IndexOfAnyInRange('\u0080', '\u009f') is var control and >= 0) decoded = decoded[..(first = control)];
        if (decoded.IndexOfAnyInRange(_firstPrivate, LastPrivate) is var other and >= 0) first = other;
        return first;
    }

    /// <summary>Marks invalid characters, and records the position of the first.</summary>
    /// <param name="second">Decodes characters that the encoding has at a second code point; null when it has none.</param>
    sealed class Place(Encoding? second) : DecoderFallback
    {
        const string Unknown = "\u30fb";

        /// <summary>The position of the first, among the bytes of the current call.</summary>
        public int? First { get; set; }

        public override int MaxCharCount => 1;

        public override DecoderFallbackBuffer CreateFallbackBuffer() => new Buffer(this);

        char Of(byte[] unknown, int index)
        {
            if (unknown.Length > 1 && second?.GetString(unknown) is [var character] and not Unknown) return character;
            First ??= index;
            return Invalid;
        }

        sealed class Buffer(Place place) : DecoderFallbackBuffer
        {
            char? _next;

            public override int Remaining => _next is null ? 0 : 1;

            public override bool Fallback(byte[] bytesUnknown, int index)
            {
                _next = place.Of(bytesUnknown, index);
                return true;
            }

            public override char GetNextChar()
            {
                var next = _next ?? '\0';
                _next = null;
                return next;
            }

            public override bool MovePrevious() => false;

            public override void Reset() => _next = null;
        }
    }
}

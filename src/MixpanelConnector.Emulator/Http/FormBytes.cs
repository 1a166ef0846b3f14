using System.Buffers;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Fields of a form or a query string as bytes: those of a record need not be UTF-8, which a string would hide.</summary>
static class FormBytes
{
    static ReadOnlySpan<byte> Blanks => " \t\r\n"u8;

    /// <summary>The value of a field, still escaped; several values are separated by a comma. Null if there is none.</summary>
    public static byte[]? Find(ReadOnlySpan<byte> form, ReadOnlySpan<byte> name)
    {
        ArrayBufferWriter<byte>? found = null;
        foreach (var range in form.Split((byte)'&'))
        {
            var field = form[range];
            var equals = field.IndexOf((byte)'=');
            if (equals < 0 || !System.Text.Ascii.EqualsIgnoreCase(Unescape(field[..equals].TrimStart(Blanks), plus: (byte)' '), name)) continue;
            if (found is null) found = new();
            else found.Write(","u8);
            found.Write(field[(equals + 1)..]);
        }
        return found?.WrittenSpan.ToArray();
    }

    /// <summary>The bytes behind percent-escapes.</summary>
    /// <param name="escaped">The escaped text.</param>
    /// <param name="plus">What an unescaped <c>+</c> stands for.</param>
    public static byte[] Unescape(ReadOnlySpan<byte> escaped, byte plus)
    {
        var bytes = new byte[escaped.Length];
        var length = 0;
        for (var at = 0; at < escaped.Length; at++)
        {
            if (escaped[at] == '%' && at + 2 < escaped.Length
                && Convert.FromHexString(escaped.Slice(at + 1, 2), bytes.AsSpan(length), out _, out _) == OperationStatus.Done)
                at += 2;
            else
                bytes[length] = escaped[at] == '+' ? plus : escaped[at];
            length++;
        }
        return bytes[..length];
    }
}

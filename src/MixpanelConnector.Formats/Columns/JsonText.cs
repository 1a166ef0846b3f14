using System.Buffers;

namespace MixpanelConnector.Formats.Columns;

/// <summary>A record's JSON while it is built. Text goes in byte for byte, so that bytes that are no UTF-8 are found later, and not mended in silence.</summary>
sealed class JsonText
{
    static readonly SearchValues<byte> Special = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(value => (byte)value), (byte)'"', (byte)'\\']);

    byte[] _bytes = new byte[4096];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    /// <summary>Takes back what was written after a length.</summary>
    public void CutTo(int length) => Length = length;

    public void Append(ReadOnlySpan<byte> json)
    {
        Reserve(json.Length);
        json.CopyTo(_bytes.AsSpan(Length));
        Length += json.Length;
    }

    public void AppendByte(byte json)
    {
        Reserve(1);
        _bytes[Length++] = json;
    }

    public void AppendString(ReadOnlySpan<byte> text)
    {
        AppendByte((byte)'"');
        while (text.IndexOfAny(Special) is var special and >= 0)
        {
            Append(text[..special]);
            AppendEscaped(text[special]);
            text = text[(special + 1)..];
        }

        Append(text);
        AppendByte((byte)'"');
    }

    /// <summary>A value that formats itself as JSON.</summary>
    public void AppendFormatted<T>(T value, ReadOnlySpan<char> format = default) where T : IUtf8SpanFormattable
    {
        Reserve(128);
        if (!value.TryFormat(_bytes.AsSpan(Length), out var written, format, System.Globalization.CultureInfo.InvariantCulture)) throw new InvalidOperationException("The text of a value is longer than expected.");
        Length += written;
    }

    void AppendEscaped(byte special)
    {
        switch (special)
        {
            case (byte)'"': Append("\\\""u8); break;
            case (byte)'\\': Append("\\\\"u8); break;
            case (byte)'\n': Append("\\n"u8); break;
            case (byte)'\r': Append("\\r"u8); break;
            case (byte)'\t': Append("\\t"u8); break;
            default:
                Append("\\u00"u8);
                AppendFormatted(special, "x2");
                break;
        }
    }

    void Reserve(int count)
    {
        if (Length + count > _bytes.Length) Array.Resize(ref _bytes, Math.Max(Length + count, _bytes.Length * 2));
    }
}

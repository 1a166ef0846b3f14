using System.Buffers;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Formats.Columns;

/// <summary>Builds the JSON of a record. Text is copied byte for byte, so that invalid UTF-8 is detected later, and not silently replaced.</summary>
/// <param name="words">How messages refer to settings.</param>
/// <param name="spills">Whether <see cref="Spill"/> may release what was written; otherwise it fails when the text becomes too large.</param>
sealed class JsonText(MessageWords words, bool spills = true)
{
    static readonly SearchValues<byte> Special = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(value => (byte)value), (byte)'"', (byte)'\\']);

    const int MostSpilled = 1 << 30;
    const int MostWhole = 32 << 20;

    byte[] _bytes = new byte[4096];
    int _end;
    int _spilled;
    OversizedRecord? _oversized;

    public int Length => _spilled + _end;

    /// <summary>Whether nothing was spilled.</summary>
    public bool IsWhole => _spilled == 0;

    /// <summary>The whole text, unless a part was spilled.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _end);

    public void Clear()
    {
        _oversized?.Dispose();
        (_end, _spilled, _oversized) = (0, 0, null);
    }

    /// <summary>Truncates to a length, which must not precede the last <see cref="Spill"/> but one.</summary>
    public void CutTo(int length) => _end = length - _spilled;

    /// <summary>Releases everything but the last byte once it is larger than any record that is sent.</summary>
    public void Spill()
    {
        if (_end <= (spills ? 2 * InputWindow.LargestRecord : MostWhole)) return;
        if (!spills || _spilled > MostSpilled) throw new InputException($"has a row that is far too large to be a record. Drop large columns with {words[Setting.Drop]}");
        _oversized ??= new OversizedRecord();
        _oversized.Append(_bytes.AsSpan(0, _end - 1));
        (_bytes[0], _spilled, _end) = (_bytes[_end - 1], _spilled + _end - 1, 1);
    }

    /// <summary>Returns the retained part of a record that is too large to send.</summary>
    public OversizedRecord TakeOversized()
    {
        var oversized = _oversized ?? new OversizedRecord();
        _oversized = null;
        oversized.Append(Written);
        return oversized.Complete();
    }

    public void Append(ReadOnlySpan<byte> json)
    {
        Reserve(json.Length);
        json.CopyTo(_bytes.AsSpan(_end));
        _end += json.Length;
    }

    public void AppendByte(byte json)
    {
        Reserve(1);
        _bytes[_end++] = json;
    }

    public void AppendString(ReadOnlySpan<byte> text)
    {
        AppendByte((byte)'"');
        AppendText(text);
        AppendByte((byte)'"');
    }

    /// <summary>Appends a part of a string, without quotes.</summary>
    public void AppendText(ReadOnlySpan<byte> text)
    {
        while (text.IndexOfAny(Special) is var special and >= 0)
        {
            Append(text[..special]);
            AppendEscaped(text[special]);
            text = text[(special + 1)..];
        }

        Append(text);
    }

    /// <summary>Appends a value that formats itself as JSON.</summary>
    public void AppendFormatted<T>(T value, ReadOnlySpan<char> format = default) where T : IUtf8SpanFormattable
    {
        Reserve(128);
        if (!value.TryFormat(_bytes.AsSpan(_end), out var written, format, System.Globalization.CultureInfo.InvariantCulture))
            throw new InvalidOperationException("The text of a value is longer than expected.");
        _end += written;
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
        if (_end + count > _bytes.Length) Array.Resize(ref _bytes, Math.Max(_end + count, _bytes.Length * 2));
    }
}

using System.Text;

namespace MixpanelConnector.Testing;

/// <summary>Text that several threads write while another reads it, which a <see cref="StringWriter"/> does not support, synchronized or not.</summary>
public sealed class SharedText : TextWriter
{
    readonly StringBuilder _text = new();
    readonly Lock _lock = new();

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value)
    {
        lock (_lock) _text.Append(value);
    }

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer)
    {
        lock (_lock) _text.Append(buffer);
    }

    public override void Write(string? value) => Write(value.AsSpan());

    public override void WriteLine(string? value) => Write(value + NewLine);

    public override string ToString()
    {
        lock (_lock) return _text.ToString();
    }
}

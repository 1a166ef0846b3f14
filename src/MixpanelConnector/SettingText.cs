using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace MixpanelConnector;

/// <summary>
/// A text that refers to settings, written before it is known in whose words: an interpolated string whose holes may be settings, texts of this kind, and
/// plain text. For texts that are created once; the last words that it was told in are kept.
/// </summary>
[InterpolatedStringHandler]
sealed class SettingText
{
    readonly List<Part> _parts;
    Told? _told;

    public SettingText(int literalLength, int formattedCount) => _parts = new((formattedCount * 2) + Math.Min(1, literalLength));

    public static implicit operator SettingText(string text)
    {
        var whole = new SettingText(1, 0);
        whole.AppendLiteral(text);
        return whole;
    }

    public void AppendLiteral(string text) => _parts.Add(new(text));

    public void AppendFormatted(string? text) => AppendLiteral(text ?? "");

    public void AppendFormatted(int number) => AppendLiteral(number.ToString(CultureInfo.InvariantCulture));

    public void AppendFormatted(Setting setting) => _parts.Add(new(setting.Value, setting.Owner, setting.Property));

    public void AppendFormatted(SettingText text) => _parts.AddRange(text._parts);

    /// <summary>The text in the given words.</summary>
    public string In(MessageWords words)
    {
        if (_parts is [{ IsPlain: true } whole]) return whole.In(words);
        if (_told is { } told && told.Words == words) return told.Text;
        var text = new StringBuilder();
        foreach (var part in _parts) text.Append(part.In(words));
        _told = new(words, text.ToString());
        return _told.Text;
    }

    public override string ToString() => In(MessageWords.Default);

    public override bool Equals(object? obj) => obj is SettingText other && (ReferenceEquals(this, other) || ToString() == other.ToString());

    public override int GetHashCode() => string.GetHashCode(ToString(), StringComparison.Ordinal);

    /// <summary>Plain text, or a setting with its value.</summary>
    readonly record struct Part(string? Text, string? Owner = null, string? Property = null)
    {
        public bool IsPlain => Owner is null;

        public string In(MessageWords words) => Owner is null ? Text! : words.NameOf(Owner, Property!, Text);
    }

    sealed record Told(MessageWords Words, string Text);
}

using System.Text;

namespace MixpanelConnector.Import.Values;

/// <summary>Parses times written as text, in the formats of databases and programming languages. Ambiguous text is rejected.</summary>
static class TimeText
{
    /// <summary>Longer text is not a time.</summary>
    public const int Longest = 64;

    /// <summary>Parses ISO 8601 to milliseconds since 1970, truncating the rest.</summary>
    /// <param name="text">The text.</param>
    /// <param name="time">The time; if it has no zone, as if it were UTC.</param>
    /// <param name="isLocal">Whether it has no zone.</param>
    public static bool TryRead(ReadOnlySpan<byte> text, out long time, out bool isLocal) =>
        TryReadIso(text, out time, out isLocal) || TryReadBasic(text, out time, out isLocal);

    /// <summary>Whether a text that is not a time has the form of one, with a date or a time of day that does not exist.</summary>
    public static bool IsOutsideCalendar(ReadOnlySpan<byte> text)
    {
        if (text.Length is < 10 or > Longest) return false;
        var existing = text[4] == '-' ? "2000-01-01T00:00:00"u8 : "20000101T000000"u8;
        Span<byte> changed = stackalloc byte[text.Length];
        for (var i = 0; i < text.Length; i++) changed[i] = i < existing.Length && char.IsAsciiDigit((char)text[i]) ? existing[i] : text[i];
        return TryRead(changed, out _, out _);
    }

    /// <summary>Parses a whole number without a plus sign.</summary>
    public static bool TryReadInteger(ReadOnlySpan<byte> text, out long time) =>
        System.Buffers.Text.Utf8Parser.TryParse(text, out time, out var used) && used == text.Length && text[0] != '+';

    /// <summary>Parses <c>yyyy-MM-dd</c>, alone or with <c>THH:mm</c>, <c>:ss</c>, a fraction and a zone; T may be a space.</summary>
    static bool TryReadIso(ReadOnlySpan<byte> text, out long time, out bool isLocal)
    {
        (time, isLocal) = (0, true);
        if (text.Length < 10 || text[4] != '-' || text[7] != '-') return false;
        if (!TryDigits(text[..4], out var year) || !TryDigits(text[5..7], out var month) || !TryDigits(text[8..10], out var day)) return false;
        if (year is 0 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;

        var moment = new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc);
        text = text[10..];
        if (text.IsEmpty) return Give(moment, 0, out time);
        if (text[0] is not ((byte)'T' or (byte)'t' or (byte)' ') || text.Length < 6 || text[3] != ':') return false;
        if (!TryDigits(text[1..3], out var hour) || !TryDigits(text[4..6], out var minute) || hour > 23 || minute > 59) return false;

        var (second, millisecond) = (0, 0);
        text = text[6..];
        if (text is [(byte)':', ..])
        {
            if (text.Length < 3 || !TryDigits(text[1..3], out second) || second > 59) return false;
            text = text[3..];
            if (text is [(byte)'.' or (byte)',', ..])
            {
                var digits = text[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
                if (digits < 0) digits = text.Length - 1;
                if (digits == 0) return false;
                for (var i = 0; i < 3; i++) millisecond = (millisecond * 10) + (i < digits ? text[1 + i] - '0' : 0);
                text = text[(1 + digits)..];
            }
        }

        moment = moment.AddMilliseconds((((((hour * 60) + minute) * 60) + second) * 1000L) + millisecond);
        isLocal = text.IsEmpty;
        return TryZone(text, out var minutesAhead) && Give(moment, minutesAhead, out time);
    }

    /// <summary>Parses the same without hyphens and colons, as <c>yyyyMMddTHHmmss</c>: the T distinguishes it from a number.</summary>
    static bool TryReadBasic(ReadOnlySpan<byte> text, out long time, out bool isLocal)
    {
        (time, isLocal) = (0, false);
        if (text.Length is < 15 or > Longest || text[8] is not ((byte)'T' or (byte)'t') || text[9..15].ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return false;
        return TryReadIso([.. text[..4], (byte)'-', .. text[4..6], (byte)'-', .. text[6..11], (byte)':', .. text[11..13], (byte)':', .. text[13..]], out time,
            out isLocal);
    }

    /// <summary>
    /// Parses no zone, <c>Z</c>, <c>UTC</c>, <c>GMT</c>, <c>+hh</c>, <c>+hhmm</c> or <c>+hh:mm</c>, directly or after a space. An offset may be
    /// followed by the zone's name in brackets, and a zero offset by <c>UTC</c>. Other zone names are ambiguous.
    /// </summary>
    static bool TryZone(ReadOnlySpan<byte> text, out int minutesAhead)
    {
        minutesAhead = 0;
        if (text.IsEmpty) return true;
        if (text[0] == ' ') text = text[1..];
        if (text is [.., (byte)']'] && text.IndexOf((byte)'[') is var bracket and > 0) text = text[..bracket];
        if (IsUtc(text)) return true;
        if (!TryOffset(ref text, out var ahead)) return false;
        minutesAhead = ahead!.Value;
        return text.IsEmpty || (minutesAhead == 0 && text[0] == ' ' && IsUtc(text[1..]));
    }

    /// <summary>Parses a leading Z or offset such as <c>+hh</c>, <c>+hhmm</c> or <c>+hh:mm</c>.</summary>
    public static bool TryOffset(ref ReadOnlySpan<byte> text, out int? minutesAhead)
    {
        minutesAhead = null;
        if (text is [(byte)'Z' or (byte)'z', ..])
        {
            minutesAhead = 0;
            text = text[1..];
            return true;
        }

        if (text.Length < 3 || text[0] is not ((byte)'+' or (byte)'-') || !TryDigits(text[1..3], out var hours)) return false;
        var isNegative = text[0] == '-';
        var minutes = 0;
        text = text[3..];
        if (text is [(byte)':', _, _, ..])
        {
            if (!TryDigits(text[1..3], out minutes)) return false;
            text = text[3..];
        }
        else if (text is [>= (byte)'0' and <= (byte)'9', >= (byte)'0' and <= (byte)'9', ..])
        {
            if (!TryDigits(text[..2], out minutes)) return false;
            text = text[2..];
        }

        if (hours > 23 || minutes > 59) return false;
        minutesAhead = (isNegative ? -1 : 1) * ((hours * 60) + minutes);
        return true;
    }

    public static bool IsUtc(ReadOnlySpan<byte> text) =>
        Ascii.EqualsIgnoreCase(text, "Z"u8) || Ascii.EqualsIgnoreCase(text, "UTC"u8) || Ascii.EqualsIgnoreCase(text, "GMT"u8);

    static bool Give(DateTime moment, int minutesAhead, out long time)
    {
        time = ((moment.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMillisecond) - (minutesAhead * 60_000L);
        return true;
    }

    static bool TryDigits(ReadOnlySpan<byte> text, out int number)
    {
        number = 0;
        foreach (var digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9') return false;
            number = (number * 10) + digit - '0';
        }

        return true;
    }
}

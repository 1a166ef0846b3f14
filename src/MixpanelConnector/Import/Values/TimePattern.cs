using System.Runtime.InteropServices;
using System.Text;

namespace MixpanelConnector.Import.Values;

/// <summary>
/// A time format in the syntax of <c>strftime</c>: <c>%Y %m %d %H %M %S</c> and so on, everything else literal. Parsing is
/// strict: text with more, less or anything other than the pattern is not a time. Names are English and case-insensitive.
/// </summary>
sealed class TimePattern
{
    static readonly string[] Months =
    [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ];

    static readonly string[] Days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

    readonly List<Part> _parts = [];

    TimePattern() { }

    enum Kind
    {
        Literal,
        Year,
        YearOfCentury,
        Month,
        MonthName,
        MonthAbbreviation,
        Day,
        PaddedDay,
        DayOfYear,
        DayName,
        DayAbbreviation,
        Hour,
        HourOfHalf,
        Half,
        Minute,
        Second,
        Fraction,
        Offset,
        Utc,
        SecondsSince1970,
        MillisecondsSince1970,
    }

    /// <exception cref="MixpanelException">The pattern is invalid, or does not specify a date.</exception>
    public static TimePattern Parse(string text)
    {
        var pattern = new TimePattern();
        pattern.Add(text);
        pattern.EnsureSense();
        pattern.FixDigits();
        return pattern;
    }

    void Add(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                var length = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1;
                AddLiteral(text.Substring(i, length));
                i += length - 1;
                continue;
            }

            i++;
            if (i < text.Length - 1 && text[i] == '-') i++; // no zero padding: one or two digits are accepted anyway
            var directive = i < text.Length ? text[i] : ' ';
            if (directive == '%') AddLiteral("%");
            else if (directive == 'F') Add("%Y-%m-%d");
            else if (directive == 'T') Add("%H:%M:%S");
            else if (directive == 'R') Add("%H:%M");
            else if (directive == 'D') Add("%m/%d/%y");
            else
                _parts.Add(new Part(KindOf(directive)
                    ?? throw Invalid($"does not support {(directive == ' ' ? "% alone" : "%" + directive)}. "
                        + $"There are %Y %y %m %B %b %d %e %j %A %a %H %I %p %M %S %f %z %Z %s %Q %F %T %R %D and %%")));
        }
    }

    /// <summary>Parses a whole text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="time">Milliseconds since 1970; for a time without a zone, as if it were UTC.</param>
    /// <param name="isLocal">Whether it has no zone.</param>
    /// <param name="reading">Whether it is a time; if not, why.</param>
    public bool TryRead(ReadOnlySpan<byte> text, out long time, out bool isLocal, out TimeReading reading)
    {
        var read = new Fields { Day = 1, Month = 1, HourOfHalf = 12 };
        foreach (var part in _parts)
        {
            if (!TryRead(part, ref text, ref read))
            {
                (time, isLocal, reading) = (0, false, TimeReading.NotATime);
                return false;
            }
        }

        isLocal = read is { MinutesAhead: null, Since1970: null };
        reading = Give(in read, out time);
        if (!text.IsEmpty) reading = TimeReading.NotATime;
        return reading is TimeReading.Read;
    }

    static Kind? KindOf(char directive) => directive switch
    {
        'Y' => Kind.Year,
        'y' => Kind.YearOfCentury,
        'm' => Kind.Month,
        'B' => Kind.MonthName,
        'b' or 'h' => Kind.MonthAbbreviation,
        'd' => Kind.Day,
        'e' => Kind.PaddedDay,
        'j' => Kind.DayOfYear,
        'A' => Kind.DayName,
        'a' => Kind.DayAbbreviation,
        'H' => Kind.Hour,
        'I' => Kind.HourOfHalf,
        'p' => Kind.Half,
        'M' => Kind.Minute,
        'S' => Kind.Second,
        'f' => Kind.Fraction,
        'z' => Kind.Offset,
        'Z' => Kind.Utc,
        's' => Kind.SecondsSince1970,
        'Q' => Kind.MillisecondsSince1970,
        _ => null,
    };

    void AddLiteral(string text)
    {
        foreach (var value in Encoding.UTF8.GetBytes(text)) _parts.Add(new Part(Kind.Literal) { Literal = value });
    }

    void EnsureSense()
    {
        int Count(params Kind[] kinds) => _parts.Count(part => kinds.Contains(part.Kind));
        var year = Count(Kind.Year, Kind.YearOfCentury);
        var month = Count(Kind.Month, Kind.MonthName, Kind.MonthAbbreviation);
        var day = Count(Kind.Day, Kind.PaddedDay);
        var dayOfYear = Count(Kind.DayOfYear);
        var since1970 = Count(Kind.SecondsSince1970, Kind.MillisecondsSince1970);
        var ofDay = (Hour: Count(Kind.Hour, Kind.HourOfHalf), Half: Count(Kind.Half), Minute: Count(Kind.Minute), Second: Count(Kind.Second),
            Fraction: Count(Kind.Fraction), Zone: Count(Kind.Offset, Kind.Utc));
        if (new[]
        {
            year, month, day, dayOfYear, since1970, ofDay.Hour, ofDay.Half, ofDay.Minute, ofDay.Second, ofDay.Fraction, ofDay.Zone,
            Count(Kind.DayName, Kind.DayAbbreviation),
        }.Max() > 1)
            throw Invalid("has a part twice");
        if (since1970 + year == 2 || (since1970 == 0 && (year == 0 || (dayOfYear == 0 ? month + day < 2 : month + day > 0))))
            throw Invalid("must have a date: the year with month and day, or %j; or %s or %Q for the time since 1970");
        if (Count(Kind.HourOfHalf) != ofDay.Half) throw Invalid("needs %I and %p together");
        if (since1970 == 0 && ((ofDay.Minute > ofDay.Hour) || (ofDay.Second > ofDay.Minute) || (ofDay.Fraction > ofDay.Second)))
            throw Invalid("has a part of an hour, a minute or a second, but not that itself");
        if (since1970 == 1
            && (ofDay.Hour + ofDay.Minute + ofDay.Second + ofDay.Zone + month + day + dayOfYear > 0
                || (ofDay.Fraction == 1 && Count(Kind.MillisecondsSince1970) == 1)))
            throw Invalid("allows only %f with %s, and nothing with %Q");
    }

    static MixpanelException Invalid(string reason) => MixpanelException.Invalid("time_format", $"The time format {reason}.");

    /// <summary>A number has one or two digits; exactly two if it is adjacent to another number.</summary>
    void FixDigits()
    {
        for (var i = 0; i < _parts.Count; i++)
        {
            var isClose = (i > 0 && _parts[i - 1].IsNumber) || (i + 1 < _parts.Count && _parts[i + 1].IsNumber);
            _parts[i] = _parts[i] with { IsClose = isClose };
        }
    }

    static bool TryRead(Part part, ref ReadOnlySpan<byte> text, ref Fields read)
    {
        switch (part.Kind)
        {
            case Kind.Literal:
                if (text.IsEmpty || text[0] != part.Literal) return false;
                text = text[1..];
                return true;
            case Kind.Year:
                return TryDigits(ref text, 4, 4, out read.Year);
            case Kind.YearOfCentury:
                if (!TryDigits(ref text, 2, 2, out read.Year)) return false;
                read.Year += read.Year < 69 ? 2000 : 1900;
                return true;
            case Kind.Month:
                return TryDigits(ref text, part.Least, 2, out read.Month);
            case Kind.MonthName:
                return TryName(ref text, Months, whole: true, out read.Month) && ++read.Month > 0;
            case Kind.MonthAbbreviation:
                return TryName(ref text, Months, whole: false, out read.Month) && ++read.Month > 0;
            case Kind.Day:
                return TryDigits(ref text, part.Least, 2, out read.Day);
            case Kind.PaddedDay:
                if (text is [(byte)' ', ..]) text = text[1..];
                return TryDigits(ref text, 1, 2, out read.Day);
            case Kind.DayOfYear:
                return TryDigits(ref text, part.IsClose ? 3 : 1, 3, out read.DayOfYear) && read.DayOfYear > 0;
            case Kind.DayName:
                read.HasDayName = true;
                return TryName(ref text, Days, whole: true, out read.DayName);
            case Kind.DayAbbreviation:
                read.HasDayName = true;
                return TryName(ref text, Days, whole: false, out read.DayName);
            case Kind.Hour:
                return TryDigits(ref text, part.Least, 2, out read.Hour);
            case Kind.HourOfHalf:
                return TryDigits(ref text, part.Least, 2, out read.HourOfHalf);
            case Kind.Half:
                if (text.Length < 2 || (text[1] | 0x20) != 'm' || (text[0] | 0x20) is not ('a' or 'p')) return false;
                read.Half = (text[0] | 0x20) == 'a' ? 1 : 2;
                text = text[2..];
                return true;
            case Kind.Minute:
                return TryDigits(ref text, part.Least, 2, out read.Minute);
            case Kind.Second:
                return TryDigits(ref text, part.Least, 2, out read.Second);
            case Kind.Fraction:
                return TryFraction(ref text, out read.Millisecond);
            case Kind.Offset:
                return TimeText.TryOffset(ref text, out read.MinutesAhead);
            case Kind.Utc:
                var name = text[..Math.Min(text.Length, text is [(byte)'Z' or (byte)'z', ..] ? 1 : 3)];
                if (!TimeText.IsUtc(name)) return false;
                read.MinutesAhead = 0;
                text = text[name.Length..];
                return true;
            default:
                if (!System.Buffers.Text.Utf8Parser.TryParse(text, out long since1970, out var used) || text[0] == '+') return false;
                text = text[used..];
                read.Since1970 = since1970;
                return part.Kind is Kind.MillisecondsSince1970 || TryScale(ref read, since1970);
        }
    }

    static bool TryScale(ref Fields read, long seconds)
    {
        read.Since1970 = seconds * 1000;
        return seconds is > -1_000_000_000_000 and < 1_000_000_000_000;
    }

    static TimeReading Give(in Fields read, out long time)
    {
        time = 0;
        if (read.Since1970 is { } since1970)
        {
            time = since1970 + (since1970 < 0 ? -read.Millisecond : read.Millisecond);
            return TimeReading.Read;
        }

        if (read.Hour > 23 || read.HourOfHalf is < 1 or > 12 || read.Minute > 59 || read.Second > 59) return TimeReading.NotInCalendar;
        if (read.Year is 0 || read.Month is < 1 or > 12 || read.Day < 1 || read.Day > DateTime.DaysInMonth(read.Year, read.Month))
            return TimeReading.NotInCalendar;
        var date = new DateTime(read.Year, read.Month, read.Day, 0, 0, 0, DateTimeKind.Utc);
        if (read.DayOfYear > (DateTime.IsLeapYear(read.Year) ? 366 : 365)) return TimeReading.NotInCalendar;
        if (read.DayOfYear > 0) date = date.AddDays(read.DayOfYear - 1);
        if (read.HasDayName && (int)date.DayOfWeek != read.DayName) return TimeReading.NotThatWeekday;
        var hour = read.Half == 0 ? read.Hour : (read.HourOfHalf % 12) + (read.Half == 2 ? 12 : 0);
        var minutes = (hour * 60L) + read.Minute - (read.MinutesAhead ?? 0);
        time = ((date.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMillisecond) + (((minutes * 60) + read.Second) * 1000) + read.Millisecond;
        return TimeReading.Read;
    }

    static bool TryDigits(ref ReadOnlySpan<byte> text, int least, int most, out int number)
    {
        number = 0;
        var length = 0;
        while (length < most && length < text.Length && text[length] is >= (byte)'0' and <= (byte)'9') number = (number * 10) + text[length++] - '0';
        text = text[length..];
        return length >= least;
    }

    /// <summary>Parses one to nine digits, truncated to three.</summary>
    static bool TryFraction(ref ReadOnlySpan<byte> text, out int millisecond)
    {
        var digits = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (digits < 0) digits = text.Length;
        millisecond = 0;
        if (digits is 0 or > 9) return false;
        for (var i = 0; i < 3; i++) millisecond = (millisecond * 10) + (i < digits ? text[i] - '0' : 0);
        text = text[digits..];
        return true;
    }

    static bool TryName(ref ReadOnlySpan<byte> text, string[] names, bool whole, out int index)
    {
        for (index = 0; index < names.Length; index++)
        {
            var length = whole ? names[index].Length : 3;
            if (text.Length < length || !Ascii.EqualsIgnoreCase(text[..length], names[index].AsSpan(0, length))) continue;
            text = text[length..];
            return true;
        }

        return false;
    }

    [StructLayout(LayoutKind.Auto)]
    readonly record struct Part(Kind Kind)
    {
        public byte Literal { get; init; }

        public bool IsClose { get; init; }

        public int Least => IsClose ? 2 : 1;

        public bool IsNumber =>
            Kind is Kind.Year or Kind.YearOfCentury or Kind.Month or Kind.Day or Kind.DayOfYear or Kind.Hour or Kind.HourOfHalf or Kind.Minute or Kind.Second
                or Kind.Fraction;
    }

    /// <summary>The fields parsed from a text.</summary>
    [StructLayout(LayoutKind.Auto)]
    struct Fields
    {
        public int Year;
        public int Month;
        public int Day;
        public int DayOfYear;
        public bool HasDayName;
        public int DayName;
        public int Hour;
        public int HourOfHalf;
        public int Half;
        public int Minute;
        public int Second;
        public int Millisecond;
        public int? MinutesAhead;
        public long? Since1970;
    }
}

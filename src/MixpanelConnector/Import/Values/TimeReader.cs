using System.Buffers.Text;

namespace MixpanelConnector.Import.Values;

/// <summary>The result of parsing a time.</summary>
enum TimeReading
{
    /// <summary>It is a time.</summary>
    Read,

    /// <summary>It is not a time, or is ambiguous.</summary>
    NotATime,

    /// <summary>Digits that could be either a count or a date.</summary>
    OnlyDigits,

    /// <summary>A time that was skipped when clocks went forward.</summary>
    NotInZone,

    /// <summary>A date or a time of day in the right form that does not exist, such as February 30.</summary>
    NotInCalendar,

    /// <summary>A date whose day of the week is another one, such as Tuesday, November 30, 2026.</summary>
    NotThatWeekday,
}

/// <summary>Parses times in the format and zone that the request specifies. Of a time that occurs twice because clocks went back, it uses the first.</summary>
sealed class TimeReader
{
    /// <summary>The limit by which Mixpanel's own queries distinguish seconds from milliseconds.</summary>
    public const long LargestSeconds = uint.MaxValue;

    /// <summary>Fewer digits may be a date (20260701), a year, or a count of days as in spreadsheets.</summary>
    const long ShortestCount = 100_000_000;

    /// <summary>Counts of up to ten digits are seconds.</summary>
    const long LongestSeconds = 10_000_000_000;

    readonly TimePattern? _pattern;
    readonly TimeZoneInfo? _zone;
    readonly bool _scales;

    public TimeReader(ImportRequest request)
    {
        _pattern = request.TimeFormat is { } format ? TimePattern.Parse(format) : null;
        _zone = request.TimeZone is { } zone ? FindZone(zone) : null;
        _scales = request.Fix.HasFlag(ImportFixes.Time);
    }

    /// <summary>Whether times have a custom pattern.</summary>
    public bool HasPattern => _pattern is not null;

    /// <summary>The number of times parsed that occur twice.</summary>
    public long Twice { get; private set; }

    /// <exception cref="MixpanelException">The format or the zone is invalid, or there are no times that it applies to.</exception>
    public static void EnsureSense(ImportRequest request)
    {
        if (request.TimeFormat is null && request.TimeZone is null) return;
        var option = request.TimeFormat is null ? "time_zone" : "time_format";
        if (request.Type is not ImportType.Events && !request.ColumnTypes.Values.Contains(ImportColumnType.Time))
            throw MixpanelException.Invalid(option, "A time format and a time zone are for the time of events, and for columns of the type time.");
        if (request.TimeFormat is { } format) TimePattern.Parse(format);
        if (request.TimeZone is { } zone) ZoneOf(zone, "time_zone");
    }

    /// <summary>Parses a text.</summary>
    /// <param name="text">At most <see cref="TimeText.Longest"/> bytes.</param>
    /// <param name="time">Seconds or milliseconds since 1970.</param>
    /// <param name="isCount">Whether it is a count of seconds or milliseconds, distinguished by magnitude; otherwise it is in milliseconds.</param>
    public TimeReading Read(ReadOnlySpan<byte> text, out long time, out bool isCount)
    {
        isCount = false;
        bool isLocal;
        if (_pattern is not null)
        {
            if (!_pattern.TryRead(text, out time, out isLocal, out var reading)) return reading;
        }
        else if (TimeText.TryReadInteger(text, out time))
        {
            isCount = true;
            return Scale(ref time);
        }
        else if (!TimeText.TryRead(text, out time, out isLocal))
        {
            return TimeText.IsOutsideCalendar(text) ? TimeReading.NotInCalendar : ReadDecimal(text, out time, out isCount);
        }

        return isLocal && _zone is { } zone ? InZone(zone, ref time) : TimeReading.Read;
    }

    /// <summary>Parses a count with decimals or an exponent, as programs write floating-point numbers: exactly, truncated to milliseconds.</summary>
    /// <param name="text">The text.</param>
    /// <param name="time">Seconds or milliseconds since 1970.</param>
    /// <param name="isCount">Whether it is a count of seconds or milliseconds, distinguished by magnitude; otherwise it is in milliseconds.</param>
    public TimeReading ReadDecimal(ReadOnlySpan<byte> text, out long time, out bool isCount)
    {
        (time, isCount) = (0, true);
        if (!NumberText.IsLiteral(text, exponents: true) || !Utf8Parser.TryParse(text, out decimal number, out var used) || used != text.Length
            || Math.Abs(number) >= long.MaxValue)
            return TimeReading.NotATime;
        time = (long)decimal.Floor(number);
        if (time == number || Math.Abs(time) is < ShortestCount or >= LongestSeconds) return Scale(ref time);
        (time, isCount) = ((long)decimal.Floor(number * 1000), false);
        return TimeReading.Read;
    }

    /// <summary>Parses a moment or a count in MongoDB's extended JSON; a moment has its zone, and needs no format.</summary>
    /// <param name="json">The object.</param>
    /// <param name="time">Seconds or milliseconds since 1970.</param>
    /// <param name="isCount">Whether it is a count of seconds or milliseconds, distinguished by magnitude; otherwise it is in milliseconds.</param>
    public TimeReading ReadExtended(ReadOnlySpan<byte> json, out long time, out bool isCount)
    {
        (time, isCount) = (0, false);
        var isRead = ExtendedJson.Read(json, out var text) switch
        {
            ExtendedKind.Moment => TimeText.TryRead(text, out time, out _),
            ExtendedKind.Milliseconds => TimeText.TryReadInteger(text, out time),
            ExtendedKind.Number => isCount = TimeText.TryReadInteger(text, out time),
            _ => false,
        };
        return !isRead ? TimeReading.NotATime : isCount ? Scale(ref time) : TimeReading.Read;
    }

    /// <summary>Whether a number could as well be a date in digits. That is not guessed: the caller must specify it.</summary>
    /// <param name="number">The number.</param>
    /// <param name="isEventTime">Whether it is the time of an event, where numbers with fewer digits are timestamps and not dates.</param>
    public static bool MayBeDate(long number, bool isEventTime) => isEventTime ? IsDateInDigits(number) : number is >= 0 and < ShortestCount;

    /// <summary>
    /// Whether a number of twelve digits could be a date: yyyyMMddHHmm, or yyMMddHHmmss
    /// in this century. As milliseconds, such numbers are in the 1970s and early 1980s.
    /// </summary>
    static bool IsDateInDigits(long number) =>
        number is >= 100_000_000_000 and < 1_000_000_000_000
        && ((number / 100_000_000 is >= 1970 and <= 2099 && IsDate((int)(number / 100_000_000), (int)(number / 1_000_000 % 100), (int)(number / 10_000 % 100))
            && number / 100 % 100 < 24 && number % 100 < 60)
        || (number / 10_000_000_000 < 40 && IsDate(2000 + (int)(number / 10_000_000_000), (int)(number / 100_000_000 % 100), (int)(number / 1_000_000 % 100))
            && number / 10_000 % 100 < 24 && number / 100 % 100 < 60 && number % 100 < 60));

    static bool IsDate(int year, int month, int day) => month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year, month);

    /// <summary>
    /// Converts a count to seconds or milliseconds. Its number of digits determines the
    /// unit: up to 10 are seconds, 13 milliseconds, 16 microseconds and 19 nanoseconds.
    /// </summary>
    public TimeReading Scale(ref long count)
    {
        var size = Math.Abs(Math.Max(count, -long.MaxValue));
        switch (size)
        {
            case < LongestSeconds or (>= 1_000_000_000_000 and < 10_000_000_000_000):
                return TimeReading.Read;
            case >= 1_000_000_000_000_000 and < 10_000_000_000_000_000 when _scales:
                count = Floor(count, 1000);
                return TimeReading.Read;
            case >= 1_000_000_000_000_000_000 when _scales:
                count = Floor(count, 1_000_000);
                return TimeReading.Read;
            default:
                return TimeReading.OnlyDigits;
        }
    }

    static long Floor(long count, long unit) => (count / unit) - (count % unit < 0 ? 1 : 0);

    TimeReading InZone(TimeZoneInfo zone, ref long time)
    {
        var reading = InZone(zone, movesOverGaps: false, ref time, out var isTwice);
        if (isTwice) Twice++;
        return reading;
    }

    /// <summary>Converts a local time in a zone to UTC. Of a time that occurs twice because clocks went back, it uses the first.</summary>
    /// <param name="zone">The zone.</param>
    /// <param name="movesOverGaps">Whether a time that was skipped when clocks went forward is moved forward by the gap; otherwise it is rejected.</param>
    /// <param name="time">Milliseconds since 1970, as if the local time were UTC.</param>
    /// <param name="isTwice">Whether it occurs twice.</param>
    public static TimeReading InZone(TimeZoneInfo zone, bool movesOverGaps, ref long time, out bool isTwice)
    {
        const long Day = 86_400_000;
        isTwice = false;
        if (time < DateTimeOffset.MinValue.ToUnixTimeMilliseconds() + (2 * Day) || time > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() - (2 * Day))
            return TimeReading.NotATime;
        var written = DateTime.UnixEpoch.AddMilliseconds(time);

        // .NET's conversion from local times misses changes in zones with negative daylight saving time or whose standard offset changed. From UTC it is right.
        var (before, after) = (OffsetAt(written.AddDays(-1)), OffsetAt(written.AddDays(1)));
        var (isBefore, isAfter) = (OffsetAt(written - before) == before, OffsetAt(written - after) == after);
        if (!isBefore && !isAfter)
        {
            if (!movesOverGaps) return TimeReading.NotInZone;
            isBefore = true;
        }

        isTwice = isBefore && isAfter && before != after;
        time -= (long)(isBefore && (!isAfter || before > after) ? before : after).TotalMilliseconds;
        return TimeReading.Read;

        TimeSpan OffsetAt(DateTime utc) => zone.GetUtcOffset(DateTime.SpecifyKind(utc, DateTimeKind.Utc));
    }

    /// <summary>Converts to an event time that is interpreted unambiguously: to seconds when the milliseconds are few enough to be taken for seconds.</summary>
    public static long OfEvent(long milliseconds) => milliseconds is >= -LargestSeconds and <= LargestSeconds ? Floor(milliseconds, 1000) : milliseconds;

    /// <exception cref="MixpanelException">There is no zone with this name.</exception>
    public static TimeZoneInfo ZoneOf(string name, string option) =>
        FindZone(name)
            ?? throw MixpanelException.Invalid(option,
                "The time zone is not known here. Name one of the IANA database, such as Europe/Berlin, Asia/Kolkata or UTC.");

    static TimeZoneInfo? FindZone(string name)
    {
        if (name.Length is 0 or > 64 || name.Any(character => !char.IsAsciiLetterOrDigit(character) && character is not ('_' or '+' or '-' or '/'))
            || name[0] == '/')
            return null;
        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(name);
        }
        catch (Exception e) when (e is TimeZoneNotFoundException or InvalidTimeZoneException or UnauthorizedAccessException or IOException
            or System.Security.SecurityException)
        {
            return null;
        }
    }
}

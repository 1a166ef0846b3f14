using System.Globalization;
using System.Text;
using MixpanelConnector.Import.Values;

namespace MixpanelConnector.Tests.Import;

/// <summary>Times in a custom pattern.</summary>
public sealed partial class TimePatternTests
{
    [Fact]
    public void Every_example_in_a_message_or_on_a_page_is_a_pattern()
    {
        string[] folders = [Testing.Repository.File("src"), Testing.Repository.File("docs")];
        var texts = folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Where(file => file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".md", StringComparison.Ordinal))
            .Select(File.ReadAllText);
        var examples = texts.SelectMany(text => Example().Matches(text))
            .Select(match => match.Groups["format"].Value)
            .Where(example => !example.Contains('=', StringComparison.Ordinal))
            .Distinct(StringComparer.Ordinal).ToList();
        Assert.True(examples.Count >= 3, string.Join('\n', examples));
        Assert.All(examples, example => TimePattern.Parse(example));
    }

    [System.Text.RegularExpressions.GeneratedRegex("time-format[^']{0,140}'(?<format>[^'\n]+)'", System.Text.RegularExpressions.RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 10_000)]
    private static partial System.Text.RegularExpressions.Regex Example();

    [Theory]
    [InlineData("%Y-%m-%dT%H:%M:%S.%f%z", "2026-10-01T12:00:00.123456789+02:00", "2026-10-01T10:00:00.123Z")]
    [InlineData("%Y-%m-%dT%H:%M:%S.%f%z", "2026-10-01T12:00:00.1Z", "2026-10-01T12:00:00.100Z")]
    [InlineData("%F %T %Z", "2026-10-01 12:00:00 utc", "2026-10-01T12:00:00Z")]
    [InlineData("%D %R", "10/01/26 12:05", "2026-10-01T12:05:00Z")]
    [InlineData("%d/%b/%Y:%H:%M:%S %z", "01/OCT/2026:12:00:00 -0330", "2026-10-01T15:30:00Z")]
    [InlineData("%A %e %B %Y", "Thursday  1 October 2026", "2026-10-01T00:00:00Z")]
    [InlineData("%A %e %B %Y", "thursday 1 october 2026", "2026-10-01T00:00:00Z")]
    [InlineData("%Y%j%H", "202627413", "2026-10-01T13:00:00Z")]
    [InlineData("%Y%j", "2024366", "2024-12-31T00:00:00Z")]
    [InlineData("%%F %F%%T", "%F 2026-10-01%T", "2026-10-01T00:00:00Z")]
    [InlineData("%y%m%d%H%M%S", "690101000000", "1969-01-01T00:00:00Z")]
    [InlineData("%y%m%d", "680101", "2068-01-01T00:00:00Z")]
    [InlineData("%-d.%-m.%Y", "1.2.2026", "2026-02-01T00:00:00Z")]
    [InlineData("%I %p, %d.%m.%Y", "12 am, 01.10.2026", "2026-10-01T00:00:00Z")]
    [InlineData("%I%p, %d.%m.%Y", "11PM, 01.10.2026", "2026-10-01T23:00:00Z")]
    [InlineData("%s", "-1", "1969-12-31T23:59:59Z")]
    [InlineData("%s.%f", "1790000000.25", "2026-09-21T14:13:20.250Z")]
    [InlineData("%Q", "946684800000", "2000-01-01T00:00:00Z")]
    [InlineData("%d.%m.%Y um %H Uhr – 100%%", "1.10.2026 um 9 Uhr – 100%", "2026-10-01T09:00:00Z")]
    public void What_follows_the_pattern_is_a_time(string pattern, string text, string time)
    {
        Assert.True(TimePattern.Parse(pattern).TryRead(Encoding.UTF8.GetBytes(text), out var read, out _, out _));
        Assert.Equal(DateTimeOffset.Parse(time, CultureInfo.InvariantCulture).ToUnixTimeMilliseconds(), read);
    }

    /// <summary>Text in the right form is distinguished from text in another form: the advice for it differs.</summary>
    [Theory]
    [InlineData("%Y-%m-%d", "2026-02-30", true)]
    [InlineData("%d.%m.%Y", "31.4.2026", true)]
    [InlineData("%d.%m.%Y", "1.13.2026", true)]
    [InlineData("%d.%m.%Y", "00.00.2026", true)]
    [InlineData("%Y%j", "2026366", true)]
    [InlineData("%F %T", "2026-10-01 24:00:00", true)]
    [InlineData("%F %T", "2026-10-01 23:60:00", true)]
    [InlineData("%F %T", "2026-10-01 23:59:60", true)]
    [InlineData("%F %I %p", "2026-10-01 13 PM", true)]
    [InlineData("%d.%m.%Y", "2026-02-30", false)]
    [InlineData("%Y-%m-%d", "2026-02-30x", false)]
    [InlineData("%Y-%m-%d", "soon", false)]
    [InlineData(null, "2026-02-30", true)]
    [InlineData(null, "2025-02-29", true)]
    [InlineData(null, "2026-13-01T00:00:00Z", true)]
    [InlineData(null, "2026-00-10 10:00", true)]
    [InlineData(null, "0000-01-01", true)]
    [InlineData(null, "2026-04-31T10:00:00+02:00", true)]
    [InlineData(null, "2026-01-01T24:00:00Z", true)]
    [InlineData(null, "2026-01-01T10:60:00.5Z", true)]
    [InlineData(null, "2026-01-01 10:00:61 UTC", true)]
    [InlineData(null, "20260230T101112Z", true)]
    [InlineData(null, "20260101T251112Z", true)]
    [InlineData(null, "2026-02-30 10:00 CEST", false)]
    [InlineData(null, "2026-2-30", false)]
    [InlineData(null, "30.02.2026", false)]
    [InlineData(null, "2026-W60", false)]
    [InlineData(null, "abcdefghijkl", false)]
    public void A_date_or_a_time_of_day_that_does_not_exist_is_told_from_other_text(string? pattern, string text, bool isOutside)
    {
        var reading = new TimeReader(new() { TimeFormat = pattern }).Read(Encoding.UTF8.GetBytes(text), out _, out _);
        Assert.Equal(isOutside ? TimeReading.NotInCalendar : TimeReading.NotATime, reading);
    }

    [Theory]
    [InlineData("%a, %d %b %Y", "Tue, 30 Nov 2026", TimeReading.NotThatWeekday)]
    [InlineData("%A, %d %b %Y", "Tuesday, 30 Nov 2026", TimeReading.NotThatWeekday)]
    [InlineData("%a %Y%j", "Tue 2026334", TimeReading.NotThatWeekday)]
    [InlineData("%a, %d %b %Y", "Mon, 30 Nov 2026", TimeReading.Read)]
    [InlineData("%a, %d %b %Y", "Mon, 31 Nov 2026", TimeReading.NotInCalendar)]
    [InlineData("%a, %d %b %Y %H", "Tue, 30 Nov 2026 24", TimeReading.NotInCalendar)]
    [InlineData("%a, %d %b %Y", "Tue, 30 Nov 2026 ", TimeReading.NotATime)]
    [InlineData("%a, %d %b %Y", "Xyz, 30 Nov 2026", TimeReading.NotATime)]
    public void A_day_of_the_week_that_is_not_that_of_the_date_is_told_as_that(string pattern, string text, object reading) =>
        Assert.Equal(reading, new TimeReader(new() { TimeFormat = pattern }).Read(Encoding.UTF8.GetBytes(text), out _, out _));

    [Theory]
    [InlineData("%Y-%m-%d", "2026-10-01 ")]
    [InlineData("%Y-%m-%d", " 2026-10-01")]
    [InlineData("%Y-%m-%d", "26-10-01")]
    [InlineData("%Y-%m-%d", "2026-13-01")]
    [InlineData("%Y-%m-%d", "2026-02-29")]
    [InlineData("%Y-%m-%d", "0000-01-01")]
    [InlineData("%Y-%m-%d", "2026-10-001")]
    [InlineData("%Y-%m-%d", "２026-10-01")]
    [InlineData("%Y-%m-%d", "")]
    [InlineData("%Y%m%d", "2026101")] // neither January 1 nor October 1
    [InlineData("%Y%j", "2026366")]
    [InlineData("%Y%j", "2026000")]
    [InlineData("%Y%j", "9999366")]
    [InlineData("%Y%j", "9999999")]
    [InlineData("%F %H:%M", "2026-10-01 24:00")]
    [InlineData("%F %H:%M", "2026-10-01 12:60")]
    [InlineData("%F %T", "2026-10-01 12:00:60")]
    [InlineData("%F %I %p", "2026-10-01 13 PM")]
    [InlineData("%F %I %p", "2026-10-01 0 AM")]
    [InlineData("%F %T.%f", "2026-10-01 12:00:00.")]
    [InlineData("%F %T.%f", "2026-10-01 12:00:00.1234567890")]
    [InlineData("%F %T%z", "2026-10-01 12:00:00+2")]
    [InlineData("%F %T%z", "2026-10-01 12:00:00")]
    [InlineData("%F %T%z", "2026-10-01 12:00:00+24:00")]
    [InlineData("%F %T %Z", "2026-10-01 12:00:00 CEST")]
    [InlineData("%a %F", "Fri 2026-10-01")]
    [InlineData("%d %b %Y", "1 Okt 2026")]
    [InlineData("%s", "1e9")]
    [InlineData("%s", "+1790000000")]
    [InlineData("%s", "1790000000000000000")]
    [InlineData("%Q", "")]
    public void What_does_not_follow_it_is_none(string pattern, string text) =>
        Assert.False(TimePattern.Parse(pattern).TryRead(Encoding.UTF8.GetBytes(text), out _, out _, out _));
}

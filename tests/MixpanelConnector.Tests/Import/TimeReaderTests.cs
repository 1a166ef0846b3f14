using System.Globalization;
using System.Text;
using MixpanelConnector.Import.Columns;
using MixpanelConnector.Import.Values;

namespace MixpanelConnector.Tests.Import;

public class TimeReaderTests
{
    /// <summary>Also for zones whose summer time is behind their standard time, and for zones that changed their offset permanently.</summary>
    [Theory]
    [InlineData("Europe/London", "2026-03-29 01:30:00", null, 0)]
    [InlineData("Europe/London", "2025-10-26 01:30:00", "2025-10-26 00:30:00", 1)]
    [InlineData("Europe/Dublin", "2026-03-29 01:30:00", null, 0)]
    [InlineData("Europe/Dublin", "2025-10-26 01:30:00", "2025-10-26 00:30:00", 1)]
    [InlineData("Europe/Dublin", "2025-07-01 12:00:00", "2025-07-01 11:00:00", 0)]
    [InlineData("Europe/Moscow", "2011-03-27 02:30:00", null, 0)]
    [InlineData("Europe/Moscow", "2014-10-26 01:30:00", "2014-10-25 21:30:00", 1)]
    [InlineData("Europe/Istanbul", "2016-03-27 03:30:00", null, 0)]
    [InlineData("America/Cancun", "2015-02-01 02:30:00", null, 0)]
    [InlineData("Pacific/Apia", "2011-12-30 12:00:00", null, 0)]
    [InlineData("Pacific/Apia", "2011-12-31 12:00:00", "2011-12-30 22:00:00", 0)]
    [InlineData("America/New_York", "2026-03-08 02:30:00", null, 0)]
    [InlineData("America/New_York", "2025-11-02 01:30:00", "2025-11-02 05:30:00", 1)]
    [InlineData("Australia/Lord_Howe", "2026-10-04 02:15:00", null, 0)]
    [InlineData("Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04 14:45:00", 1)]
    [InlineData("Asia/Kolkata", "2026-04-05 01:45:00", "2026-04-04 20:15:00", 0)]
    public void A_local_time_is_read_where_it_exists_and_the_first_of_two(string zone, string local, string? utc, long twice)
    {
        var reader = new TimeReader(new ImportRequest { Inputs = ["-"], TimeZone = zone });

        var reading = reader.Read(Encoding.ASCII.GetBytes(local), out var time, out var isCount);

        Assert.Equal(utc is null ? TimeReading.NotInZone : TimeReading.Read, reading);
        if (utc is not null) Assert.Equal(utc, DateTimeOffset.FromUnixTimeMilliseconds(time).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture));
        Assert.False(isCount);
        Assert.Equal(twice, reader.Twice);
    }

    [Theory]
    [InlineData(86_400_000, 86_400)]
    [InlineData(uint.MaxValue, 4_294_967)]
    [InlineData(uint.MaxValue + 1L, uint.MaxValue + 1L)]
    [InlineData(-1, -1)]
    [InlineData(1_790_000_000_000, 1_790_000_000_000)]
    public void So_few_milliseconds_that_they_would_be_taken_for_seconds_become_seconds(long milliseconds, long time) =>
        Assert.Equal(time, TimeReader.OfEvent(milliseconds));

    [Theory]
    [InlineData("1970-01-02")]
    [InlineData("1970-01-15T12:00:00Z")]
    public void A_time_of_the_first_weeks_of_1970_is_one_of_1970(string text)
    {
        var value = new ColumnValue(new ImportRequest { Inputs = ["-"] });

        Assert.True(value.TryConvert(Encoding.ASCII.GetBytes($"\"{text}\""), ImportColumnType.Time, isEventTime: true, out var time));

        Assert.Equal(
            DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            Encoding.ASCII.GetString(time));
    }

    [Theory]
    [InlineData("20260701", false)]
    [InlineData("46204", false)]
    [InlineData("2026", false)]
    [InlineData("99999999", false)]
    [InlineData("100000000", true)]
    [InlineData("1790000000", true)]
    [InlineData("1790000000000", true)]
    public void Digits_that_may_write_a_date_or_count_days_are_no_time_of_a_property(string text, bool isTime)
    {
        var value = new ColumnValue(new ImportRequest { Inputs = ["-"] });

        Assert.Equal(isTime, value.TryConvert(Encoding.ASCII.GetBytes($"\"{text}\""), ImportColumnType.Time, isEventTime: false, out _));
        Assert.Equal(isTime, value.TryConvert(Encoding.ASCII.GetBytes(text), ImportColumnType.Time, isEventTime: false, out _));
    }

    [Theory]
    [InlineData("202602301200", null)] // no such day, and so no count of milliseconds either
    [InlineData("202602281200", "2026-02-28 12:00:00")]
    [InlineData("1790000000", "2026-09-21 14:13:20")]
    public async Task A_number_that_does_not_follow_the_pattern_is_a_count_only_if_its_digits_say_of_what(string number, string? time)
    {
        using var run = new ImportRun();
        var report = await run.RunAsync(run.Request(run.Folder.Write("in.ndjson",
            $$$"""{"event":"e","properties":{"distinct_id":"u","time":{{{number}}}}}""" + "\n")) with
        {
            TimeFormat = "%Y%m%d%H%M",
        });

        Assert.Equal(time is null ? RunOutcome.Rejected : RunOutcome.Complete, report.Outcome);
        if (time is null) return;
        var sent = System.Text.Json.JsonElement.Parse(run.Mixpanel.Stored[0]).GetProperty("properties").GetProperty("time").GetInt64();
        Assert.Equal(time,
            DateTimeOffset.FromUnixTimeMilliseconds(sent > TimeReader.LargestSeconds ? sent : sent * 1000)
                .ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_property_of_a_profile_that_is_called_time_stays_as_it_is()
    {
        using var run = new ImportRun();
        var request = run.Request(run.Folder.Write("in.ndjson", """{"distinct_id":"u","time":20260228,"born":"20200131","junk":1}""" + "\n")) with
        {
            Type = ImportType.Profiles,
            TimeFormat = "%Y%m%d",
            ColumnTypes = new Dictionary<string, ImportColumnType>(StringComparer.Ordinal) { ["born"] = ImportColumnType.Time },
            Drop = ["junk"],
        };
        Assert.Equal(RunOutcome.Complete, (await run.RunAsync(request)).Outcome);

        Assert.Contains("\"time\":20260228,\"born\":\"2020-01-31T00:00:00\"", run.Mixpanel.Stored[0], StringComparison.Ordinal);
    }
}

using System.Collections;
using System.Globalization;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Migration;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Migration;

/// <summary>The deduplication of a day's events, and the totals of a day.</summary>
public sealed class DayFileTests
{
    [Theory]
    [InlineData(1 << 20)]
    [InlineData(2)] // the file is read several times
    [InlineData(1)]
    public async Task The_one_that_was_taken_in_last_stands_for_its_duplicates(int most)
    {
        using var folder = new TemporaryFolder();
        var day = Day(folder, most,
            Event("A", 1, "u", "i", processed: 5),
            Event("A", 1, "u", "i", processed: 9), // stays
            Event("A", 1, "u", "i", processed: 7),
            Event("B", 1, "u", "i", processed: 3),
            Event("B", 1, "u", "i", processed: 3), // stays: of equals the last
            Event("A", 2, "u", "i", processed: 1),
            Event("A", 1, "v", "i", processed: 1),
            Event("A", 1, "u", "j", processed: 1),
            Event("\\u0041", 1, "u", "i", processed: 2), // the same name in other letters
            """{"event":"A","properties":{"time":1790841600001,"distinct_id":"u"}}""", // without an $insert_id nothing is a duplicate
            """{"event":"A","properties":{"time":1790841600001,"distinct_id":"u"}}""",
            """{"event":"$identify","properties":{"time":1790841600001,"distinct_id":"u","$insert_id":"i"}}""");
        var duplicates = await day.DuplicatesAsync(TestContext.Current.CancellationToken);
        Assert.Equal("0 2 3 8", string.Join(' ', Enumerable.Range(0, duplicates!.Length).Where(line => duplicates[line])));
    }

    [Fact]
    public async Task Without_duplicates_there_are_none() =>
        Assert.Null(await Day(new TemporaryFolder(), 9, Event("A", 1, "u", "i", 1)).DuplicatesAsync(TestContext.Current.CancellationToken));

    [Fact]
    public async Task What_a_day_comes_to_does_not_depend_on_order_nor_on_what_is_left_out()
    {
        using var folder = new TemporaryFolder();
        string[] events =
        [
            Event("A", 1, "u", "i", 1),
            Event("B", 1, "u", "i", 1),
            Event("A", 1, "u", "k", 1),
            """{"event":"$merge","properties":{"time":1790841600001}}""",
        ];
        var whole = await SumAsync(folder, events);
        Assert.Equal((3, new DateOnly(2026, 10, 1)), (whole.Count, whole.Day));
        Assert.Equal(whole.All, (await SumAsync(folder, [events[2], events[1], events[0]])).All);
        Assert.NotEqual(whole.Whole, (await SumAsync(folder, [events[0], events[1], Event("A", 1, "v", "k", 1)])).Whole);
        Assert.Equal(whole.WithoutUser, (await SumAsync(folder, [events[0], events[1], Event("A", 1, "v", "k", 1)])).WithoutUser);
        Assert.NotEqual(whole.WithoutUser, (await SumAsync(folder, [events[0], events[1], Event("A", 2, "u", "k", 1)])).WithoutUser);
    }

    static async Task<DaySum> SumAsync(TemporaryFolder folder, string[] events) =>
        Assert.Single(await Day(folder, 9, events)
            .SumsAsync("1/2026-10-01", duplicates: null, without: null, TimeProvider.System, TestContext.Current.CancellationToken));

    [Fact]
    public async Task Some_do_not_count()
    {
        using var folder = new TemporaryFolder();
        var sums = await Day(folder, 9, Event("A", 1, "u", "i", 1), Event("A", 1, "u", "i", 1), Event("B", 1, "u", "i", 1))
            .SumsAsync("x", new BitArray([true, false, false]), new BitArray([false, false, true]), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal(1, Assert.Single(sums).Count);
    }

    static DayFile Day(TemporaryFolder folder, int most, params string[] lines)
    {
        var path = folder.Write($"{Guid.NewGuid():N}.ndjson", string.Concat(lines.Select(line => line + "\n")));
        return new(new InputFile("", "2026-10-01", "1/2026-10-01", Path.GetDirectoryName(path)) { RealName = Path.GetFileName(path) }, lines.Length,
            zone: null)
        { Most = most };
    }

    static string Event(string name, int second, string user, string id, long processed) => string.Create(
        CultureInfo.InvariantCulture,
        $$$"""{"event":"{{{name}}}","properties":{"time":{{{1790841600000 + second}}},"distinct_id":"{{{user}}}","$insert_id":"{{{id}}}","mp_processing_time_ms":{{{processed}}}}}""");
}

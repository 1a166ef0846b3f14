using System.Globalization;
using System.Text.Json.Nodes;

#pragma warning disable MA0002 // a string groups by its characters wherever nothing else is said
namespace MixpanelConnector.Emulator.Tests.Reports;

/// <summary>Reports, compared with simple computations over the same events that share no code with the reports.</summary>
public sealed class RandomReportTests(Samples samples) : IClassFixture<Samples>
{
    [Fact]
    public Task Counts_by_day_and_segment_are_right() => ForEachSeed(async (mixpanel, sample) =>
    {
        foreach (var type in (string[])["general", "unique", "average"])
        {
            var answer = await sample.AskAsync(mixpanel, $"segmentation?event=A&type={type}&on=properties[\"s\"]&where=properties[\"n\"] > 2");
            var expected = sample.InRange.Where(e => e.Name == "A" && e.N > 2).GroupBy(e => e.S ?? "undefined")
                .ToDictionary(segment => segment.Key,
                    segment => Sample.Days.ToDictionary(Sample.Label, day => Count(segment.Where(e => sample.Local(e).Date == day), type)));
            Same(expected, answer["data"]!["values"]!);
            Assert.Equal(expected.Count, (int)answer["legend_size"]!);
            Assert.Equal(Sample.Days.Select(Sample.Label), answer["data"]!["series"]!.AsArray().Select(label => (string)label!));
        }
    });

    [Fact]
    public Task Counts_by_hour_week_and_month_are_right() => ForEachSeed(async (mixpanel, sample) =>
    {
        var hours = await sample.AskAsync(mixpanel, "segmentation?event=B&unit=hour");
        var byHour = hours["data"]!["values"]!["B"]!.AsObject();
        var expected = sample.InRange.Where(e => e.Name == "B")
            .GroupBy(e => sample.Local(e).ToString("yyyy-MM-dd HH:00:00", CultureInfo.InvariantCulture))
            .ToDictionary(h => h.Key, h => (double)h.Count());
        Assert.Equal(expected.OrderBy(h => h.Key, StringComparer.Ordinal),
            byHour.Where(h => (double)h.Value! != 0).ToDictionary(h => h.Key, h => (double)h.Value!).OrderBy(h => h.Key, StringComparer.Ordinal));

        foreach (var unit in (string[])["week", "month"])
        {
            var answer = await sample.AskAsync(mixpanel, $"events?event=[\"A\",\"C\"]&type=unique&unit={unit}");
            var units = sample.InRange.Where(e => e.Name is "A" or "C").GroupBy(e => e.Name).ToDictionary(
                name => name.Key,
                name => (unit == "week" ? new[] { "2026-03-02", "2026-03-09" } : ["2026-03-01"]).ToDictionary(
                    label => label,
                    label => Count(
                        name.Where(e => unit == "month" || (string.CompareOrdinal(Sample.Label(sample.Local(e)), "2026-03-09") < 0) == (label == "2026-03-02")),
                        "unique")));
            Same(units, answer["data"]!["values"]!);
        }
    });

    [Fact]
    public Task Sums_averages_and_ranges_are_right() => ForEachSeed(async (mixpanel, sample) =>
    {
        var events = sample.InRange.Where(e => e.Name == "C").ToList();
        var sums = (await sample.AskAsync(mixpanel, "segmentation/sum?event=C&on=properties[\"n\"]"))["results"]!.AsObject();
        var averages = (await sample.AskAsync(mixpanel, "segmentation/average?event=C&on=properties[\"n\"]"))["results"]!.AsObject();
        foreach (var day in Sample.Days)
        {
            var values = events.Where(e => sample.Local(e).Date == day).Select(e => (double)(e.N ?? 0)).ToList();
            Assert.Equal(values.Sum(), (double)sums[Sample.Label(day)]!);
            Assert.Equal(values.Count == 0 ? 0 : values.Average(), (double)averages[Sample.Label(day)]!, 9);
        }

        var ranges = (await sample.AskAsync(mixpanel, "segmentation/numeric?event=C&on=properties[\"n\"] * 1000"))["data"]!["values"]!.AsObject();
        Assert.Equal(events.Count(e => e.N is not null), ranges.Sum(range => range.Value!.AsObject().Sum(day => (int)day.Value!)));
        Assert.InRange(ranges.Count, 0, 10);
        foreach (var (range, days) in ranges)
        {
            var edges = range.Split(" - ")
                .Select(edge => double.Parse(edge, NumberStyles.AllowThousands | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture)).ToArray();
            foreach (var (day, count) in days!.AsObject())
                Assert.Equal(events.Count(e => Sample.Label(sample.Local(e)) == day && e.N * 1000 >= edges[0] && e.N * 1000 < edges[1]), (int)count!);
        }
    });

    [Fact]
    public Task Funnels_are_right() => ForEachSeed(async (mixpanel, sample) =>
    {
        var window = TimeSpan.FromHours(30);
        var saved = await mixpanel.SendAsync(
            HttpMethod.Post, $"/emulator/projects/{sample.ProjectId}/funnels",
            new StringContent(
                """{"name":"f","steps":[{"event":"A"},{"event":"B","where":"properties[\"n\"] != 3"},{"event":"A"}],"length":30,"length_unit":"hour"}"""),
            LocalMixpanel.Basic("local", "local"));
        var answer = await sample.AskAsync(mixpanel, $"funnels?funnel_id={saved.Json.GetProperty("results").GetProperty("id").GetInt32()}");

        List<SampleEvent> attempts = [];
        List<List<SampleEvent>> best = [];
        foreach (var user in sample.Events.Where(e => e.User != "").GroupBy(e => e.User))
        {
            List<SampleEvent>? furthest = null;
            foreach (var entry in user.Where(e => e.Name == "A" && sample.InRange.Contains(e)))
            {
                List<SampleEvent> path = [entry];
                foreach (var next in user.SkipWhile(e => e != entry).Skip(1).Where(e => e.Time - entry.Time <= window))
                {
                    if (path.Count < 3 && (path.Count == 1 ? next.Name == "B" && next.N != 3 : next.Name == "A")) path.Add(next);
                }
                if (furthest is null || path.Count > furthest.Count) furthest = path;
            }
            if (furthest is not null) best.Add(furthest);
        }
        foreach (var day in Sample.Days)
        {
            var paths = best.Where(path => sample.Local(path[0]).Date == day).ToList();
            var steps = answer["data"]![Sample.Label(day)]!["steps"]!.AsArray();
            for (var step = 0; step < 3; step++)
            {
                var reached = paths.Where(path => path.Count > step).ToList();
                Assert.Equal(reached.Count, (int)steps[step]!["count"]!);
                if (step > 0)
                {
                    Assert.Equal(reached.Count == 0 ? 0 : (long)Math.Round(reached.Average(path => (path[step].Time - path[step - 1].Time).TotalSeconds)),
                        (long)steps[step]!["avg_time"]!);
                    var before = paths.Count(path => path.Count > step - 1);
                    Assert.Equal(before == 0 ? 0 : (double)reached.Count / before, (double)steps[step]!["step_conv_ratio"]!, 9);
                }
            }
            Assert.Equal(paths.Count, (int)answer["data"]![Sample.Label(day)]!["analysis"]!["starting_amount"]!);
        }
    });

    [Theory]
    [InlineData("birth", false)]
    [InlineData("birth", true)]
    [InlineData("compounded", false)]
    public Task Retention_is_right(string type, bool unbounded) => ForEachSeed(async (mixpanel, sample) =>
    {
        var answer = await sample.AskAsync(
            mixpanel,
            $"retention?retention_type={type}&born_event=A&event=B&interval_count=3&unbounded_retention={(unbounded ? "true" : "false")}&where=properties[\"n\"] != 1");

        var users = sample.Events.Where(e => e.User != "").GroupBy(e => e.User).Select(user => user.ToList()).ToList();
        bool Returns(SampleEvent e) => e.Name == "B" && e.N != 1;
        foreach (var day in Sample.Days)
        {
            var begins = users.Select(user => user.Find(e => (type == "birth" ? e.Name == "A" : Returns(e)) && sample.InRange.Contains(e)
                && (type == "birth" || sample.Local(e).Date == day)))
                .Where(e => e is not null && sample.Local(e).Date == day).ToList();
            var row = answer[Sample.Label(day)]!;
            Assert.Equal(begins.Count, (int)row["first"]!);
            for (var k = 0; k < 4; k++)
            {
                var count = begins.Count(begin => users.Single(user => user.Contains(begin!)).SkipWhile(e => e != begin).Skip(1)
                    .Any(e => Returns(e) && e.Time >= begin!.Time.AddDays(k) && (unbounded || e.Time < begin.Time.AddDays(k + 1))));
                Assert.Equal(count, (int)row["counts"]![k]!);
            }
        }
    });

    [Theory]
    [InlineData("retention?born_event=A&event=B&interval_count=2")]
    [InlineData("retention/addiction?unit=day&addiction_unit=hour")]
    public Task A_segment_is_the_report_of_its_events_alone(string report) => ForEachSeed(async (mixpanel, sample) =>
    {
        async Task<JsonNode> DaysAsync(string more)
        {
            var answer = await sample.AskAsync(mixpanel, report + more);
            return answer["data"] ?? answer;
        }

        var split = await DaysAsync("&on=properties[\"s\"]");
        foreach (var (segment, where) in ((string, string)[])
        [
            ("$overall", ""),
            ("x", "&where=properties[\"s\"] == \"x\""),
            ("undefined", "&where=not defined(properties[\"s\"])"),
        ])
        {
            var alone = await DaysAsync(where);
            foreach (var day in Sample.Days.Select(Sample.Label))
            {
                if (split[day]![segment] is { } shown) Assert.True(JsonNode.DeepEquals(alone[day], shown), $"{day}, {segment}: {alone[day]} != {shown}");
                else Assert.All((alone[day] as JsonArray ?? alone[day]!["counts"]!.AsArray()).Select(count => (int)count!), count => Assert.Equal(0, count));
            }
        }
    });

    [Fact]
    public Task Frequency_is_right() => ForEachSeed(async (mixpanel, sample) =>
    {
        var answer = await sample.AskAsync(mixpanel, "retention/addiction?unit=day&addiction_unit=hour");
        foreach (var day in Sample.Days)
        {
            var hours = sample.InRange.Where(e => e.User != "" && sample.Local(e).Date == day)
                .GroupBy(e => e.User)
                .Select(user => user.Select(e => sample.Local(e).Hour).Distinct().Count()).ToList();
            var row = answer["data"]![Sample.Label(day)]!.AsArray();
            Assert.Equal(24, row.Count);
            for (var i = 0; i < 24; i++)
                Assert.Equal(hours.Count(count => count > i), (int)row[i]!);
        }
        var weeks = await sample.AskAsync(mixpanel, "retention/addiction?unit=week&addiction_unit=day&event=A");
        Assert.Equal(7, weeks["data"]!["2026-03-02"]!.AsArray().Count);
        Assert.Equal(
            sample.InRange.Where(e => e.Name == "A" && e.User != "" && string.CompareOrdinal(Sample.Label(sample.Local(e)), "2026-03-09") < 0)
                .GroupBy(e => e.User)
                .Count(user => user.Select(e => sample.Local(e).Date).Distinct().Count() >= 2),
            (int)weeks["data"]!["2026-03-02"]![1]!);
    });

    static double Count(IEnumerable<SampleEvent> events, string type)
    {
        var list = events.ToList();
        var users = list.Where(e => e.User != "").Select(e => e.User).Distinct(StringComparer.Ordinal).Count();
        return type switch { "general" => list.Count, "unique" => users, _ => users == 0 ? 0 : (double)list.Count / users };
    }

    static void Same(Dictionary<string, Dictionary<string, double>> expected, JsonNode actual)
    {
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), actual.AsObject().Select(segment => segment.Key).Order(StringComparer.Ordinal));
        foreach (var (segment, days) in expected)
        {
            Assert.Equal(days.Keys, actual[segment]!.AsObject().Select(day => day.Key));
            foreach (var (day, value) in days)
                Assert.Equal(value, (double)actual[segment]![day]!, 9);
        }
    }

    async Task ForEachSeed(Func<LocalMixpanel, Sample, Task> check)
    {
        for (var seed = 0; seed < samples.All.Count; seed++)
        {
            var sample = samples.All[seed];
            try
            {
                await check(samples.Mixpanel, sample);
            }
            catch (Xunit.Sdk.XunitException e)
            {
                throw new InvalidOperationException($"seed {seed}, {sample.Zone.Id}", e);
            }
        }
    }
}

/// <summary>One embedded Mixpanel with a project for each seed: few in the test suite, otherwise as many as <c>eng/campaign.sh</c> sets.</summary>
public sealed class Samples : IAsyncLifetime
{
    static readonly int Seeds = Environment.GetEnvironmentVariable("CAMPAIGN_SEEDS") is { Length: > 0 } text
        ? int.Parse(text, CultureInfo.InvariantCulture)
        : 20;

    internal LocalMixpanel Mixpanel { get; private set; } = null!;

    internal List<Sample> All { get; } = [];

    public async ValueTask InitializeAsync()
    {
        Mixpanel = await LocalMixpanel.StartAsync();
        for (var seed = 0; seed < Seeds; seed++)
            All.Add(await Sample.CreateAsync(Mixpanel, seed));
    }

    public ValueTask DisposeAsync() => Mixpanel.DisposeAsync();
}

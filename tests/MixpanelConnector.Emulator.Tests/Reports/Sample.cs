using System.Globalization;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Emulator.Tests.Reports;

/// <summary>An event of a sample, as a naive computation sees it.</summary>
sealed record SampleEvent(string Name, DateTimeOffset Time, string User, string InsertId, int? N, string? S, int Order)
{
    public string Json => new JsonObject
    {
        ["event"] = Name,
        ["properties"] = Properties(),
    }.ToJsonString();

    JsonObject Properties()
    {
        var properties = new JsonObject { ["time"] = Time.ToUnixTimeMilliseconds(), ["distinct_id"] = User, ["$insert_id"] = InsertId };
        if (N is not null) properties["n"] = N;
        if (S is not null) properties["s"] = S;
        return properties;
    }
}

/// <summary>A project with random events, some of them sent twice, around a change to summer time; and the naively computed results.</summary>
sealed class Sample
{
    public const string From = "2026-03-05", To = "2026-03-12";

    static readonly string[] Zones = ["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"];

    Sample(int projectId, TimeZoneInfo zone, List<SampleEvent> sent)
    {
        ProjectId = projectId;
        Zone = zone;
        // The latest of those with the same identity.
        Events =
        [
            .. sent.GroupBy(e => (e.Name, e.Time, e.User, e.InsertId)).Select(same => same.MaxBy(e => e.Order)!).OrderBy(e => e.Time).ThenBy(e => e.Order),
        ];
    }

    public int ProjectId { get; }

    public TimeZoneInfo Zone { get; }

    public List<SampleEvent> Events { get; }

    /// <summary>The days from <see cref="From"/> to <see cref="To"/>.</summary>
    public static List<DateTime> Days { get; } =
    [
        .. Enumerable.Range(0, 8).Select(i => new DateTime(2026, 3, 5, 0, 0, 0, DateTimeKind.Unspecified).AddDays(i)),
    ];

    public IEnumerable<SampleEvent> InRange => Events.Where(e => Local(e).Date >= Days[0] && Local(e).Date <= Days[^1]);

    public DateTime Local(SampleEvent e) => TimeZoneInfo.ConvertTime(e.Time, Zone).DateTime;

    public static string Label(DateTime day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static async Task<Sample> CreateAsync(LocalMixpanel mixpanel, int seed)
    {
        var random = new Random(seed);
        var zone = Zones[seed % Zones.Length];
        var created = await mixpanel.SendAsync(
            HttpMethod.Post, "/emulator/projects", new StringContent($$"""{"name":"p{{seed}}","timezone":"{{zone}}"}"""),
            LocalMixpanel.Basic("local", "local"));
        Assert.Equal(201, created.Status);
        var project = created.Json.GetProperty("results").GetProperty("id").GetInt32();

        List<SampleEvent> sent = [];
        var start = new DateTimeOffset(2026, 3, 3, 0, 0, 0, TimeSpan.Zero);
        for (var i = 0; i < random.Next(5, 80); i++)
        {
            // Often whole hours, so that times collide and fall on day boundaries.
            var time = start.AddMinutes(random.Next(3) == 0 ? random.Next(13 * 24) * 60 : random.Next(13 * 24 * 60));
            sent.Add(new SampleEvent(
                "ABC"[random.Next(3)].ToString(), time, random.Next(12) == 0 ? "" : $"u{random.Next(6)}", $"id-{i}",
                random.Next(4) == 0 ? null : random.Next(10), random.Next(4) == 0 ? null : "xyz"[random.Next(3)].ToString(), i));
        }
        foreach (var again in sent.Where(_ => random.Next(5) == 0).ToList())
            sent.Add(again with { N = random.Next(10), Order = sent.Count });
        var answer = await mixpanel.ImportAsync($"[{string.Join(',', sent.Select(e => e.Json))}]", $"?strict=1&project_id={project}");
        Assert.True(answer.Status == 200, answer.Text);
        return new Sample(project, TimeZoneInfo.FindSystemTimeZoneById(zone), sent);
    }

    public async Task<JsonNode> AskAsync(LocalMixpanel mixpanel, string path)
    {
        var answer = await mixpanel.GetAsync(
            $"/api/query/{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}project_id={ProjectId}&from_date={From}&to_date={To}",
            LocalMixpanel.Basic("local", "local"));
        Assert.True(answer.Status == 200, $"{path}: {answer.Text}");
        return JsonNode.Parse(answer.Text)!;
    }
}

using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>The import's own refusals, compared with those of the embedded Mixpanel, whose rules are separate code: thousands of events from a seed.</summary>
public sealed partial class SameRefusalTests
{
    const int Seed = 61;
    const int Events = 6000;
    const int Batch = 1000;

    static readonly DateTimeOffset Noon = new(2026, 9, 1, 12, 0, 0, TimeSpan.Zero);

    static readonly string[] Names = ["\"e\"", "\"\"", "\" \\t\"", "null", "7", "{}", "\"\\u0065\"", "\"ä😀\"", "\"" + new string('n', 300) + "\""];
    static readonly string[] Ids =
    [
        "\"u\"", "\"\"", "null", "7", "true", "[]", "{}", "\"null\"", "\"NULL\"", "\"Anon\"", "\"\\u004eil\"", "\"undefined\"", "\"0\"", "\"-1\"", "\"[]\"",
        "\"n/a\"", "\"<nil>\"", "\"\\u0030\"", "\"00000000-0000-0000-0000-000000000000\"", "\"00000000-0000-0000-0000-000000000001\"",
        "\"" + new string('d', 255) + "\"", "\"" + new string('d', 256) + "\"", "\"" + new string('ä', 255) + "\"", "\"" + new string('ä', 256) + "\"",
    ];

    static readonly string[] InsertIds =
    [
        "\"id-1\"", "\"\"", "7", "true", "\"a_b\"", "\"ä\"", "\"a b\"", "\"a.b\"", "\"null\"", "\"NULL\"", "\"0\"", "\"false\"", "\"\\u0061bc\"",
        "\"" + new string('i', 36) + "\"", "\"" + new string('i', 37) + "\"", "\"5f0c2a6e-9a54-4f0e-9f58-0123456789ab\"",
    ];

    static string[] Times()
    {
        var now = Noon.ToUnixTimeSeconds();
        return
        [
            .. new[]
            {
                0, -1, 1, 31_535_999, 31_536_000, 31_536_001, now, now + (59 * 60), now + 3600, now + 3601, now + (61 * 60), uint.MaxValue, (now + 3600) * 1000,
                ((now + 3600) * 1000) + 1000, now * 1000, long.MaxValue, long.MinValue,
            }
                .Select(time => time.ToString(CultureInfo.InvariantCulture)),
            "null", "\"1790000000\"", "1700000000.0", "1700000000.5", "1.7e9", "true", "[]", "99999999999999999999", "-0",
        ];
    }

    static string[] Values() =>
    [
        "1", "\"x\"", "null", "true", "[]", "{}", "[1,[2,[3]]]", "{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":{\"b\":{\"c\":{\"d\":1}}}}",
        "[{\"a\":[{\"b\":{\"c\":1}}]}]", "[{\"a\":[{\"b\":{\"c\":{}}}]}]",
        $"[{string.Join(',', Enumerable.Repeat("1", 254))}]", $"[{string.Join(',', Enumerable.Repeat("1", 255))}]",
        $"{{{string.Join(',', Enumerable.Range(0, 254).Select(i => $"\"k{i}\":1"))}}}",
        $"{{{string.Join(',', Enumerable.Range(0, 255).Select(i => $"\"k{i}\":1"))}}}",
        $"[\"{new string('l', 8188)}\"]", $"[\"{new string('l', 8189)}\"]", $"{{\"a\": [\"{new string('l', 8000)}\", {{\"b\":\"{new string('l', 300)}\"}}]}}",
        $"\"{new string('l', 9000)}\"", $"[1,{new string(' ', 8192)}2]", $"[\"{new string('ä', 4094)}\"]", $"[\"{new string('ä', 4095)}\"]",
    ];

    /// <summary>Special cases: each except the first breaks one rule.</summary>
    static readonly string[] Rare =
    [
        Sized((1 << 20) - 1), Sized(1 << 20), "7", "[]", "null", Whole("\"e\\ud800\""), Whole("\"e\"", "distinct_id", "\"\\ud800\""),
        Whole("\"e\"", "$insert_id", "\"\\udc00\""), Whole("\"e\"", "$user_id", "\"\\ud800\""), Whole("\"e\"", "$device_id", "\"\\ud800x\""),
        Whole("\"e\"", "x", "\"\\ud800\""), Whole("\"e\"", "x", "[{\"a\":\"\\ud800\"}]"), Whole("\"e\"", "x", "{\"\\ud800\":1}"),
        Whole("\"e\"", "\\ud800", "1"), Whole("\"e\"", "$user_id", "\"u\"").Replace("\"event\"", "\"\\ud800\":1,\"event\"", StringComparison.Ordinal),
    ];

    static string Whole(string name, string property = "x", string value = "1")
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["time"] = Times()[6],
            ["distinct_id"] = "\"u\"",
            ["$insert_id"] = "\"id-1\"",
            [property] = value,
        };
        return $"{{\"event\":{name},\"properties\":{{{string.Join(',', properties.Select(member => $"\"{member.Key}\":{member.Value}"))}}}}}";
    }

    static string Sized(int bytes) => Whole("\"e\"", "x", $"\"{new string('s', bytes - Whole("\"e\"", "x", "\"\"").Length)}\"");

    [Fact]
    public async Task What_is_refused_here_is_refused_there()
    {
        var clock = new FakeTimeProvider(Noon);
        await using var mixpanel = await EmulatedMixpanel.StartAsync(new() { TimeProvider = clock });
        List<string> events = [.. Generated(), .. Rare];
        using var folder = new TemporaryFolder();
        var refusedHere = await DryRunAsync(folder, clock, events);
        var refusedThere = await SendAsync(mixpanel, events);

        Assert.InRange(refusedHere.Count, Events / 4, Events * 3 / 4);
        var differences = Enumerable.Range(0, events.Count).Where(i => refusedHere.ContainsKey(i) != refusedThere.ContainsKey(i))
            .Select(i => $"{(refusedHere.TryGetValue(i, out var here) ? $"here only: {here}" : $"there only: {refusedThere[i]}")}: {(events[i].Length > 300 ? events[i][..300] : events[i])}").ToList();
        Assert.True(differences.Count == 0, $"{differences.Count} differences\n{string.Join('\n', differences.Take(12))}");

        var unmet = Rules().Where(rule => !refusedThere.Values.Any(message => Regex.IsMatch(message, rule, RegexOptions.NonBacktracking))).ToList();
        Assert.True(unmet.Count == 0, $"rules of the embedded Mixpanel that no event here breaks:\n{string.Join('\n', unmet)}");
    }

    /// <summary>The message of every refusal in the embedded Mixpanel's source, as a pattern: a new rule needs an event that breaks it.</summary>
    static List<string> Rules()
    {
        var rules = new[] { "ImportRules.cs", "EventScanner.cs" }
            .SelectMany(file => RuleText().Matches(File.ReadAllText(Repository.File($"src/MixpanelConnector.Emulator/Rules/{file}"))))
            .Select(match => string.Join(".*", Hole().Split(match.Groups["rule"].Value).Select(Regex.Escape))).Distinct(StringComparer.Ordinal).ToList();
        Assert.InRange(rules.Count, 20, 100);
        return rules;
    }

    [GeneratedRegex("\"(?<rule>[^\"]*(must|should|only|not allowed)[^\"]*)\"", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex RuleText();

    [GeneratedRegex("\\{[^}]*\\}", RegexOptions.NonBacktracking)]
    private static partial Regex Hole();

    /// <summary>Most parts are valid, so that invalid ones usually occur alone.</summary>
    static List<string> Generated()
    {
        var random = new Random(Seed);
        var (times, values) = (Times(), Values());
        string Pick(string[] from) => random.Next(4) == 0 ? from[random.Next(from.Length)] : from[0];
        var events = new List<string>();
        for (var i = 0; i < Events; i++)
        {
            var properties = new List<string>();
            if (random.Next(20) > 0) properties.Add($"\"time\":{(random.Next(3) == 0 ? times[random.Next(times.Length)] : times[6])}");
            if (random.Next(20) > 0) properties.Add($"\"distinct_id\":{Pick(Ids)}");
            if (random.Next(20) == 0) properties.Add("\"$user_id\":\"u\"");
            if (random.Next(20) == 0) properties.Add("\"$device_id\":\"d\"");
            properties.Add($"\"$insert_id\":{Pick(InsertIds)}"); // one that is missing is added here, and refused there
            if (random.Next(4) == 0) properties.Add($"\"x\":{values[random.Next(values.Length)]}");
            if (random.Next(50) == 0) properties.AddRange(Enumerable.Range(0, 250 + random.Next(6)).Select(k => $"\"p{k}\":1"));
            var members = new List<string>();
            if (random.Next(20) > 0) members.Add($"\"event\":{Pick(Names)}");
            if (random.Next(30) > 0) members.Add($"\"properties\":{{{string.Join(',', properties.OrderBy(_ => random.Next()))}}}");
            else if (random.Next(2) == 0) members.Add("\"properties\":[]");
            if (random.Next(40) == 0) members.Add("\"more\":1");
            events.Add($"{{{string.Join(',', members)}}}");
        }

        return events;
    }

    static async Task<Dictionary<int, string>> DryRunAsync(TemporaryFolder folder, TimeProvider clock, List<string> events)
    {
        var refused = new Dictionary<int, string>();
        using var client = new MixpanelClient(new() { TimeProvider = clock });
        var request = new ImportRequest { Inputs = [folder.Write("events.ndjson", string.Join('\n', events))], DryRun = true, Diagnostics = new Sink(refused) };
        var report = await client.ImportAsync(request, state: null, TestContext.Current.CancellationToken);
        Assert.Equal((events.Count, refused.Count), (report.Read, report.Rejected));
        return refused;
    }

    sealed class Sink(Dictionary<int, string> refused) : IProgress<ImportDiagnostic>
    {
        public void Report(ImportDiagnostic value)
        {
            if (value.Line is not { } line) return; // of the import as a whole
            lock (refused) refused[(int)line - 1] = value.Code;
        }
    }

    static async Task<Dictionary<int, string>> SendAsync(EmulatedMixpanel mixpanel, List<string> events)
    {
        var refused = new Dictionary<int, string>();
        using var http = new HttpClient { Timeout = Hang.Limit, BaseAddress = mixpanel.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("local:local"u8));
        for (var from = 0; from < events.Count; from += Batch)
        {
            using var body =
                new StringContent($"[{string.Join(',', events.GetRange(from, Math.Min(Batch, events.Count - from)))}]", Encoding.UTF8, "application/json");
            using var response = await http.PostAsync("/import?strict=1&project_id=1", body, TestContext.Current.CancellationToken);
            var answer = JsonElement.Parse(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
            if (!answer.TryGetProperty("failed_records", out var failed)) continue;
            foreach (var record in failed.EnumerateArray()) refused[from + record.GetProperty("index").GetInt32()] = record.GetProperty("message").GetString()!;
        }

        return refused;
    }
}

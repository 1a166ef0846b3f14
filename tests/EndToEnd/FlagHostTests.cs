using System.Text.Json;
using System.Web;

namespace MixpanelConnector.EndToEnd;

/// <summary>Flags over the wire: a program that evaluates each test vector with definitions that it fetches, and reports the exposures.</summary>
public sealed class FlagHostTests
{
    static readonly JsonElement[] Vectors =
    [
        .. JsonElement.Parse(File.ReadAllBytes(Repository.File("tests/Cases/flags/vectors.json"))).GetProperty("vectors").EnumerateArray(),
    ];

    [Fact]
    public async Task Each_vector_is_answered_and_each_variant_is_reported_once()
    {
        using var home = new Home();
        await using var mixpanel = await RecordingServer.StartAsync(request => request.Path switch
        {
            "/flags/definitions" => Answer.Json($$"""{"flags":[{{Vectors[Number(request.Query)].GetProperty("flag").GetRawText()}}]}"""),
            "/track" => Answer.Json("""{"status":1,"error":null}"""),
            _ => Answer.Plain("Not found", 404),
        });

        var answers = await AnswersAsync(home, mixpanel,
            Vectors.Select((vector, n) => Case(n.ToString(Invariant), $"token-{n}", vector.GetProperty("flag").GetProperty("key").GetString()!,
                vector.GetProperty("context").GetRawText(), wait: 0)));

        Assert.Equal(Vectors.Length, answers.Count);
        var reported = mixpanel.Requests.Where(request => request.Path == "/track")
            .SelectMany(request => request.Json.EnumerateArray())
            .ToLookup(one => one.GetProperty("properties").GetProperty("token").GetString()!, StringComparer.Ordinal);
        for (var n = 0; n < Vectors.Length; n++)
        {
            var (vector, answer) = (Vectors[n], answers[n.ToString(Invariant)]);
            var (expected, id) = (vector.GetProperty("expect"), vector.GetProperty("id").GetString());
            Assert.False(answer.TryGetProperty("error", out var error), $"{id}: {error}");
            var variant = answer.GetProperty("variant").GetString();
            if (!vector.TryGetProperty("free", out _))
            {
                Assert.Equal((id, expected.GetProperty("variant").GetString()), (id, variant));
                Assert.True(JsonElement.DeepEquals(expected.GetProperty("value"), answer.GetProperty("value")), id);
                Assert.Equal((expected.GetProperty("enabled").GetBoolean(), expected.GetProperty("qa").GetBoolean()),
                    (answer.GetProperty("enabled").GetBoolean(), answer.GetProperty("qa").GetBoolean()));
                if (expected.TryGetProperty("reason", out var reason) && reason.ValueKind is JsonValueKind.String)
                    Assert.Equal(reason.GetString(), answer.GetProperty("reason").GetString());
            }

            var exposures = reported[$"token-{n}"].ToList();
            Assert.Equal((id, variant is not null && HasPerson(vector.GetProperty("context")) ? 1 : 0), (id, exposures.Count));
            if (!expected.TryGetProperty("exposure", out var exposure) || exposure.ValueKind is not JsonValueKind.Object) continue;
            Assert.Equal("$experiment_started", exposures[0].GetProperty("event").GetString());
            Assert.All(exposure.EnumerateObject(),
                property => Assert.True(JsonElement.DeepEquals(property.Value, exposures[0].GetProperty("properties").GetProperty(property.Name)),
                    $"{id}: {property.Name}"));
        }
    }

    [Fact]
    public async Task Definitions_that_change_come_into_force_and_answers_that_are_none_change_nothing()
    {
        using var home = new Home();
        var asked = 0;
        await using var mixpanel =
            await RecordingServer.StartAsync(request => request.Path == "/track" ? Answer.Plain("1") : Interlocked.Increment(ref asked) switch
            {
                1 => Answer.Plain("busy", 503),
                2 => Definitions("first"),
                3 => Answer.Plain("<html>", type: "text/html"),
                4 => Answer.Json("{}"),
                _ => Definitions("second"),
            });

        var answers = await AnswersAsync(home, mixpanel, [Case("a", "token", "k", """{"distinct_id":"ada"}""", wait: 8)]);

        Assert.Equal("second", answers["a"].GetProperty("variant").GetString());
        static Answer Definitions(string variant) =>
            Answer.Json($$$"""{"flags":[{"key":"k","context":"distinct_id","ruleset":{"variants":[{"key":"{{{variant}}}","value":1,"split":1}],"rollout":[{"rollout_percentage":1}]}},{"key":"bad"}]}""");
    }

    static readonly IFormatProvider Invariant = System.Globalization.CultureInfo.InvariantCulture;

    static int Number(string query) => int.Parse(HttpUtility.ParseQueryString(query)["token"]!["token-".Length..], Invariant);

    static bool HasPerson(JsonElement context) =>
        context.TryGetProperty("distinct_id", out var person) && person.ValueKind is not JsonValueKind.Null
            && !(person.ValueKind is JsonValueKind.String && person.GetString() == "");

    static string Case(string id, string token, string key, string context, int wait) =>
        $$"""{"id":"{{id}}","token":"{{token}}","key":{{JsonSerializer.Serialize(key)}},"context":{{context}},"wait":{{wait}}}""";

    static async Task<Dictionary<string, JsonElement>> AnswersAsync(Home home, RecordingServer mixpanel, IEnumerable<string> cases)
    {
        var host = Repository.File($"tests/FlagHost/bin/{(AppContext.BaseDirectory.Contains("Release", StringComparison.Ordinal) ? "Release" : "Debug")}/net10.0/MixpanelConnector.FlagHost.dll");
        using var process = Run.Start("dotnet", [host], home, new Dictionary<string, string>(StringComparer.Ordinal) { ["MIXPANEL_ENDPOINT"] = mixpanel.Url });
        var written = Task.Run(async () =>
        {
            foreach (var one in cases) await process.StandardInput.WriteLineAsync(one);
            process.StandardInput.Close();
        });
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await written;
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, error);
        return (await output)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonElement.Parse(line))
            .ToDictionary(answer => answer.GetProperty("id").GetString()!, StringComparer.Ordinal);
    }
}

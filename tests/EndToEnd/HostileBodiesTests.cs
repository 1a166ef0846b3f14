using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;

namespace MixpanelConnector.EndToEnd;

/// <summary>The memory that a body, or an answer from Mixpanel, makes the server use, measured from outside.</summary>
public sealed class HostileBodiesTests
{
    const long MostBytes = 256 << 20;
    const string Query = "/v1/actions/query_user_profiles";
    const string Import = "/v1/actions/import_events";
    const string Track = "/v1/actions/track_event";

    static IEnumerable<(string What, string Path, Func<string> Body)> Bodies =>
    [
        ("shared properties for many events", Import, () => Events(Many("\"a\"", 20_000), $"\"s\":\"{new string('x', 1_000_000)}\"")),
        ("as many as are taken", Import, () => Events(Many("\"a\"", 99), $"\"s\":\"{new string('x', 1_000_000)}\"")),
        ("names alone", Import, () => Events(Many("\"a\"", 499_000))),
        ("empty events", Import, () => Events(Many("""{"event":"","properties":{}}""", 70_000))),
        ("nulls", Import, () => Events(Many("""{"event":"","properties":null}""", 80_000))),
        ("large events", Import, () => Events(Many($"{{\"event\":\"a\",\"properties\":{{\"x\":\"{Noise(970_000)}\"}}}}", 12))),
        ("large events of many values", Import,
            () => Events(Many($"{{\"event\":\"a\",\"properties\":{{\"x\":\"{Noise(40_000)}\",\"y\":[{Many("1", 1200)}]}}}}", 280))),
        ("values in shared properties", Import, () => Events("\"a\"", $"\"x\":[{Many("1", 499_000)}]")),
        ("properties of one event", Track, () => Event(string.Join(',', Enumerable.Range(0, 9990).Select(n => $"\"{n}\":1")))),
        ("values of one event", Track, () => Event($"\"x\":[{Many("[]", 239_000)}]")),
        ("objects of one event", Track, () => Event($"\"x\":[{Many("""{"a":1}""", 120_000)}]")),
        ("unknown members", Query, () => $"{{{string.Join(',', Enumerable.Range(0, 9990).Select(n => $"\"{n}\":1"))}}}"),
        ("wrong items", Query, () => $"{{\"output_properties\":[{Many("1", 499_000)}]}}"),
        ("empty items", Query, () => $"{{\"output_properties\":[{Many("\"\"", 499_000)}]}}"),
        ("more values than are taken", Query, () => $"{{\"output_properties\":[{Many("1", 4_400_000)}]}}"),
        ("deep names", Query,
            () => $"{{\"where\":{string.Concat(Enumerable.Repeat($"{{\"{new string('n', 255)}\":[", 15))}{Many("\"\"", 400_000)}{string.Concat(Enumerable.Repeat("]}", 15))}}}"),
        ("a message of texts", "/mcp", () => Call($"[{Many($"\"{new string('x', 1_000_000)}\"", 4)}]")),
        ("a message of values", "/mcp", () => Call($"[{Many("1", 199_000)}]")),
        ("a message of objects", "/mcp", () => Call($"[{Many("""{"a":[]}""", 39_000)}]")),
        ("a message that is too long", "/mcp", () => Call($"\"{new string('x', 60_000_000)}\"")),
        ("an answer of many values", Query, () => """{"where":"answer: values"}"""),
        ("an answer of many profiles", Query, () => """{"where":"answer: profiles"}"""),
        ("an answer of too many profiles", Query, () => """{"where":"answer: PROFILES"}"""),
        ("an answer of long texts", Query, () => """{"where":"answer: texts"}"""),
        ("an answer without an end", Query, () => """{"where":"answer: long"}"""),
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_body_and_no_answer_makes_the_server_hold_more_than_256_MB(bool answers)
    {
        if (!OperatingSystem.IsLinux()) return; // measured by /proc
        using var home = new Home();
        await using var mixpanel = await RecordingServer.StartAsync(Answered);
        using var serve = Run.StartMixpanel(home, ["serve", "--port", "0"], new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["MIXPANEL_ENDPOINT"] = mixpanel.Url,
            ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = "robot",
            ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = "secret",
            ["MIXPANEL_PROJECT_ID"] = "1",
        });
        try
        {
            var line = await serve.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) ?? "";
            using var http = new HttpClient { BaseAddress = new Uri(line[(line.LastIndexOf(" at ", StringComparison.Ordinal) + 4)..]), Timeout = Hang.Limit };
            Assert.Equal(200, await PostAsync(http, Query, "{}")); // what every first request brings is not the body's doing
            var idle = Bytes(serve.Id, "VmRSS");
            var highest = new List<string>();
            foreach (var (what, path, body) in Bodies.Where(one => one.What.StartsWith("an answer", StringComparison.Ordinal) == answers))
            {
                var status = await PostAsync(http, path, body());
                highest.Add(string.Create(CultureInfo.InvariantCulture, $"{(Bytes(serve.Id, "VmHWM") - idle) >> 20} MB after {what} ({status})"));
            }

            TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', highest));
            Assert.True(Bytes(serve.Id, "VmHWM") - idle <= MostBytes, string.Join('\n', highest));
        }
        finally
        {
            serve.Kill();
            await serve.WaitForExitAsync(CancellationToken.None);
        }
    }

    static Answer Answered(RecordedRequest request)
    {
        const string Profile = """{"$distinct_id":"","$properties":{},"x":1}""";
        if (request.Path.StartsWith("/import", StringComparison.Ordinal))
            return Answer.Json($$"""{"code":200,"num_records_imported":{{request.Json.GetArrayLength()}},"status":"OK"}""");
        return request.Text switch
        {
            var text when text.Contains("values", StringComparison.Ordinal) =>
                Answer.Json($$"""{"results":[{{Many("[]", 8_000_000)}}],"page":0,"status":"ok"}""").Gzipped(),
            var text when text.Contains("profiles", StringComparison.Ordinal) =>
                Answer.Json($$"""{"results":[{{Many(Profile, 66_000)}}],"page":0,"status":"ok"}""").Gzipped(),
            var text when text.Contains("PROFILES", StringComparison.Ordinal) =>
                Answer.Json($$"""{"results":[{{Many(Profile, 400_000)}}],"page":0,"status":"ok"}""").Gzipped(),
            var text when text.Contains("texts",
                StringComparison.Ordinal) => Answer.Json($$"""{"results":[{{Many($"{{\"$distinct_id\":\"\",\"$properties\":{{\"x\":\"{new string('x', 1_000_000)}\"}}}}", 19)}}],"page":0,"status":"ok"}""").Gzipped(),
            var text when text.Contains("long", StringComparison.Ordinal) => Answer.Json($"\"{new string('x', 400_000_000)}\"").Gzipped(),
            _ => Answer.Json("""{"results":[],"page":0,"status":"ok"}"""),
        };
    }

    static async Task<int> PostAsync(HttpClient http, string path, string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var isCompressed = bytes.Length > 10_000_000 && path != "/mcp";
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(isCompressed ? Gzip(bytes) : bytes) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (isCompressed) request.Content.Headers.ContentEncoding.Add("gzip");
        request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return (int)answer.StatusCode;
    }

    static byte[] Gzip(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest)) gzip.Write(bytes);
        return compressed.ToArray();
    }

    /// <summary>Text that gzip compresses to half its size, and not further.</summary>
    static string Noise(int bytes)
    {
        var noise = new byte[bytes / 2];
        new Random(Seed: 1).NextBytes(noise);
        return Convert.ToHexStringLower(noise);
    }

    static string Events(string events, string shared = "") => $"{{\"strict\":\"1\",\"events\":[{events}],\"properties\":{{{shared}}}}}";

    static string Event(string properties) => $"{{\"event\":\"a\",\"properties\":{{\"time\":1,\"distinct_id\":\"u\",\"$insert_id\":\"i\",{properties}}}}}";

    static string Call(string where) =>
        """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query_user_profiles","arguments":{"where":""" + where + "}}}";

    static string Many(string item, int count) => string.Join(',', Enumerable.Repeat(item, count));

    static long Bytes(int process, string name) =>
        File.ReadLines($"/proc/{process}/status")
            .Where(line => line.StartsWith(name, StringComparison.Ordinal))
            .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10).Single();
}

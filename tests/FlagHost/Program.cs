// Evaluates feature flags of the Mixpanel at MIXPANEL_ENDPOINT. Reads one case per line, {"id","token","key","context","wait"}, and for
// each prints a line, {"id","variant","value","enabled","qa","reason"}, or {"id","error"}. Cases run concurrently.
using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector;

const int SideBySide = 256;
var deep = new JsonDocumentOptions { MaxDepth = 512 };
var endpoint = new Uri(Environment.GetEnvironmentVariable("MIXPANEL_ENDPOINT")
    ?? throw new InvalidOperationException("MIXPANEL_ENDPOINT is not set: name the address of a Mixpanel."));
using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, AutomaticDecompression = DecompressionMethods.All })
{
    Timeout = TimeSpan.FromHours(1),
};
using var room = new SemaphoreSlim(SideBySide);
using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
using var input = new StreamReader(Console.OpenStandardInput());
var trackers = new ConcurrentDictionary<string, MixpanelTracker>(StringComparer.Ordinal);
var cases = new List<Task>();
while (await input.ReadLineAsync() is { } line)
{
    if (string.IsNullOrWhiteSpace(line)) continue;
    await room.WaitAsync();
    cases.Add(Task.Run(async () =>
    {
        var answer = await AnswerAsync(line);
        lock (output) output.WriteLine(answer.ToJsonString());
        room.Release();
    }));
}

await Task.WhenAll(cases);
foreach (var tracker in trackers.Values)
{
    await tracker.FlushAsync();
    await tracker.DisposeAsync();
}

async Task<JsonObject> AnswerAsync(string line)
{
    var answer = new JsonObject();
    try
    {
        var given = JsonElement.Parse(line, deep);
        answer["id"] = JsonNode.Parse(given.GetProperty("id").GetRawText());
        var options = new MixpanelOptions { Endpoint = endpoint, Token = given.GetProperty("token").GetString() };
        using var client = new MixpanelClient(options, http);
        var tracker = trackers.GetOrAdd(options.Token!,
            _ => new MixpanelTracker(new MixpanelClient(options, http), new TrackerOptions { EventsTo = EventEndpoint.Track, MaxBufferedBytes = 1 << 20 }));
        await using var flags = new MixpanelFlags(client, tracker, new FlagOptions { PollInterval = TimeSpan.FromSeconds(1) });
        await flags.WaitUntilReadyAsync(TimeSpan.FromSeconds(5));
        if (given.TryGetProperty("wait", out var wait) && wait.ValueKind is JsonValueKind.Number)
            await Task.Delay(TimeSpan.FromSeconds(wait.GetDouble()), TimeProvider.System);
        var evaluation = flags.Evaluate(given.GetProperty("key").GetString()!, EvaluationContext.FromJson(given.GetProperty("context")));
        answer["variant"] = evaluation.VariantKey;
        answer["value"] = evaluation.Value is { } value ? JsonNode.Parse(value.GetRawText(), documentOptions: deep) : null;
        answer["enabled"] = evaluation.IsEnabled;
        answer["qa"] = evaluation.IsTestUser;
        answer["reason"] = evaluation.Reason is { } reason ? JsonNamingPolicy.SnakeCaseUpper.ConvertName(reason.ToString()) : null;
    }
    catch (Exception e)
    {
        answer["error"] = $"{e.GetType().Name}: {e.Message}";
    }

    return answer;
}

using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests;

/// <summary>Common settings of the tests.</summary>
static class Given
{
    public const string Username = "robot.1a2b.mp-service-account";
    public const string SecretText = "s3cr/t+ü\"&=%";
    public const string TokenText = "0123456789abcdef0123456789abcdef";

    /// <summary>The header for each credential, computed by another program.</summary>
    public const string AccountHeader = "Basic cm9ib3QuMWEyYi5tcC1zZXJ2aWNlLWFjY291bnQ6czNjci90K8O8IiY9JQ==";
    public const string TokenHeader = "Basic MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY6";

    public const string ImportedOne = """{"code":200,"num_records_imported":1,"status":"OK"}""";

    /// <summary>A service account, its project and its organization.</summary>
    public static MixpanelOptions Account() =>
        Bare() with { ServiceAccount = new(Username, new MixpanelSecret(SecretText)), ProjectId = 12345, OrganizationId = 77 };

    /// <summary>Only a project token.</summary>
    public static MixpanelOptions Token() => Bare() with { Token = TokenText };

    /// <summary>No credential. Waits take no time, and there is no jitter.</summary>
    public static MixpanelOptions Bare() => new() { TimeProvider = new ImpatientClock(), Randomizer = () => 0 };

    public static MixpanelOptions At(this MixpanelOptions options, RecordingServer server) => options with { Endpoint = server.Address };

    public static ImpatientClock Clock(this MixpanelClient client) => (ImpatientClock)client.Options.TimeProvider;

    public static string Imported(int events) => $$"""{"code":200,"num_records_imported":{{events}},"status":"OK"}""";

    public static TrackEventInput Track(string @event = "Signed Up", long? time = null) => new()
    {
        Event = @event,
        Properties = new() { Time = time ?? ImpatientClock.Noon.ToUnixTimeSeconds(), DistinctId = "ann", InsertId = "id-1" },
    };

    public static ImportEventsInput Import(params EventData[] events) => new() { Strict = "1", Events = events, Properties = [] };

    public static EventData Event(string name, string properties = """{"time":1795435200,"distinct_id":"ann","$insert_id":"id-1"}""") =>
        new() { Event = name, Properties = JsonNode.Parse(properties)!.AsObject() };

    public static EventData[] Events(int count, string padding = "") =>
        [
            .. Enumerable.Range(0, count)
                .Select(i => Event("Viewed",
                    $$"""{"time":1795435200,"distinct_id":"ann","$insert_id":"id-{{i}}"{{(padding.Length == 0 ? "" : $",\"p\":\"{padding}\"")}}}""")),
        ];

    /// <summary>Calls an action as the interfaces do: JSON in, JSON out.</summary>
    public static async Task<JsonElement> CallAsync(this MixpanelClient client, string action, string input) =>
        JsonElement.Parse((await ActionCatalogue.Find(action)!.InvokeAsync(client, JsonElement.Parse(input))).Json.Span);

    public static Task<MixpanelException> FailsAsync(Func<Task> call) => Assert.ThrowsAsync<MixpanelException>(call);

    public static Task<MixpanelException> FailsAsync<T>(ValueTask<T> call) => FailsAsync(() => call.AsTask());

    public static void JsonEqual(string expected, JsonElement actual) =>
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(expected), actual), $"Expected {expected}\nbut was  {actual.GetRawText()}");
}

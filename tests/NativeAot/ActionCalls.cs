using System.Text;
using System.Text.Json;
using MixpanelConnector;

/// <summary>Actions of every kind, by JSON and by types, and the schemas of all.</summary>
static class ActionCalls
{
    public static async Task<int> RunAsync(Uri address)
    {
        var options = new MixpanelOptions
        {
            Endpoint = address,
            ServiceAccount = new ServiceAccountCredentials("local", new MixpanelSecret("local")),
            ProjectId = 1,
        };
        using var client = new MixpanelClient(options);
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

        foreach (var (name, input) in new (string, string)[]
        {
            ("import_events", $$$"""{"strict":"1","properties":{"plan":"pro"},"events":[{"event":"A","properties":{"time":{{{now}}},"distinct_id":"u1"}}]}"""),
            ("track_event", $$$"""{"event":"B","properties":{"time":{{{now}}},"distinct_id":"u1","$insert_id":"b-1"}}"""),
            ("create_service_account", """{"username":"aot","role":"analyst","projects":[1]}"""),
            ("get_all_service_accounts", """{"organization_id":1}"""),
            ("query_user_profiles", "{}"),
            ("query_event_counts", """{"events":["A"],"type":"unique","unit":"day","interval":1}"""),
            ("get_top_events", """{"type":"general"}"""),
            ("get_event_names", "{}"),
            ("query_event_property_counts", """{"event":"A","property":"plan","from_date":"2026-01-01","to_date":"2026-01-01"}"""),
            ("get_event_properties", """{"event":"A"}"""),
            ("get_event_property_values", """{"event":"A","property":"plan"}"""),
        })
        {
            using var json = JsonDocument.Parse(input);
            var answer = await ActionCatalogue.Find(name)!.InvokeAsync(client, json.RootElement);
            Console.WriteLine($"{name} {Encoding.UTF8.GetString(answer.Json.Span)}");
        }

        foreach (var action in ActionCatalogue.Actions) Console.WriteLine($"{action.Name} schema {action.InputSchema().ToJsonString()}");

        var accounts = await client.GetAllServiceAccountsAsync(new() { OrganizationId = 1 });
        Console.WriteLine($"accounts {accounts.Total}");
        return accounts.Total > 1 ? 0 : 1;
    }
}

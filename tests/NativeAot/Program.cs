// With the address of a Mixpanel, calls actions there and exits. Without it, tracks each order on standard input, a line of JSON, with a
// source-generated JSON contract and as an event with generated serialization: in memory, and durably if an outbox is configured. Then it
// waits until it is stopped.
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MixpanelConnector;
using MixpanelConnector.Sqlite;

if (args is [var address]) return await ActionCalls.RunAsync(new Uri(address));

var builder = Host.CreateApplicationBuilder(args);
var mixpanel = builder.Services.AddMixpanel(builder.Configuration.GetSection("Mixpanel"));
if (builder.Configuration["Outbox"] is { } folder) mixpanel.UseSqliteOutbox(folder);
builder.Services.AddHealthChecks().AddMixpanel();
using var host = builder.Build();
await host.StartAsync();
var tracker = host.Services.GetRequiredService<IMixpanelTracker>();
while (Console.ReadLine() is { } line)
{
    var order = JsonSerializer.Deserialize(line, Json.Default.OrderPlaced)!;
    await tracker.TrackAsync("user-1", order, Json.Default.OrderPlaced);
    await tracker.TrackAsync("user-1", new OrderChecked(order, Verdict.Fine, [1, null], DateTimeOffset.UnixEpoch, Doubt: null));
    await tracker.TrackAsync("Marked", "user-1", new Marked(Mark.Right, Mark.Wrong), Json.Default.Marked);
    await tracker.TrackAsync("Marked", "user-1", new Dictionary<string, object?>(StringComparer.Ordinal) { ["Mark"] = Mark.Right, ["Before"] = Mark.Wrong });
    tracker.Profile("user-1").Set("Currency", order.Currency);
}

Console.WriteLine("tracked");
await host.WaitForShutdownAsync();
return 0;

[MixpanelEvent("Order placed")]
sealed record OrderPlaced(decimal Total, string Currency);

[MixpanelEvent("Order checked")]
sealed partial record OrderChecked(OrderPlaced Order, Verdict Verdict, IReadOnlyList<int?> Marks, DateTimeOffset Since, Verdict? Doubt);

enum Verdict
{
    Unknown,
    Fine,
}

sealed record Marked(Mark Mark, Mark? Before);

enum Mark
{
    [JsonStringEnumMemberName("all right")]
    Right,
    Wrong,
}

[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(OrderPlaced))]
[JsonSerializable(typeof(Marked))]
sealed partial class Json : JsonSerializerContext;

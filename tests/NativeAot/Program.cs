// With the address of a Mixpanel, calls actions there and exits. Without it, tracks each posted order, with a source-generated JSON
// contract and as an event with generated serialization: in memory, and durably if an outbox is configured.
using System.Text.Json.Serialization;
using MixpanelConnector;
using MixpanelConnector.Sqlite;

if (args is [var address]) return await ActionCalls.RunAsync(new Uri(address));

var builder = WebApplication.CreateSlimBuilder(args);
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, Json.Default));
var mixpanel = builder.Services.AddMixpanel(builder.Configuration.GetSection("Mixpanel"));
if (builder.Configuration["Outbox"] is { } folder) mixpanel.UseSqliteOutbox(folder);
builder.Services.AddHealthChecks().AddMixpanel();
var app = builder.Build();
app.MapPost("/orders", async (OrderPlaced order, IMixpanelTracker tracker) =>
{
    await tracker.TrackAsync("user-1", order, Json.Default.OrderPlaced);
    await tracker.TrackAsync("user-1", new OrderChecked(order, Verdict.Fine, [1, null], DateTimeOffset.UnixEpoch, Doubt: null));
    await tracker.TrackAsync("Marked", "user-1", new Marked(Mark.Right, Mark.Wrong), Json.Default.Marked);
    await tracker.TrackAsync("Marked", "user-1", new Dictionary<string, object?>(StringComparer.Ordinal) { ["Mark"] = Mark.Right, ["Before"] = Mark.Wrong });
    tracker.Profile("user-1").Set("Currency", order.Currency);
});
app.Run();
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

[JsonSerializable(typeof(OrderPlaced))]
[JsonSerializable(typeof(Marked))]
sealed partial class Json : JsonSerializerContext;

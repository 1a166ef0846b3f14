using System.Security.Claims;
using MixpanelConnector;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddMixpanel(builder.Configuration.GetSection("Mixpanel"));

var app = builder.Build();
app.MapPost("/orders", (Order order, HttpContext http, IMixpanelTracker mixpanel) =>
{
    var user = http.User.FindFirstValue(ClaimTypes.NameIdentifier) is { Length: > 0 } id ? MixpanelUser.Identified(id) : MixpanelUser.None;
    mixpanel.Track("Order placed", user, new { order.Total, order.Currency });
    return Results.Ok();
});
app.Run();

sealed record Order(decimal Total, string Currency);

using Microsoft.AspNetCore.Mvc;
using MixpanelConnector;
using MixpanelConnector.AspNetCore;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddMixpanel(builder.Configuration.GetSection("Mixpanel")).AddFlags().AddRequests(options =>
{
    options.Groups = http => http.Request.Headers["X-Company"] is [{ Length: > 0 } company, ..] ? [new("company", company)] : [];
    options.Properties = http =>
    [
        new("$current_url", $"{http.Request.Scheme}://{http.Request.Host}{http.Request.Path}"),
        new("$user_agent", http.Request.Headers.UserAgent.ToString()),
    ];
    options.ClientAddress = true; // Mixpanel makes city and country of it and does not keep it
});
builder.Services.AddHealthChecks().AddMixpanel();
builder.Services.AddControllers();

var app = builder.Build();
app.UseMixpanel(); // after UseAuthentication, where there is one
app.MapControllers();
app.MapHealthChecks("/health");
app.Run();

[ApiController]
[Route("orders")]
public sealed class OrdersController(IMixpanelTracker mixpanel, FlagSnapshot flags, EvaluationContext person) : ControllerBase
{
    [HttpPost]
    public IActionResult Place(Order order)
    {
        mixpanel.Track("Order placed", MixpanelUser.Current, new { order.Total, order.Currency });
        return Ok(flags.IsEnabled("vouchers", person) ? "Here is a voucher." : "Thank you.");
    }
}

public sealed record Order(decimal Total, string Currency);

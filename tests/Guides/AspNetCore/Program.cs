using Microsoft.AspNetCore.Mvc;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddMixpanel(builder.Configuration.GetSection("Mixpanel"));
builder.Services.AddHealthChecks().AddMixpanel();
builder.Services.AddHttpContextAccessor();
builder.Services.AddScoped<RequestTracker>();
builder.Services.AddControllers();

var app = builder.Build();
app.MapControllers();
app.MapHealthChecks("/health");
app.Run();

[ApiController]
[Route("orders")]
public sealed class OrdersController(RequestTracker tracker) : ControllerBase
{
    [HttpPost]
    public IActionResult Place(Order order)
    {
        tracker.Track("Order placed", new { order.Total, order.Currency });
        return Ok();
    }
}

public sealed record Order(decimal Total, string Currency);

using System.Security.Claims;
using Microsoft.AspNetCore.Mvc;
using Microsoft.FeatureManagement.FeatureFilters;
using Microsoft.FeatureManagement.Mvc;
using MixpanelConnector;
using MixpanelConnector.FeatureManagement;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddMixpanel(builder.Configuration.GetSection("Mixpanel")).AddFlags().UseFeatureManagement();
builder.Services.AddHttpContextAccessor();
builder.Services.AddScoped<ITargetingContextAccessor, CurrentUser>();
builder.Services.AddControllers();

var app = builder.Build();
app.MapGet("/price", (FlagSnapshot flags, HttpContext http) => flags.Number("price", CurrentUser.Of(http), fallback: 10));
app.MapGet("/flags",
    (FlagSnapshot flags, HttpContext http) => flags.EvaluateAll(CurrentUser.Of(http))
        .ToDictionary(flag => flag.Key, flag => flag.Value.Value, StringComparer.Ordinal));
app.MapControllers();
app.Run();

/// <summary>Only for those to whom the flag gives true; others get 404.</summary>
[ApiController]
[Route("checkout")]
[FeatureGate("new-checkout")]
public sealed class CheckoutController : ControllerBase
{
    [HttpGet]
    public string Show() => "The new checkout.";
}

/// <summary>Whom flags are evaluated for in a request.</summary>
public sealed class CurrentUser(IHttpContextAccessor accessor) : ITargetingContextAccessor
{
    public ValueTask<TargetingContext> GetContextAsync() => new(new MixpanelTargetingContext(Of(accessor.HttpContext!)));

    public static EvaluationContext Of(HttpContext http) =>
        new EvaluationContext((http.User.FindFirstValue(ClaimTypes.NameIdentifier), http.Request.Cookies["device_id"]) switch
        {
            ({ } user, var device) => MixpanelUser.Identified(user, device),
            (_, { } device) => MixpanelUser.Anonymous(device),
            _ => MixpanelUser.None,
        })
            .WithProperties(new Dictionary<string, object?>(StringComparer.Ordinal) { ["language"] = http.Request.Headers.AcceptLanguage.ToString() });
}

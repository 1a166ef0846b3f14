using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server.Circuits;
using MixpanelConnector;
using MixpanelConnector.AspNetCore;
using Shop.Components;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddMixpanel(builder.Configuration.GetSection("Mixpanel")).AddRequests();
builder.Services.AddScoped<CircuitHandler, MixpanelCircuit>();
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
builder.Services.AddCascadingAuthenticationState();
builder.Services.AddRazorComponents().AddInteractiveServerComponents();

var app = builder.Build();
app.UseAuthentication();
app.UseMixpanel(); // while a page is rendered for a request, prerendering among it
app.UseAntiforgery();
app.MapStaticAssets();
app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
app.MapGet("/sign-in",
    () => TypedResults.SignIn(new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, "user-1")], "guide")),
        new AuthenticationProperties { RedirectUri = "/" })); // in place of yours
app.Run();

/// <summary>Whatever comes from the browser into a circuit, a click for one, is of the person who is signed in there, and of the page that is shown.</summary>
sealed class MixpanelCircuit(AuthenticationStateProvider authentication, NavigationManager navigation) : CircuitHandler
{
    public override Func<CircuitInboundActivityContext, Task> CreateInboundActivityHandler(Func<CircuitInboundActivityContext, Task> next) => async context =>
    {
        var person = (await authentication.GetAuthenticationStateAsync()).User;
        var user = person.FindFirstValue(ClaimTypes.NameIdentifier) is { Length: > 0 } id ? MixpanelUser.Identified(id) : MixpanelUser.None;
        using var scope = MixpanelScope.Begin(user, new Dictionary<string, object?>(StringComparer.Ordinal) { ["$current_url"] = navigation.Uri });
        await next(context);
    };
}

using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>GET /healthz</c>: answers once everything else does, and says which instance it is, and whose store it serves.</summary>
sealed class Health(string instance, string store)
{
    public Task HandleAsync(HttpContext context) => context.Response.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteString("status", "ok");
        json.WriteString("instance", instance);
        json.WriteString("store", store);
        json.WriteEndObject();
    });
}

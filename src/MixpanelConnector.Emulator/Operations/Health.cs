using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>GET /healthz</c>: answers once everything else does, and returns the id of the instance and that of its store.</summary>
sealed class Health(string instance, Database database)
{
    public Task HandleAsync(HttpContext context) => context.Response.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteString("status", "ok");
        json.WriteString("instance", instance);
        json.WriteString("store", database.Id);
        json.WriteEndObject();
    });
}

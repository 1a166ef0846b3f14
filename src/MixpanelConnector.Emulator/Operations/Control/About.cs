using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Operations.Control;

/// <summary><c>/</c> and <c>/emulator</c>: describe the emulator and its control endpoints.</summary>
sealed class About(EmulatorOptions options)
{
    static readonly byte[] Description = Resources.Read("openapi.json");

    public Task HandleAsync(HttpContext context) => context.Response.ResultsAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteString("name", "Embedded Mixpanel");
        json.WriteString("about",
            "A stand-in for Mixpanel on this machine, for development and tests. It validates, stores and answers as Mixpanel's documentation specifies; "
            + "nothing leaves this machine.");
        json.WriteString("version", typeof(About).Assembly.GetName().Version!.ToString(3));
        json.WriteString("control", "/emulator/openapi.json");
        json.WriteString("requests", "/emulator/requests");
        json.WriteBoolean("persistent", options.DataDirectory is not null);
        json.WriteStartObject("project");
        json.WriteNumber("id", DevelopmentCredentials.ProjectId);
        json.WriteNumber("organization_id", DevelopmentCredentials.OrganizationId);
        json.WriteString("token", DevelopmentCredentials.ProjectToken);
        json.WriteString("service_account", DevelopmentCredentials.ServiceAccountUsername);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    /// <summary>The OpenAPI document of everything under <c>/emulator</c>.</summary>
    public static Task DescribeAsync(HttpContext context) => context.Response.BytesAsync(200, "application/json", Description);
}

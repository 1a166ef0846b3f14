using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations.Control;

/// <summary><c>/emulator/reset</c>, <c>/emulator/snapshots</c>: resets everything, saves everything under a name, and restores that.</summary>
sealed class SnapshotControl(Snapshots snapshots, StartOver startOver, Access access)
{
    const int LongestName = 64;

    public async Task ResetAsync(HttpContext context)
    {
        await access.ManagerAsync(context).ConfigureAwait(false);
        await startOver.ResetAsync(context.RequestAborted).ConfigureAwait(false);
        await context.Response.OkAsync().ConfigureAwait(false);
    }

    public async Task ListAsync(HttpContext context)
    {
        await access.ManagerAsync(context).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartArray();
            foreach (var name in snapshots.Names)
                WriteName(json, name);
            json.WriteEndArray();
        }).ConfigureAwait(false);
    }

    public async Task SaveAsync(HttpContext context)
    {
        await access.ManagerAsync(context).ConfigureAwait(false);
        var name = NameOf(context);
        await snapshots.SaveAsync(name, context.RequestAborted).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json => WriteName(json, name)).ConfigureAwait(false);
    }

    public async Task RestoreAsync(HttpContext context)
    {
        await access.ManagerAsync(context).ConfigureAwait(false);
        if (!await snapshots.RestoreAsync(NameOf(context), context.RequestAborted).ConfigureAwait(false)) throw NotFound();
        startOver.Forget();
        await context.Response.OkAsync().ConfigureAwait(false);
    }

    public async Task DeleteAsync(HttpContext context)
    {
        await access.ManagerAsync(context).ConfigureAwait(false);
        if (!await snapshots.DeleteAsync(NameOf(context), context.RequestAborted).ConfigureAwait(false)) throw NotFound();
        await context.Response.OkAsync().ConfigureAwait(false);
    }

    static string NameOf(HttpContext context)
    {
        var name = (string)context.Request.RouteValues["snapshot"]!;
        return name.Length <= LongestName && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '_' or '-')
            ? name
            : throw new RefusedException(400, $"a snapshot's name must be 1 to {LongestName} lowercase letters, digits, _ and -");
    }

    static RefusedException NotFound() => new(404, "snapshot not found: GET /emulator/snapshots lists the existing ones");

    static void WriteName(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteEndObject();
    }
}

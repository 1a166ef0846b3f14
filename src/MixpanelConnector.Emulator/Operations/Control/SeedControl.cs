using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Operations.Control;

/// <summary><c>POST /emulator/seed</c>: loads projects, accounts and data that are described in one JSON object.</summary>
sealed class SeedControl(Seeding seeding, Access access)
{
    const int LargestSeed = 64 * 1024 * 1024;

    public async Task ApplyAsync(HttpContext context)
    {
        await access.ManagerAsync(context).ConfigureAwait(false);
        using var body = await RequestBody.ReadAsync(context.Request, LargestSeed, gzipAllowed: true, context.RequestAborted).ConfigureAwait(false);
        try
        {
            await seeding.ApplyAsync(body.Memory, context.RequestAborted).ConfigureAwait(false);
        }
        catch (FormatException e)
        {
            throw new RefusedException(400, e.Message);
        }
        await context.Response.OkAsync().ConfigureAwait(false);
    }
}

using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Faults;
using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Operations.Control;

/// <summary><c>/emulator/faults</c>: shows, replaces and clears the injected faults.</summary>
sealed class FaultControl(FaultPlan plan, Access access)
{
    const int LargestPlan = 1024 * 1024;

    public async Task ShowAsync(HttpContext context)
    {
        await access.ManagerAsync(context).ConfigureAwait(false);
        await AnswerAsync(context).ConfigureAwait(false);
    }

    public async Task ReplaceAsync(HttpContext context)
    {
        await access.ManagerAsync(context).ConfigureAwait(false);
        using var body = await RequestBody.ReadAsync(context.Request, LargestPlan, gzipAllowed: false, context.RequestAborted).ConfigureAwait(false);
        try
        {
            plan.Replace(EmulatorFaults.Parse(Encoding.UTF8.GetString(body.Memory.Span)));
        }
        catch (FormatException e)
        {
            throw new RefusedException(400, e.Message);
        }
        await AnswerAsync(context).ConfigureAwait(false);
    }

    public async Task ClearAsync(HttpContext context)
    {
        await access.ManagerAsync(context).ConfigureAwait(false);
        plan.Replace(new EmulatorFaults());
        await AnswerAsync(context).ConfigureAwait(false);
    }

    /// <summary>The faults as they were set, each rule with the number of times it was applied.</summary>
    Task AnswerAsync(HttpContext context)
    {
        var (faults, happened) = plan.Show();
        var json = JsonNode.Parse(faults.ToJson())!;
        for (var i = 0; i < happened.Count; i++)
            json["rules"]![i]!["happened"] = happened[i];
        return context.Response.ResultsAsync(200, writer => json.WriteTo(writer));
    }
}

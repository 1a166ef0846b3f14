using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Live;

namespace MixpanelConnector.Emulator.Faults;

/// <summary>Injects the faults of the plan, before any other processing of a request.</summary>
sealed class FaultyAnswers(FaultPlan plan)
{
    // The client is real, so faults use the real clock, whatever clock the events use.
    static readonly TimeProvider Clock = TimeProvider.System;
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        if (Journal.IsOurs(context) || plan.Next(context.Request) is not { } fault)
        {
            await next(context).ConfigureAwait(false);
            return;
        }
        if (fault.Delay > 0) await Task.Delay(TimeSpan.FromMilliseconds(fault.Delay), Clock, context.RequestAborted).ConfigureAwait(false);
        if (fault.TerminatedAfter is not null)
        {
            context.Features.Set(fault);
            await next(context).ConfigureAwait(false);
        }
        else if (fault.Stored || fault.CutAfter is not null || fault.BytesPerSecond is not null || (fault.Status is null && !fault.Reset))
            await AnswerAsync(context, next, fault).ConfigureAwait(false);
        else if (fault.Reset)
            Reset(context);
        else
            await RefuseAsync(context, fault).ConfigureAwait(false);
    }

    /// <summary>Processes the request, and then corrupts its response.</summary>
    static async Task AnswerAsync(HttpContext context, RequestDelegate next, EmulatorFault fault)
    {
        var client = context.Response.Body;
        using var answer = new MemoryStream();
        context.Response.Body = answer;
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            context.Response.Body = client;
        }
        if (fault.Reset)
        {
            Reset(context);
        }
        else if (fault.Status is not null)
        {
            context.Response.Clear();
            await RefuseAsync(context, fault).ConfigureAwait(false);
        }
        else
        {
            await SendAsync(context, answer.GetBuffer().AsMemory(0, (int)answer.Length), fault).ConfigureAwait(false);
        }
    }

    static async Task SendAsync(HttpContext context, ReadOnlyMemory<byte> body, EmulatorFault fault)
    {
        context.Response.ContentLength = context.Response.StatusCode == StatusCodes.Status204NoContent ? null : body.Length;
        var end = Math.Min(fault.CutAfter ?? body.Length, body.Length);
        var step = fault.BytesPerSecond is { } speed ? Math.Max(1, (int)(speed * Step.TotalSeconds)) : end;
        for (var at = 0; at < end; at += step)
        {
            await context.Response.Body.WriteAsync(body[at..Math.Min(at + step, end)], context.RequestAborted).ConfigureAwait(false);
            await context.Response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
            if (fault.BytesPerSecond is not null)
                await Task.Delay(TimeSpan.FromSeconds((double)step / fault.BytesPerSecond.Value), Clock, context.RequestAborted).ConfigureAwait(false);
        }
        // If a response is shorter than its Content-Length, the server closes the connection once everything written was sent.
        if (fault.CutAfter is not null) await context.Response.StartAsync(context.RequestAborted).ConfigureAwait(false);
    }

    static Task RefuseAsync(HttpContext context, EmulatorFault fault)
    {
        if (fault.RetryAfter is { } seconds) context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return context.ErrorAsync(ErrorShapes.For(context.Request.Path), fault.Status!.Value, $"injected fault: {fault.Status}");
    }

    /// <summary>Resets the connection if the system supports it; otherwise at least closes it without a response.</summary>
    static void Reset(HttpContext context)
    {
        if (context.Features.Get<IConnectionSocketFeature>() is { } connection)
            connection.Socket.LingerState = new System.Net.Sockets.LingerOption(enable: true, seconds: 0);
        Journal.MarkEnded(context);
        context.Abort();
    }
}

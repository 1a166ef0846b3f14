using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>The latest requests and what they were answered with.</summary>
sealed class RequestLog(TimeProvider time)
{
    const int Capacity = 10_000;

    static readonly object Ended = new();

    readonly Lock _lock = new();
    readonly Queue<ReceivedRequest> _requests = new();

    public IReadOnlyList<ReceivedRequest> All
    {
        get
        {
            lock (_lock)
                return [.. _requests];
        }
    }

    /// <summary>The connection was ended in place of an answer.</summary>
    public static void MarkEnded(HttpContext context) => context.Items[Ended] = true;

    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        var at = time.GetUtcNow();
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            var ended = context.Items.ContainsKey(Ended) || context.RequestAborted.IsCancellationRequested;
            lock (_lock)
            {
                if (_requests.Count == Capacity)
                    _requests.Dequeue();
                _requests.Enqueue(new ReceivedRequest(context.Request.Method, context.Request.Path, context.Request.QueryString.ToString(), ended ? null : context.Response.StatusCode, at));
            }
        }
    }
}

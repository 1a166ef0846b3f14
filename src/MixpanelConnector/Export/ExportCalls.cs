using System.Globalization;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Export;

/// <summary>Sends the calls of an export, each until its answer is complete: up to five times, with a wait before each retry.</summary>
sealed class ExportCalls(ExportRequest request, MixpanelTransport transport, ExportCounts counts)
{
    const int MostTries = 5;

    public MixpanelOptions Options => transport.Options;

    /// <summary>Returns a time with the precision of the manifest, to the second.</summary>
    public static DateTime Seconds(DateTimeOffset moment) => new(moment.UtcTicks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, DateTimeKind.Utc);

    /// <summary>Reports how many calls are needed, and how many are left.</summary>
    public async Task TellNeedAsync(int needed, CallKind kind, CancellationToken cancellationToken, string more = "")
    {
        if (request.Notices is not { } notices) return;
        var left = Options.Ledger is { } ledger ? await ledger.LeftAsync(Options, kind, cancellationToken).ConfigureAwait(false) : null;
        var has = left is null
            ? ""
            : string.Create(CultureInfo.InvariantCulture,
                $"; {left} left this hour{(left >= needed ? "" : request.Wait ? ", the others wait for the next hours" : $", the others need another run, or {Options.Words[Setting.OfExport(nameof(ExportRequest.Wait))]}")}");
        notices.Report($"This needs {Counted.Of(needed, "call")}{more}{has}.");
    }

    /// <param name="call">The request.</param>
    /// <param name="what">What it requests, such as a day; for messages.</param>
    /// <param name="read">Reads a successful answer.</param>
    /// <param name="refusal">Returns the error of any other answer.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="MixpanelException">It is refused, or was incomplete after all attempts, or the hourly calls are used up.</exception>
    public async Task<T> UntilWholeAsync<T>(MixpanelRequest call, string what, Func<Reply, CancellationToken, Task<T>> read, Func<Reply, MixpanelError> refusal,
        CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            var reply = await SendAsync(call, isRetry: tries > 1, cancellationToken).ConfigureAwait(false);
            string reason;
            try
            {
                if (reply is { Failure: null, Status: 200 }) return await read(reply, cancellationToken).ConfigureAwait(false);
                var error = refusal(reply);
                if (!(reply.IsRateLimit || reply.IsUnavailable || reply.Failure is { Kind: ErrorKind.Unavailable or ErrorKind.Timeout }))
                    throw new MixpanelException(error);
                reason = error.Message;
            }
            catch (NotWholeException e)
            {
                reason = $"It is incomplete: {e.Message}.";
            }

            if (tries == MostTries)
                throw new MixpanelException(reply.Error(ErrorKind.Unavailable,
                    $"{what} was requested {MostTries} times and was never complete. {reason} {Options.Words.RunAgainAtStart}.") with
                {
                    Attempts = tries,
                });
            var wait = Backoff.Delay(tries, Options.BackoffMin, Options.BackoffMax, reply.RetryAfter, Options.Randomizer());
            request.Notices?.Report(string.Create(CultureInfo.InvariantCulture, $"{what}: {reason} Retrying in {wait.TotalSeconds:0.#} s."));
            await counts.WaitAsync(wait, Options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    async Task<Reply> SendAsync(MixpanelRequest call, bool isRetry, CancellationToken cancellationToken)
    {
        while (true)
        {
            var reply = await transport.SendOnceAsync(call, cancellationToken).ConfigureAwait(false);
            if (reply is not { Failure: { Kind: ErrorKind.RateLimited, RetryAfter: { } usedUp } error })
            {
                counts.Request(isRetry);
                return reply;
            }

            if (!request.Wait) throw new MixpanelException(error);
            request.Notices?.Report(string.Create(CultureInfo.InvariantCulture,
                $"The hourly calls are used up: resuming at {Options.TimeProvider.GetUtcNow() + usedUp:yyyy-MM-dd'T'HH:mm:ss'Z'}."));
            await counts.WaitAsync(usedUp, Options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }
}

using Microsoft.Extensions.Logging;
using MixpanelConnector.Tracking.Buffering;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Tracking.Sending;

/// <summary>Moves records from the buffers to Mixpanel.</summary>
abstract partial class SendLoop(IReadOnlyList<RecordChannel> channels, RecordBudget budget, MixpanelOptions options) : IAsyncDisposable
{
    readonly CancellationTokenSource _stop = new();
    readonly List<Task> _sending = [];
    readonly ILogger _logger = HarmlessLogger.Create(options, "MixpanelConnector.Tracker");

    protected IReadOnlyList<RecordChannel> Channels { get; } = channels;

    protected RecordBudget Budget { get; } = budget;

    protected MixpanelOptions Options { get; } = options;

    protected CancellationToken Stop => _stop.Token;

    protected Task Running { get; private set; } = Task.CompletedTask;

    /// <summary>Whether a record is only safe some time after it was added.</summary>
    public abstract bool MakesDurable { get; }

    /// <summary>Why no more records can be accepted; null while there is no failure.</summary>
    public virtual Exception? Failure => null;

    public abstract (long Records, TimeSpan Oldest) Queue(TrackedKind kind);

    /// <summary>Completes when everything that was added is accepted or refused; fails when some of it was given up.</summary>
    public abstract Task FlushAsync();

    /// <summary>Completes when everything that was added survives the end of the process, as far as that is promised; fails when some of it does not.</summary>
    public abstract Task SecureAsync();

    /// <summary>The number of records of a kind that are lost if the process ends now.</summary>
    public abstract long Unsafe(TrackedKind kind);

    public void Start() => Running = Task.WhenAll(Work().Select(work => Task.Run(() => UntilStoppedAsync(work))));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Running.ConfigureAwait(false);
        Task sending;
        lock (_sending) sending = Task.WhenAll(_sending);
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // nothing is in flight any more once this is disposed
        var stopped = new MixpanelException(new(ErrorKind.Unavailable, "The tracker was stopped before all its records were sent."));
        Leave(stopped);
        foreach (var channel in Channels)
        {
            channel.Buffer.Abandon(stopped);
            channel.Dispose();
        }
    }

    protected abstract IEnumerable<Func<Task>> Work();

    /// <summary>Called when the work has ended, to report or store what is left.</summary>
    protected virtual void Leave(Exception stopped) { }

    /// <summary>Sends the next item whenever one of the channel's senders is free.</summary>
    protected async Task SendEachAsync<T>(RecordChannel channel, Func<Task<T>> next, Func<T, Task> send)
    {
        while (true)
        {
            // Waits for a sender first: while none is free, the open batch keeps filling.
            await channel.Free.WaitAsync(Stop).ConfigureAwait(false);
            var isSending = false;
            try
            {
                var what = await next().ConfigureAwait(false);
                var task = SendAsync(channel, () => send(what));
                isSending = true;
                lock (_sending)
                {
                    _sending.RemoveAll(earlier => earlier.IsCompleted);
                    _sending.Add(task);
                }
            }
            finally
            {
                if (!isSending) channel.Free.Release();
            }
        }
    }

    async Task SendAsync(RecordChannel channel, Func<Task> send)
    {
        try
        {
            await send().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (Stop.IsCancellationRequested)
        {
            // Whoever stops the loop reports or stores what was not sent.
        }
        catch (Exception e)
        {
            LogUnforeseen(e.GetType().Name);
        }
        finally
        {
            channel.Free.Release();
        }
    }

    /// <summary>Restarts a loop that fails; the work must release what it holds.</summary>
    async Task UntilStoppedAsync(Func<Task> work)
    {
        for (var failures = 1; !Stop.IsCancellationRequested; failures++)
        {
            try
            {
                await work().ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (Stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogUnforeseen(e.GetType().Name);
                await PauseAsync(failures).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Waits for the backoff after a number of failures, or until this is stopped.</summary>
    protected async Task PauseAsync(int failures) =>
        await Task.Delay(Backoff.Delay(failures, Options.BackoffMin, Options.BackoffMax, retryAfter: null, Options.Randomizer()), Options.TimeProvider,
            Stop).ConfigureAwait(false);

    [LoggerMessage(Level = LogLevel.Error, Message = "The tracker caught an unexpected {Exception} and continues")]
    partial void LogUnforeseen(string exception);
}

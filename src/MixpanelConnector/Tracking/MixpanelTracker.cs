using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Send;
using MixpanelConnector.Tracking.Buffering;
using MixpanelConnector.Tracking.Observing;
using MixpanelConnector.Tracking.Records;
using MixpanelConnector.Tracking.Screening;
using MixpanelConnector.Tracking.Sending;

namespace MixpanelConnector;

/// <summary>
/// Buffers events and profile updates in memory, and sends them in the background: in batches, compressed, retried after
/// a failure, and each with an id and a time that were fixed when it was tracked. Create one and reuse it; it is thread-safe.
/// </summary>
public sealed partial class MixpanelTracker : IMixpanelTracker, IAsyncDisposable, IDisposable
{
    // The batch size of the buffer, and thus of most requests. Larger batches compress no better.
    const int BatchBytes = 2 << 20;

    readonly MixpanelClient _client;
    readonly bool _ownsClient;
    readonly MixpanelOptions _options;
    readonly TrackerOptions _tracking;
    readonly EventAdditions _additions;
    readonly RecordScreen? _screen;
    readonly RecordBudget _budget;
    readonly RecordChannel[] _channels;
    readonly SendLoop _sendLoop;
    readonly TrackerMetrics _metrics;
    readonly ILogger _logger;
    readonly OutageWatch _outage;
    readonly byte[] _idPrefix = new byte[16];
    readonly CancellationTokenSource _giveUp = new();
    readonly Lock _stopLock = new();
    long _ids;
    Task? _stopping;

    /// <summary>Creates a tracker with connections of its own.</summary>
    /// <param name="options">How to reach Mixpanel, and with which credentials. A project token is enough; profile updates need one.</param>
    /// <param name="tracking">How to buffer and send. Default: in memory, every 100 milliseconds.</param>
    /// <exception cref="MixpanelException">An option is out of range, there is no credential, or the outbox belongs to another tracker.</exception>
    /// <exception cref="OutboxException">The outbox cannot be read.</exception>
    public MixpanelTracker(MixpanelOptions options, TrackerOptions? tracking = null)
        : this(new MixpanelClient(options), tracking ?? new(), ownsClient: true) { }

    /// <summary>Creates a tracker that sends through a client, which the caller disposes after it.</summary>
    /// <param name="client">The client.</param>
    /// <param name="tracking">How to buffer and send. Default: in memory, every 100 milliseconds.</param>
    /// <exception cref="MixpanelException">An option is out of range, there is no credential, or the outbox belongs to another tracker.</exception>
    /// <exception cref="OutboxException">The outbox cannot be read.</exception>
    public MixpanelTracker(MixpanelClient client, TrackerOptions? tracking = null)
        : this(client ?? throw new ArgumentNullException(nameof(client)), tracking ?? new(), ownsClient: false) { }

    MixpanelTracker(MixpanelClient client, TrackerOptions tracking, bool ownsClient)
    {
        // Background work belongs to no request, not even to the one that created the tracker.
        using IDisposable? unbound = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
        (_client, _ownsClient, _options, _tracking) = (client, ownsClient, client.Options, tracking.Validated());
        var transport = tracking.Queue is { } queue ? client.Transport.With(client.Options with { Queue = queue }) : client.Transport;
        Destination events = tracking.EventsTo is EventEndpoint.Track ? new TrackDestination(transport) : new EventDestination(transport, strict: true);
        if (tracking.Enabled) events.EnsureAccess();
        _screen = tracking.Screen();
        _additions = new EventAdditions(tracking.SuperProperties, tracking.EventsTo is EventEndpoint.Track ? _options.Token : null);
        _budget = new RecordBudget(tracking.MaxBufferedBytes);
        _logger = HarmlessLogger.Create(_options, "MixpanelConnector.Tracker");
        Convert.TryToHexStringLower(RandomNumberGenerator.GetBytes(8), _idPrefix, out _);
        _outage = new OutageWatch(_logger, _options.TimeProvider, kind => _sendLoop!.Queue(kind).Records);
        if (!tracking.Enabled)
        {
            tracking.Outbox?.Dispose(); // its records stay in it
            (_metrics, _channels, _sendLoop) = (TrackerMetrics.None, [], new BufferedSendLoop([], [], _budget, _options));
            return;
        }

        _metrics = new TrackerMetrics(tracking.MeterFactory, kind => _sendLoop?.Queue(kind) ?? default, _outage.Lasts);
        var buffers = new BufferPool(tracking.MaxBufferedBytes);
        // All channels share one limiter: a rate limit applies to the project.
        var limiter = new ConcurrencyLimiter(tracking.Senders, Math.Min(4, tracking.Senders), _options, TimeSpan.MaxValue);
        var gathered = new AsyncAutoResetEvent();
        List<AsyncAutoResetEvent> signals = tracking.Outbox is null ? [new(), new(), new()] : [gathered, gathered, gathered];
        _channels =
        [
            NewChannel(TrackedKind.Event, events, tracking.Senders),
            NewChannel(TrackedKind.Profile, new ProfileDestination(transport, "/engage", strict: true), senders: 1),
            NewChannel(TrackedKind.Group, new ProfileDestination(transport, "/groups", strict: true), senders: 1),
        ];
        _sendLoop = tracking.Outbox is { } outbox
            ? new DurableSendLoop(_channels, gathered, outbox, _budget, buffers, tracking, _options)
            : new BufferedSendLoop(_channels, signals, _budget, _options);
        _sendLoop.Start();

        RecordChannel NewChannel(TrackedKind kind, Destination destination, int senders) => new(
            kind,
            new BatchBuffer(tracking.BatchRecords, BatchBytes, tracking.Outbox is null ? tracking.FlushInterval : TimeSpan.Zero, buffers, _options.TimeProvider,
                signals[(int)kind]),
            new BatchExporter(kind, destination, _options, tracking, limiter, _metrics, _outage),
            senders);
    }

    /// <summary>The number of records that Mixpanel does not have yet.</summary>
    public long Pending => _channels.Sum(channel => _sendLoop.Queue(channel.Kind).Records);

    /// <summary>The time that the oldest of the <see cref="Pending"/> records has waited.</summary>
    public TimeSpan OldestAge => _channels.Select(channel => _sendLoop.Queue(channel.Kind).Oldest).DefaultIfEmpty().Max();

    /// <summary>
    /// The reason why records are waiting and not accepted, or why none can be enqueued; also the last error of an outage. Null while no problem is known.
    /// </summary>
    public MixpanelError? LastError => Fault ?? _outage.Error;

    /// <summary>An error that does not resolve by itself.</summary>
    internal MixpanelError? Fault =>
        _sendLoop.Failure is { } failure ? new MixpanelError(ErrorKind.Unavailable, failure.Message)
        : _channels.Select(channel => channel.Exporter.WhenFailing).FirstOrDefault(failing => failing.IsCompleted)?.Result
        ?? (_stopping is null ? null : new MixpanelError(ErrorKind.Unavailable, Stopped));

    /// <summary>The time for which Mixpanel has accepted none of the waiting records; zero while it accepts them.</summary>
    internal TimeSpan Outage => _outage.Longest;

    /// <inheritdoc/>
    public bool Enqueue(in TrackedRecord record)
    {
        if (!_tracking.Enabled) return true;
        var writer = RecordWriter.Rent();
        try
        {
            if (Write(writer, in record, out var leftOut) is { } rejected)
            {
                _channels[(int)record.Kind].Exporter.Reject(rejected);
                return false;
            }

            if (leftOut is not null)
            {
                _channels[(int)record.Kind].Exporter.LeaveOut(leftOut);
                return true;
            }

            if (Refusal() is { } refusal) return Drop(record.Kind, refusal);
            var length = writer.Written.Length;
            if (!_budget.TryTake(length))
            {
                if (_tracking.WhenFull is WhenFull.Drop || length > _tracking.MaxBufferedBytes) return Drop(record.Kind, Full);
                if (!_budget.Take(length, _tracking.WaitTimeout)) return Drop(record.Kind, _budget.IsClosed ? Stopped : Full);
            }

            return TryAdd(writer, in record, wantsToKnow: false, out _) || Drop(record.Kind, Stopped);
        }
        finally
        {
            writer.Return();
        }
    }

    /// <inheritdoc/>
    public ValueTask EnqueueAsync(TrackedRecord record, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        if (!_tracking.Enabled) return default;
        var writer = RecordWriter.Rent();
        var waits = false;
        try
        {
            if (Write(writer, in record, out var leftOut) is { } rejected)
                return ValueTask.FromException(new MixpanelException(MixpanelError.Invalid(rejected.Field, rejected.Message)));
            if (leftOut is not null)
            {
                _channels[(int)record.Kind].Exporter.LeaveOut(leftOut);
                return default;
            }

            if (Refusal() is { } refusal) return ValueTask.FromException(Dropped(record.Kind, refusal));
            var length = writer.Written.Length;
            if (!_budget.TryTake(length))
            {
                if (_tracking.WhenFull is WhenFull.Drop || length > _tracking.MaxBufferedBytes) return ValueTask.FromException(Dropped(record.Kind, Full));
                waits = true;
                return AddWhenRoomAsync(writer, record, length, cancellationToken);
            }

            if (!TryAdd(writer, in record, _sendLoop.MakesDurable, out var safe)) return ValueTask.FromException(Dropped(record.Kind, Stopped));
            return safe is null ? default : new ValueTask(safe.WaitAsync(cancellationToken));
        }
        finally
        {
            if (!waits) writer.Return();
        }
    }

    /// <inheritdoc/>
    public async Task FlushAsync(CancellationToken cancellationToken = default)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var flushed = Observed(_sendLoop.FlushAsync());
        var first = await Task.WhenAny([flushed, .. _channels.Select(channel => ErrorOf(channel, ended.Token))])
            .WaitAsync(cancellationToken).ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false);
        if (first is Task<MixpanelError> failing && !flushed.IsCompletedSuccessfully) throw new MixpanelException(await failing.ConfigureAwait(false));
        await flushed.ConfigureAwait(false);
    }

    /// <summary>
    /// Stops accepting records, and sends what is left. With an outbox, records that are not sent in time stay there for the next start; without one they are
    /// lost, counted and logged. A second call waits for the first to complete.
    /// </summary>
    /// <param name="cancellationToken">When canceled, gives up what is not sent yet. That usually completes at once; when application code does not return,
    /// such as a handler that blocks its thread, this returns after half a minute all the same, and logs it.</param>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        var stopping = BeginToStop();
        using var limit = cancellationToken.UnsafeRegister(static giveUp => ((CancellationTokenSource)giveUp!).Cancel(), _giveUp);
        await stopping.WaitAsync(_giveUp.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await stopping.WaitAsync(_tracking.Unwinding, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stopping.IsCompleted) await stopping.ConfigureAwait(false);
        else LogNotEnded();
    }

    /// <summary>
    /// Runs synchronously, so that callers that block thread-pool threads while they wait for room release them; the following steps need some.
    /// </summary>
    Task BeginToStop()
    {
        lock (_stopLock)
        {
            if (_stopping is not null) return _stopping;
            foreach (var channel in _channels) channel.Buffer.Close();
            _budget.Close();
            return _stopping = Task.Run(StopOnceAsync, CancellationToken.None);
        }
    }

    async Task StopOnceAsync()
    {
        try
        {
            // Refused records are reported.
            await Observed(_sendLoop.SecureAsync()).WaitAsync(_giveUp.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var channel in _channels) channel.Exporter.Hurry();
            // Not FlushAsync: refused credentials end a wait for it, but other records may still be accepted, and these once the cause is fixed.
            await Observed(_sendLoop.FlushAsync()).WaitAsync(_giveUp.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or MixpanelException)
        {
            // The remaining records are reported below.
        }

        await _sendLoop.DisposeAsync().ConfigureAwait(false);
        long lost = 0;
        foreach (var channel in _channels)
        {
            var ofKind = _sendLoop.Unsafe(channel.Kind);
            _metrics.Records(channel.Kind, "dropped", ofKind);
            lost += ofKind;
            channel.Exporter.Conclude();
        }

        if (lost > 0) LogLost(lost);
        if (Pending - lost is > 0 and var kept) LogKept(kept);
        _metrics.Dispose();
        if (_ownsClient) _client.Dispose();
    }

    /// <summary>Like <see cref="StopAsync"/>, but gives up after <see cref="TrackerOptions.StopTimeout"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(_tracking.StopTimeout, _options.TimeProvider);
        await StopAsync(limit.Token).ConfigureAwait(false);
    }

    /// <summary>Like <see cref="DisposeAsync"/>, but blocks the thread, which checks the time itself. Prefer <c>await using</c>.</summary>
    public void Dispose()
    {
        Task[] stopping = [BeginToStop()];
        if (Task.WaitAny(stopping, _tracking.StopTimeout) < 0)
        {
            _giveUp.Cancel();
            if (Task.WaitAny(stopping, _tracking.Unwinding) < 0)
            {
                LogNotEnded();
                return;
            }
        }

        stopping[0].GetAwaiter().GetResult();
    }

    const string Stopped = "The tracker was stopped.";

    const string Full = "The tracker's buffer is full: Mixpanel accepts records more slowly than they are tracked, or not at all. "
        + "See TrackerOptions.MaxBufferedBytes and WhenFull.";

    /// <summary>Serializes a record. Returns why that is not possible, which should fail no request, or why the record is left out.</summary>
    RejectedRecord? Write(RecordWriter writer, in TrackedRecord record, out string? leftOut)
    {
        leftOut = null;
        try
        {
            var scope = MixpanelScope.Current;
            if (scope is { IsOptedOut: true } && RecordScreen.MindsOptOut(in record))
            {
                leftOut = RecordScreen.OptedOut;
                return null;
            }

            if (record.Kind is TrackedKind.Event)
            {
                Span<byte> id = stackalloc byte[32];
                _idPrefix.CopyTo(id); // the prefix identifies this tracker; the rest is a counter
                Interlocked.Increment(ref _ids).TryFormat(id[16..], out _, "x16", CultureInfo.InvariantCulture);
                var time = record.Time ?? _options.TimeProvider.GetUtcNow();
                var additions = scope?.Properties.AddTo(_additions) ?? _additions;
                writer.WriteEvent(in record, time.ToUnixTimeMilliseconds(), id, record.Context?.Groups.AddTo(additions) ?? additions);
            }
            else
            {
                writer.WriteUpdate(in record, _options.Token ?? throw ProfileDestination.NeedsToken());
            }

            if (_screen is { } screen) leftOut = screen.Pass(writer, in record, _options.Token);
        }
        catch (RecordScreenException e)
        {
            return RejectedRecord.NotScreened(record.Kind, e.Code, e.Message);
        }
        catch (Exception e) when (e is not MixpanelException and not OutOfMemoryException)
        {
            return RejectedRecord.NotSerializable(record.Kind, e);
        }

        return leftOut is not null || writer.Written.Length <= RecordWriter.MostRecordBytes
            ? null
            : RejectedRecord.TooLarge(record.Kind, writer.Written.Length);
    }

    bool TryAdd(RecordWriter writer, in TrackedRecord record, bool wantsToKnow, out Task? safe)
    {
        var channel = _channels[(int)record.Kind];
        var entry = new Entry
        {
            Source = "",
            IdAt = writer.InsertId.At,
            IdLength = writer.InsertId.Length,
            Repeatable = record.Kind is TrackedKind.Event || record.Name is not ("$add" or "$append"),
        };
        if (!channel.Buffer.TryAdd(writer.Written, in entry, wantsToKnow, out safe))
        {
            _budget.GiveBack(writer.Written.Length);
            return false;
        }

        return true;
    }

    async ValueTask AddWhenRoomAsync(RecordWriter writer, TrackedRecord record, int length, CancellationToken cancellationToken)
    {
        Task? safe;
        try
        {
            if (!await _budget.TakeAsync(length, _tracking.WaitTimeout, _options.TimeProvider, cancellationToken).ConfigureAwait(false))
                throw Dropped(record.Kind, _budget.IsClosed ? Stopped : Full);
            if (!TryAdd(writer, in record, _sendLoop.MakesDurable, out safe)) throw Dropped(record.Kind, Stopped);
        }
        finally
        {
            writer.Return();
        }

        if (safe is not null) await safe.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Why no record is accepted; null when records are accepted.</summary>
    string? Refusal() => _sendLoop.Failure?.Message;

    bool Drop(TrackedKind kind, string reason)
    {
        _channels[(int)kind].Exporter.Drop(1, reason);
        return false;
    }

    MixpanelException Dropped(TrackedKind kind, string reason)
    {
        Drop(kind, reason);
        return new MixpanelException(new(ErrorKind.Unavailable, reason));
    }

    /// <summary>Observes the failure of a task, which matters only to those who still await it.</summary>
    static Task Observed(Task task)
    {
        _ = task.ContinueWith(static failed => _ = failed.Exception, CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return task;
    }

    static async Task<MixpanelError> ErrorOf(RecordChannel channel, CancellationToken cancellationToken) =>
        await channel.Exporter.WhenFailing.WaitAsync(cancellationToken).ConfigureAwait(false);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "The tracker was stopped but has not ended: a handler, a callback or the outbox does not return, or the thread pool has no free thread. "
            + "It continues in the background")]
    partial void LogNotEnded();

    [LoggerMessage(Level = LogLevel.Error, Message = "{Count} tracked records were not accepted in time and are lost")]
    partial void LogLost(long count);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} tracked records stay in the outbox for the next start")]
    partial void LogKept(long count);
}

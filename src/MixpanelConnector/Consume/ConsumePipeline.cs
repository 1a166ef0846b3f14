using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Pipeline;
using MixpanelConnector.Import.Send;
using MixpanelConnector.Import.Undelivered;
using MixpanelConnector.Queues;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Consume;

/// <summary>
/// Consumes a queue so that every record is accounted for: an import whose inputs are messages, and whose state is what the broker
/// knows to be acknowledged. It works in rounds; each has its own connection.
/// <list type="number">
/// <item>Connect, with retries for as long as an outage may last.</item>
/// <item>Import until the stop signal, the end of the queue, a lost connection, or until a message was held for so long that the broker would take it
/// back.</item>
/// <item>Return the messages that are not acknowledged.</item>
/// <item>If the reason was that Mixpanel does not answer, poll it, without holding messages, until it does. An outage thus uses up one delivery of a message,
/// however long it lasts.</item>
/// </list>
/// </summary>
sealed class ConsumePipeline(ConsumeRequest request, DeliveryQueue queue, MixpanelTransport transport)
{
    /// <summary>The maximum size of prefetched messages: a batch in flight, and one that is being filled.</summary>
    const long MostBytesHeld = 24 << 20;

    const int MostMessagesHeld = 1000;

    /// <summary>
    /// The limit for updates. Those that are not idempotent become dead letters if the process is killed while it holds them, so few are held.
    /// </summary>
    const int MostUpdatesHeld = 8;

    /// <summary>The interval between saves of the state. Acknowledged messages make room for more.</summary>
    static readonly TimeSpan SettleInterval = TimeSpan.FromMilliseconds(25);

    /// <summary>
    /// The time after the stop signal in which received messages may be finished. Together with the waits for pending answers and the broker, it stays below 30
    /// seconds.
    /// </summary>
    static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(10);

    static readonly TimeSpan LongestGrace = TimeSpan.FromSeconds(8);

    static readonly TimeSpan GiveBackPatience = TimeSpan.FromSeconds(5);

    static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(2);

    /// <summary>The time for connecting even if the limit of an outage is shorter: a broker that responds is not unavailable.</summary>
    static readonly TimeSpan LeastConnecting = TimeSpan.FromSeconds(5);

    readonly TimeProvider _time = transport.Options.TimeProvider;
    readonly MessageLedger _ledger = new();
    readonly ReasonCounts _reasons = new();
    readonly TimeSpan _grace = request.ConsumerTimeout / 8 < LongestGrace ? request.ConsumerTimeout / 8 : LongestGrace;
    ImportTotals _totals = new();
    long _pending;
    long _returned;
    long? _lag;

    /// <exception cref="ImportStateException">The dead-letter file cannot be used. No message was received.</exception>
    public async Task<ConsumeReport> RunAsync(CancellationToken cancellationToken)
    {
        var began = _time.GetTimestamp();
        var destination = Destination.For(request.Records, transport);
        destination.EnsureAccess();
        using var problems = new ImportCancellation(_time, cancellationToken);
        var publisher = request.DeadLetterQueue is { } name ? new DeadLetterPublisher(queue, name, transport.Options, e => Warn(e.Message)) : null;
        DeadLetterSink sink = publisher ?? (DeadLetterSink)DeadLetterAppender.Open(request.DeadLetterPath!, request.Records.InWords);
        await using (sink.ConfigureAwait(false)) await RunAsync(destination, sink, publisher, problems, cancellationToken).ConfigureAwait(false);
        return Report(sink, problems, cancellationToken.IsCancellationRequested, _time.GetElapsedTime(began));
    }

    /// <summary>Runs the rounds.</summary>
    async Task RunAsync(Destination destination, DeadLetterSink sink, DeadLetterPublisher? publisher, ImportCancellation problems,
        CancellationToken cancellationToken)
    {
        using var metrics = new ConsumeMetrics(() => _lag);
        var (fruitless, since) = (0, _time.GetTimestamp()); // consecutive rounds that acknowledged nothing and ended with a lost connection

        while (!cancellationToken.IsCancellationRequested && await ConnectAsync(publisher, problems, cancellationToken).ConfigureAwait(false) is { } consumer)
        {
            await using (consumer.ConfigureAwait(false))
            {
                var round = new ConsumeRound(consumer, request, _time, _grace, DrainPatience, cancellationToken);
                await using (round.ConfigureAwait(false))
                {
                    var settled = _ledger.Settled;
                    await RunAsync(round, consumer, sink, metrics, problems).ConfigureAwait(false);
                    if (round.Lost is { Fault: QueueFault.Forbidden or QueueFault.Missing or QueueFault.Unconfigured } refused)
                        problems.Note(refused.Outcome, refused.Message);
                    else if (round.Lost is { } lost) Warn($"{lost.Message} Reconnecting.");
                    if (round.Lost is null || _ledger.Settled > settled) (fruitless, since) = (0, _time.GetTimestamp());
                    else if (_time.GetElapsedTime(since) >= request.Records.MaxOutage)
                        problems.Note(RunOutcome.Unavailable,
                            $"{round.Lost.Message} This has lasted for {Counted.Of(request.Records.MaxOutage)}. {request.Records.InWords.RunAgainAtStart} later: "
                            + $"unacknowledged messages stay in the queue.");
                    else if (problems.Problems.IsEmpty && fruitless++ > 0) await PauseAsync(fruitless, since, cancellationToken).ConfigureAwait(false);
                    if (!round.GoesOn || !problems.Problems.IsEmpty) break;
                    if (round.HeldTooLong is { } held)
                    {
                        await consumer.DisposeAsync().ConfigureAwait(false);
                        if (!await WaitForMixpanelAsync(destination, held, problems, cancellationToken).ConfigureAwait(false)) break;
                    }
                }
            }
        }
    }

    async Task RunAsync(ConsumeRound round, QueueConsumer consumer, DeadLetterSink sink, ConsumeMetrics metrics, ImportCancellation problems)
    {
        var state = new AcknowledgedState(request, consumer, _ledger, sink, _reasons, round.Lose, round.LoseAtOnce, round.Abandon);
        var before = _totals;
        var records = request.Records with
        {
            Feed = new MessageFeed(consumer, request, _ledger, round.End, round.Draining),
            CheckpointInterval = SettleInterval,
            Grace = _grace,
            Progress = request.Progress is null ? null : new Relay(this, before),
        };
        var watching = round.WatchAsync();
        var measuring = MeasureAsync(consumer, metrics, state, before, round.Over);
        try
        {
            var report = await new ImportPipeline(records, state, transport).RunAsync(round.Stop).ConfigureAwait(false);
            if (report.Outcome is not (RunOutcome.Complete or RunOutcome.Rejected or RunOutcome.Stopped)) problems.Note(report.Outcome, report.Problems[0]);
            _pending = report.Read - state.Whole.Read;
            _totals = Sum(before, state.Whole with { Requests = report.Requests, Retries = report.Retries });
        }
        finally
        {
            await round.CloseAsync().ConfigureAwait(false);
            await Task.WhenAll(watching, measuring).ConfigureAwait(false);
            Measure(metrics, state, before);
            _ledger.Forget();
            _returned += consumer.Held;
            await GiveBackAsync(consumer, round).ConfigureAwait(false);
        }
    }

    /// <summary>Connects, with retries; returns null when the broker refuses, or does not accept the connection in time.</summary>
    async Task<QueueConsumer?> ConnectAsync(DeadLetterPublisher? publisher, ImportCancellation problems, CancellationToken cancellationToken)
    {
        var began = _time.GetTimestamp();
        for (var failures = 1; ; failures++)
        {
            try
            {
                return await ConnectAsync(publisher, Left(began), cancellationToken).ConfigureAwait(false);
            }
            catch (QueueException e) when (e.Fault is QueueFault.Unavailable && _time.GetElapsedTime(began) < request.Records.MaxOutage)
            {
                if (failures == 1) Warn($"{e.Message} Retrying for up to {Counted.Of(request.Records.MaxOutage)}.");
            }
            catch (QueueException e)
            {
                problems.Note(e.Outcome,
                    e.Fault is QueueFault.Unavailable
                        ? $"{e.Message} This has lasted for {Counted.Of(request.Records.MaxOutage)}. {request.Records.InWords.RunAgainAtStart} later: "
                            + $"unacknowledged messages stay in the queue."
                        : e.Message);
                return null;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return null;
            }

            await PauseAsync(failures, began, cancellationToken).ConfigureAwait(false);
            if (cancellationToken.IsCancellationRequested) return null;
        }
    }

    /// <summary>Connects once. A client that retries by itself, or cannot be canceled, is abandoned when the outage has lasted too long.</summary>
    async Task<QueueConsumer> ConnectAsync(DeadLetterPublisher? publisher, TimeSpan left, CancellationToken cancellationToken)
    {
        var connecting = OpenAsync(publisher, cancellationToken);
        var connected = connecting.WaitAsync(cancellationToken);
        var isInTime = connected.IsCompleted
            || await Waits.EndsWithinAsync(connected, left > LeastConnecting ? left : LeastConnecting, _time).ConfigureAwait(false);
        if (!isInTime || !connected.IsCompletedSuccessfully) _ = AbandonAsync(connecting);
        return isInTime
            ? await connected.ConfigureAwait(false)
            : throw new QueueException(QueueFault.Unavailable, $"The broker of {request.Address} cannot be reached, or does not respond.");
    }

    async Task<QueueConsumer> OpenAsync(DeadLetterPublisher? publisher, CancellationToken cancellationToken)
    {
        if (publisher is not null) await publisher.ConnectAsync(cancellationToken).ConfigureAwait(false);
        var most = request.Records.Type is ImportType.Events ? MostMessagesHeld : MostUpdatesHeld;
        return await queue.ConsumeAsync(new(MostBytesHeld, most, request.UntilEmpty), cancellationToken).ConfigureAwait(false);
    }

    static async Task AbandonAsync(Task<QueueConsumer> connecting)
    {
        try
        {
            await (await connecting.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is QueueException or OperationCanceledException)
        {
            // It failed too late to be reported.
        }
    }

    /// <summary>Polls Mixpanel, without a record, until it answers. Returns false when that takes too long, or the caller stops it.</summary>
    async Task<bool> WaitForMixpanelAsync(Destination destination, TimeSpan held, ImportCancellation problems, CancellationToken cancellationToken)
    {
        var began = _time.GetTimestamp();
        var buffers = new BufferPool(1 << 20);
        for (var failures = 1; !cancellationToken.IsCancellationRequested; failures++)
        {
            var nothing = new RecordBatch(0, 1, 2, buffers);
            try
            {
                nothing.Close();
                destination.Compress(nothing);
                var reply = await destination.SendAsync(nothing, cancellationToken).ConfigureAwait(false);
                if (destination.Read(reply, 0).Kind is not (VerdictKind.Retry or VerdictKind.Untrusted)) return true;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return false;
            }
            finally
            {
                nothing.Release();
            }

            if (failures == 1) Warn("Mixpanel does not respond. Unacknowledged messages are returned to the queue, and none are consumed until it responds.");
            if (held + _time.GetElapsedTime(began) >= request.Records.MaxOutage)
            {
                problems.Note(RunOutcome.Unavailable,
                    $"Mixpanel does not respond. This has lasted for {Counted.Of(request.Records.MaxOutage)}. {request.Records.InWords.RunAgainAtStart} later: "
                    + $"unacknowledged messages stay in the queue.");
                return false;
            }

            await PauseAsync(failures, began, cancellationToken, held).ConfigureAwait(false);
        }

        return false;
    }

    async Task GiveBackAsync(QueueConsumer consumer, ConsumeRound round)
    {
        if (round.Lost is not null) return;
        using var patience = new CancellationTokenSource(GiveBackPatience, _time);
        try
        {
            await consumer.GiveBackAsync(patience.Token).ConfigureAwait(false);
            _lag = await consumer.LagAsync(patience.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is QueueException or OperationCanceledException)
        {
            _lag = null; // the broker takes the messages back by itself
        }
    }

    void Measure(ConsumeMetrics metrics, AcknowledgedState state, ImportTotals before)
    {
        metrics.Messages(_ledger.Settled, _ledger.Redelivered);
        metrics.Records(before.Accepted + state.Latest.Accepted, before.Rejected + state.Latest.Rejected);
    }

    async Task MeasureAsync(QueueConsumer consumer, ConsumeMetrics metrics, AcknowledgedState state, ImportTotals before, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            try
            {
                Measure(metrics, state, before);
                _lag = await consumer.LagAsync(over).ConfigureAwait(false);
            }
            catch (Exception e) when (e is QueueException or OperationCanceledException)
            {
                _lag = null;
            }

            await Task.Delay(ProgressInterval, _time, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>How much longer an outage may last.</summary>
    TimeSpan Left(long since, TimeSpan before = default) =>
        request.Records.MaxOutage - before - _time.GetElapsedTime(since) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>Waits before the next try, which is the last one when the outage has lasted too long.</summary>
    Task PauseAsync(int failures, long since, CancellationToken cancellationToken, TimeSpan before = default)
    {
        var (pause, left) = (
            Backoff.Delay(failures, transport.Options.BackoffMin, transport.Options.BackoffMax, retryAfter: null, transport.Options.Randomizer()),
            Left(since, before));
        return Task.Delay(pause < left ? pause : left, _time, cancellationToken)
            .ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    void Warn(string message) => request.Records.Diagnostics.Warn(request.Address, message);

    static ImportTotals Sum(ImportTotals before, ImportTotals round) => round with
    {
        Accepted = before.Accepted + round.Accepted,
        Rejected = before.Rejected + round.Rejected,
        Blank = before.Blank + round.Blank,
        Bytes = before.Bytes + round.Bytes,
        Requests = before.Requests + round.Requests,
        Retries = before.Retries + round.Retries,
        Fixed = ImportFixed.Sum(before.Fixed, round.Fixed),
        LeftOut = ImportTotals.Sum(before.LeftOut, round.LeftOut?.ToDictionary(StringComparer.Ordinal)),
    };

    ConsumeReport Report(DeadLetterSink sink, ImportCancellation problems, bool stopped, TimeSpan elapsed)
    {
        if (stopped) problems.Note(RunOutcome.Stopped, $"Stopped before the end. Unacknowledged messages stay in the queue; {request.Records.InWords.RunAgain}.");
        // Uses the dead letters: after a lost connection, the totals exclude records that are redelivered.
        if (Math.Max(_totals.Rejected, _reasons.Total) is > 0 and var rejected)
            problems.Note(RunOutcome.Rejected,
                $"{Counted.Of(rejected, "record was", "records were")} not accepted. {sink.Name} contains each, with its reason.");
        return new ConsumeReport
        {
            Messages = _ledger.Settled,
            Read = _totals.Read + _pending,
            Accepted = _totals.Accepted,
            Rejected = _totals.Rejected,
            Pending = _pending,
            Blank = _totals.Blank,
            Bytes = _totals.Bytes,
            Requests = _totals.Requests,
            Retries = _totals.Retries,
            Redelivered = _ledger.Redelivered,
            Returned = _returned,
            Lag = _lag,
            ElapsedSeconds = Math.Round(elapsed.TotalSeconds, 3),
            DeadLetter = sink.Name,
            Fixed = _totals.Fixed,
            Reasons = _reasons.Reasons,
            LeftOut = _totals.LeftOut,
            Outcome = problems.Problems.Outcome,
            Problems = problems.Problems.Messages,
        };
    }

    /// <summary>Reports the progress of a round on top of the earlier rounds.</summary>
    sealed class Relay(ConsumePipeline pipeline, ImportTotals before) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value) => pipeline.Show(value, before);
    }

    void Show(ImportProgress round, ImportTotals before) => request.Progress!.Report(new ConsumeProgress
    {
        Records = round with
        {
            Read = before.Read + round.Read,
            Accepted = before.Accepted + round.Accepted,
            Rejected = before.Rejected + round.Rejected,
            Requests = before.Requests + round.Requests,
        },
        Messages = _ledger.Settled,
        Lag = _lag,
    });
}

using System.Globalization;
using MixpanelConnector.Import.State;
using MixpanelConnector.Import.Undelivered;
using MixpanelConnector.Queues;

namespace MixpanelConnector.Consume;

/// <summary>
/// The state of an import that consumes a queue, kept by the broker. Saving stores the dead letters durably, and then acknowledges the messages that are
/// finished.
/// </summary>
/// <param name="request">The request.</param>
/// <param name="consumer">The connection.</param>
/// <param name="ledger">The messages.</param>
/// <param name="sink">Where dead letters go.</param>
/// <param name="reasons">The reasons for refused records, of all rounds.</param>
/// <param name="lost">Called when the connection is found to be lost.</param>
/// <param name="stop">Called when the connection is lost and nothing more may be sent.</param>
/// <param name="abandon">Cancels the waits for the broker.</param>
sealed class AcknowledgedState(ConsumeRequest request, QueueConsumer consumer, MessageLedger ledger, DeadLetterSink sink, ReasonCounts reasons,
    Action<QueueException> lost, Action<QueueException> stop, CancellationToken abandon) : IImportState, ICountsReasons
{
    readonly HashSet<string> _begun = new(StringComparer.Ordinal);

    public string? DeadLetterPath => null;

    public ReasonCounts Reasons { get; } = new();

    /// <summary>The counts so far.</summary>
    public ImportTotals Latest { get; private set; } = new();

    /// <summary>The counts at the last moment when no message was partially processed.</summary>
    public ImportTotals Whole { get; private set; } = new();

    public ImportCheckpoint? Load() => null;

    /// <remarks>The caller has a thread of its own, and nothing else to do until this is done.</remarks>
    public void Save(ImportCheckpoint checkpoint) => SaveAsync(checkpoint).GetAwaiter().GetResult();

    public IEnumerable<ReadOnlyMemory<byte>> DeadLetters() => [];

    public void Clear() { }

    public void Dispose() { }

    async Task SaveAsync(ImportCheckpoint checkpoint)
    {
        if (checkpoint.DeadLetters.Count > 0)
        {
            await sink.KeepAsync([.. checkpoint.DeadLetters.Select(WithMessage)], abandon).ConfigureAwait(false);
            foreach (var letter in checkpoint.DeadLetters)
            {
                Reasons.Add(letter.Span);
                reasons.Add(letter.Span);
            }
        }

        foreach (var source in checkpoint.Sources)
        {
            if (source.Ended) _begun.Remove(source.Id);
            else if (source.Offset > 0) _begun.Add(source.Id);
        }

        Latest = checkpoint.Totals;
        if (_begun.Count == 0) Whole = checkpoint.Totals;
        var sent = ledger.Find(checkpoint.Sources.Where(source => !source.Ended && source.SentTo > 0).Select(IdOf));
        var settled = ledger.End(checkpoint.Sources.Where(source => source.Ended).Select(IdOf));
        try
        {
            if (sent.Count > 0) await consumer.MarkSentAsync(sent, abandon).ConfigureAwait(false);
        }
        catch (Exception e) when (e is QueueException or OperationCanceledException)
        {
            // Records that are not idempotent are not sent unless they are marked as sent: the next consumer would send them again.
            stop(e as QueueException
                ?? new QueueException(QueueFault.Unavailable, "The broker did not record in time which messages are about to be sent.", e));
            throw new OperationCanceledException(e.Message, e);
        }

        try
        {
            if (settled.Count > 0) await consumer.SettleAsync(settled, abandon).ConfigureAwait(false);
        }
        catch (Exception e) when (e is QueueException or OperationCanceledException)
        {
            // The ledger recognizes them when they are redelivered.
            lost(e as QueueException ?? new QueueException(QueueFault.Unavailable, "The messages could not be acknowledged to the broker in time.", e));
        }
    }

    static long IdOf(ImportSourceProgress source) => long.Parse(source.Id, CultureInfo.InvariantCulture);

    /// <summary>Adds the name of its message to a dead letter; up to here it was part of the source.</summary>
    byte[] WithMessage(ReadOnlyMemory<byte> letter) => DeadLetterJson.WithMessage(letter.Span, request.Address);
}

using System.Globalization;
using MixpanelConnector.Import.State;
using MixpanelConnector.Import.Undelivered;
using MixpanelConnector.Queues;

namespace MixpanelConnector.Consume;

/// <summary>The state of an import that a broker keeps: saving is to make dead letters safe, and then to settle the messages that are done with.</summary>
/// <param name="request">What is consumed.</param>
/// <param name="consumer">Where from.</param>
/// <param name="ledger">The messages.</param>
/// <param name="sink">Where dead letters go.</param>
/// <param name="reasons">Why records were refused, of all rounds.</param>
/// <param name="lost">Called when the connection is found to be gone.</param>
/// <param name="stop">Called when it is, and nothing more may be sent.</param>
/// <param name="abandon">Ends the waiting for the broker.</param>
sealed class AcknowledgedState(ConsumeRequest request, QueueConsumer consumer, MessageLedger ledger, DeadLetterSink sink, ReasonCounts reasons, Action<QueueException> lost, Action<QueueException> stop, CancellationToken abandon) : IImportState, ICountsReasons
{
    readonly HashSet<string> _begun = new(StringComparer.Ordinal);

    public string? DeadLetterPath => null;

    public ReasonCounts Reasons { get; } = new();

    /// <summary>The counts so far.</summary>
    public ImportTotals Latest { get; private set; } = new();

    /// <summary>The counts at the last moment when no message was settled in part.</summary>
    public ImportTotals Whole { get; private set; } = new();

    public ImportCheckpoint? Load() => null;

    /// <remarks>The one that calls has a thread of its own, and nothing else to do before this is done.</remarks>
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
            // What cannot be repeated is not sent without a mark: whoever has it next would send it, too.
            stop(e as QueueException ?? new QueueException(QueueFault.Unavailable, "The broker did not remember in time what is about to be sent.", e));
            throw new OperationCanceledException(e.Message, e);
        }

        try
        {
            if (settled.Count > 0) await consumer.SettleAsync(settled, abandon).ConfigureAwait(false);
        }
        catch (Exception e) when (e is QueueException or OperationCanceledException)
        {
            // They are known when they come again.
            lost(e as QueueException ?? new QueueException(QueueFault.Unavailable, "The broker was not told in time what is settled.", e));
        }
    }

    static long IdOf(ImportSourceProgress source) => long.Parse(source.Id, CultureInfo.InvariantCulture);

    /// <summary>A dead letter with the name of its message, which is a part of its source until here.</summary>
    byte[] WithMessage(ReadOnlyMemory<byte> letter) => DeadLetterJson.WithMessage(letter.Span, request.Address);
}

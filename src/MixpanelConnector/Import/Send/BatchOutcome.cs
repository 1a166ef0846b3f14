using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.Send;

/// <summary>The outcome of a batch: how many records were accepted, and which were not. Without a final outcome it will be read and sent again.</summary>
sealed class BatchOutcome(RecordBatch batch)
{
    public RecordBatch Batch { get; } = batch;

    public long Accepted { get; set; }

    public List<DeadLetter> Refused { get; } = [];

    /// <summary>Records rejected by a response that may not be Mixpanel's. They are rejected for good once Mixpanel itself has responded.</summary>
    public List<(DeadLetter Letter, Refusal Refusal)> InDoubt { get; } = [];

    /// <summary>Whether the outcome of every record is known.</summary>
    public bool Final { get; set; }

    /// <summary>Whether a request was sent without a response that tells what was accepted.</summary>
    public bool MaybeDelivered { get; set; }
}

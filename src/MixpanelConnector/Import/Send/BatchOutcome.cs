using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.Send;

/// <summary>What became of a batch: how many records are in, and which are not. Without a final outcome it will be read and sent again.</summary>
sealed class BatchOutcome(RecordBatch batch)
{
    public RecordBatch Batch { get; } = batch;

    public long Accepted { get; set; }

    public List<DeadLetter> Refused { get; } = [];

    /// <summary>Records refused by what may not have been Mixpanel. They are refused for good once Mixpanel has answered for itself.</summary>
    public List<(DeadLetter Letter, Refusal Refusal)> InDoubt { get; } = [];

    /// <summary>Whether every record's fate is known.</summary>
    public bool Final { get; set; }

    /// <summary>Whether any request left without an answer that tells what was taken.</summary>
    public bool MaybeDelivered { get; set; }
}

using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.Outcome;

/// <summary>Counts the records that are not accepted, and reports each to the caller.</summary>
sealed class RefusedRecords(ImportRequest request, ImportCounts counts, ImportCancellation cancellation)
{
    public void Take(DeadLetter letter, Refusal refusal)
    {
        counts.Rejected();
        try
        {
            request.Diagnostics.Refused(in letter, in refusal);
        }
        catch (Exception e)
        {
            cancellation.Fail(e); // the batch of the record is still processed
        }
    }
}

using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.Ending;

/// <summary>Makes the reports of imports, with the texts of their outcomes.</summary>
static class ImportReports
{
    /// <param name="cancellation">The problems, to which those in the counts are added.</param>
    /// <param name="totals">The settled records.</param>
    /// <param name="pending">The number of records that were read and are not settled.</param>
    /// <param name="deadLetterPath">The dead-letter file; null for none.</param>
    /// <param name="advice">What to do with the dead letters; null for importing them again.</param>
    /// <param name="reasons">Why records were not accepted; null for none.</param>
    public static ImportReport Of(ImportCancellation cancellation, ImportTotals totals, long pending, string? deadLetterPath,
        string? advice = null, ReasonCounts? reasons = null)
    {
        if (cancellation.IsCutShort) cancellation.Note(RunOutcome.Stopped, $"Stopped before the end. {cancellation.Resumption.Again()}");
        if (totals.Rejected > 0)
            cancellation.Note(RunOutcome.Rejected,
                $"{Counted.Of(totals.Rejected, "record was", "records were")} not "
                + $"accepted.{(deadLetterPath is null ? "" : $" {deadLetterPath} contains each, with its reason: {advice ?? cancellation.Resumption.Words.ImportRejected}.")}");
        if (pending != 0 && cancellation.Problems.IsEmpty)
            cancellation.Note(RunOutcome.Inconsistent,
                $"The audit of the counts failed: {Counted.Of(pending, "record has", "records have")} no outcome. This is a defect of the importer: "
                + $"please report it.");
        return new ImportReport
        {
            Read = totals.Read + pending,
            Accepted = totals.Accepted,
            Rejected = totals.Rejected,
            Pending = pending,
            Blank = totals.Blank,
            Bytes = totals.Bytes,
            Requests = totals.Requests,
            Retries = totals.Retries,
            ResumedFrom = totals.ResumedFrom,
            ElapsedSeconds = Math.Round(totals.Elapsed.TotalSeconds, 3),
            DeadLetter = deadLetterPath,
            Fixed = totals.Fixed,
            SameIdentity = totals.SameIdentity > 0 ? totals.SameIdentity : null,
            Reasons = reasons?.Reasons,
            LeftOut = totals.LeftOut,
            Mapped = totals.Mapped,
            Outcome = cancellation.Problems.Outcome,
            Problems = cancellation.Problems.Messages,
        };
    }

    /// <summary>The message for inputs without a record.</summary>
    public static string Empty(ImportRequest request) =>
        $"There was no record in {(request.Replay ?? (request.Inputs is ["-"] ? "<stdin>" : string.Join(", ", request.Inputs.Take(3)) + (request.Inputs.Count > 3 ? ", …" : "")))}: nothing was imported. When the input has records, {request.InWords.RunAgain}; if it may be empty, add {request.InWords[Setting.AllowEmpty]}.";
}

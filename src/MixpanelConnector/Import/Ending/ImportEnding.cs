using System.Globalization;
using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Settle;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.Ending;

/// <summary>Concludes an import: with its last checkpoint, its dead-letter file and the audit of its counts, or as if it had not started.</summary>
sealed class ImportEnding(ImportRequest request, IImportState state, ImportCancellation cancellation)
{
    readonly DeadLetterOutput _deadLetters = new(request, state);

    /// <param name="checkpoints">The progress.</param>
    /// <param name="read">The number of records read in this run.</param>
    /// <param name="isKnown">Whether an earlier run has read any of the inputs.</param>
    public ImportReport Finish(CheckpointTracker checkpoints, long read, bool isKnown)
    {
        var totals = checkpoints.Saved;
        string? path = null;
        ReasonCounts? reasons = null;
        if (!cancellation.StateFailed)
        {
            try
            {
                if (!request.AllowEmpty && IsComplete && checkpoints.Records == 0 && (checkpoints.RecordsBefore == 0 || !isKnown))
                    cancellation.Note(RunOutcome.Damaged, ImportReports.Empty(request));
                var finished = IsComplete;
                var hasDeadLetters = _deadLetters.Path is not null && checkpoints.Totals.Rejected > 0;
                checkpoints.Close(finished && !hasDeadLetters);
                totals = checkpoints.Saved;
                var written = _deadLetters.Write(cancellation);
                if (finished && hasDeadLetters) checkpoints.Close(finished: true); // so that a finished state implies that the file exists
                reasons = _deadLetters.CountReasons();
                if (reasons.Total != totals.Rejected || checkpoints.Broken)
                    cancellation.Note(RunOutcome.Inconsistent,
                        string.Create(CultureInfo.InvariantCulture,
                            $"The audit of the counts failed: {totals.Rejected} rejected records, {reasons.Total} dead letters. "
                            + $"This is a defect of the importer: please report it."));
                path = written;
            }
            catch (ImportStateException e)
            {
                cancellation.Note(e.Outcome, e.Message);
                totals = checkpoints.Saved;
            }
        }

        return ImportReports.Of(cancellation, totals, pending: read - (totals.Read - checkpoints.ReadBefore), path, reasons: reasons);
    }

    /// <summary>Warns of events that Mixpanel counts as one.</summary>
    /// <param name="count">Their number.</param>
    /// <param name="areMore">Whether there may be more.</param>
    public void WarnOfDuplicates(long count, bool areMore)
    {
        if (count > 0)
            request.Diagnostics.Warn("identity",
                $"{(areMore ? "At least " : "")}{Counted.Of(count, "event has", "events have")} the event, time, "
                + $"distinct_id and $insert_id of an earlier one: Mixpanel counts duplicates once.");
    }

    /// <summary>Concludes an import that ended before anything was sent, so that it can start over with other options.</summary>
    /// <param name="first">The records that ended it.</param>
    /// <param name="read">The number of records read.</param>
    /// <param name="hasSaved">Whether the state contains what this import saved, and not what an earlier one did.</param>
    /// <param name="inspection">The inspection of their input; null for none.</param>
    public ImportReport StopAtFirst(FirstRefusals first, long read, bool hasSaved, ImportInspection? inspection)
    {
        try
        {
            if (hasSaved) state.Clear();
        }
        catch (ImportStateException e)
        {
            cancellation.Note(e.Outcome, e.Message);
        }

        var reason = first.Reasons.Reasons![0];
        var proposal = inspection?.Proposal is { } way
            ? $" With {way.In(cancellation.Resumption.Words)}, {way.Accepted} of the {inspection.Records} inspected records would be "
                + $"accepted."
            : "";
        cancellation.Note(RunOutcome.Invalid,
            $"{(first.Reasons.Reasons.Count > 1 ? "None is valid, and nearly all" : "All")} of the first {Counted.Of(first.Count, "record")} would be "
            + $"rejected for the same reason ({reason.Code}: {reason.Samples[0].Message}): nothing was sent.{proposal}");
        return ImportReports.Of(cancellation, new ImportTotals(), pending: read, deadLetterPath: null, reasons: first.Reasons) with { Inspection = inspection };
    }

    bool IsComplete => cancellation.Problems.IsEmpty && !cancellation.IsCutShort && cancellation.Defect is null;
}

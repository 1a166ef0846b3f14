using System.Text.Json;

namespace MixpanelConnector.Migration;

/// <summary>The problems of a migration.</summary>
/// <param name="words">How its messages refer to settings.</param>
sealed class MigrationProblems(MessageWords words)
{
    readonly ProblemList _problems = new();

    /// <summary>Whether nothing else is worth trying.</summary>
    public bool AreFinal { get; private set; }

    /// <summary>The time until the hourly limit allows calls again.</summary>
    public TimeSpan? RetryAfter { get; private set; }

    public RunOutcome Outcome => _problems.Outcome;

    public IReadOnlyList<string> Messages => _problems.Messages;

    public int Count(RunOutcome outcome) => _problems.Count(outcome);

    /// <summary>Notes a problem.</summary>
    /// <param name="outcome">The resulting outcome of the migration.</param>
    /// <param name="message">What the problem is, and what to do.</param>
    /// <param name="isFinal">Whether nothing else is worth trying.</param>
    /// <param name="retryAfter">The time until the hourly limit allows calls again.</param>
    public void Note(RunOutcome outcome, string message, bool isFinal = false, TimeSpan? retryAfter = null)
    {
        _problems.Note(outcome, message);
        AreFinal |= isFinal;
        if (retryAfter is { } wait && (RetryAfter is null || wait < RetryAfter)) RetryAfter = wait;
    }

    /// <summary>Notes the problem of an export; returns whether everything was fetched.</summary>
    public bool Note(ExportReport report)
    {
        if (report.Outcome is RunOutcome.Complete or RunOutcome.Rejected) return true; // lines that cannot be read are reported when they are rejected
        foreach (var problem in report.Problems)
            Note(report.Outcome, problem, isFinal: report.Outcome is RunOutcome.DiskFailed or RunOutcome.NotAllowed or RunOutcome.Busy or RunOutcome.Stopped,
                report.RetryAfter);
        return false;
    }

    /// <summary>Notes the problem of an import; returns whether all of it is settled. Refused records are reported at the end.</summary>
    public bool Note(ImportReport report)
    {
        if (report.Outcome is RunOutcome.Complete or RunOutcome.Rejected) return true;
        foreach (var problem in report.Problems) Note(report.Outcome, problem, isFinal: report.Outcome is not RunOutcome.Damaged);
        return false;
    }

    /// <summary>Notes a failure; returns false when it is of an unknown kind.</summary>
    public bool Note(Exception failure, CancellationToken cancellationToken)
    {
        switch (failure)
        {
            case OperationCanceledException when cancellationToken.IsCancellationRequested:
                Note(RunOutcome.Stopped, $"Stopped before the end. {words.RunAgainAtStart}; it resumes.", isFinal: true);
                return true;
            case ImportStateException e:
                Note(e.Outcome, e.Message, isFinal: true);
                return true;
            case MixpanelException { InnerException: IOException or UnauthorizedAccessException } e:
                Note(RunOutcome.DiskFailed, e.Message, isFinal: true);
                return true;
            case MixpanelException { Error: { Kind: var kind } error }:
                var outcome = kind switch
                {
                    ErrorKind.InvalidInput => RunOutcome.Invalid,
                    ErrorKind.Rejected when error.Field is "data_group_id" => RunOutcome.Invalid,
                    ErrorKind.Unauthorized or ErrorKind.Forbidden or ErrorKind.NotFound => RunOutcome.NotAllowed,
                    _ => RunOutcome.Unavailable,
                };
                Note(outcome, error.Message, isFinal: outcome is RunOutcome.NotAllowed);
                return true;
            case JsonException:
                Note(RunOutcome.DiskFailed,
                    $"The migration's state is damaged. Restore it, or begin again with {words[Setting.OfMigration(nameof(MigrationRequest.Restart))]}: accepted records keep their ids and count once.",
                    isFinal: true);
                return true;
            case IOException or UnauthorizedAccessException:
                Note(RunOutcome.DiskFailed, $"The migration's files cannot be written: {failure.Message} Fix this and {words.RunAgain}; it resumes.",
                    isFinal: true);
                return true;
            default:
                return false;
        }
    }
}

using System.Text.Json;

namespace MixpanelConnector.Migration;

/// <summary>Why a migration does not end well.</summary>
sealed class MigrationProblems
{
    /// <summary>As an import's.</summary>
    static readonly int[] Precedence = [2, 8, 9, 7, 4, 6, 5, 130, 3];

    readonly List<(int ExitCode, string Message)> _problems = [];

    /// <summary>Whether nothing else is worth trying.</summary>
    public bool AreFinal { get; private set; }

    /// <summary>How long it takes until the hour has calls again.</summary>
    public TimeSpan? RetryAfter { get; private set; }

    public int ExitCode => _problems.Count == 0 ? 0 : Sorted().First().ExitCode;

    public IReadOnlyList<string> Messages => [.. Sorted().Select(problem => problem.Message).Distinct(StringComparer.Ordinal)];

    /// <summary>How many problems of an exit code there are.</summary>
    public int Count(int exitCode) => _problems.Count(problem => problem.ExitCode == exitCode);

    /// <summary>Keeps a problem.</summary>
    /// <param name="exitCode">The exit code that it stands for.</param>
    /// <param name="message">What it is, and what to do.</param>
    /// <param name="isFinal">Whether nothing else is worth trying.</param>
    /// <param name="retryAfter">How long it takes until the hour has calls again.</param>
    public void Note(int exitCode, string message, bool isFinal = false, TimeSpan? retryAfter = null)
    {
        _problems.Add((exitCode, message));
        AreFinal |= isFinal;
        if (retryAfter is { } wait && (RetryAfter is null || wait < RetryAfter)) RetryAfter = wait;
    }

    /// <summary>Keeps what an export did not end well with; whether all is there that it was to fetch.</summary>
    public bool Note(ExportReport report)
    {
        if (report.Outcome is ExportOutcome.Complete or ExportOutcome.Unreadable) return true; // lines that cannot be read are told as they are refused
        var code = report.Outcome switch
        {
            ExportOutcome.DiskFailed => 7,
            ExportOutcome.NotAllowed => 4,
            ExportOutcome.Damaged => 6,
            ExportOutcome.Busy => 8,
            ExportOutcome.Stopped => 130,
            _ => 5,
        };
        foreach (var problem in report.Problems) Note(code, problem, isFinal: code is 7 or 4 or 8 or 130, report.RetryAfter);
        return false;
    }

    /// <summary>Keeps what an import did not end well with; whether all of it is settled. What was refused is told at the end.</summary>
    public bool Note(ImportReport report)
    {
        if (report.ExitCode is 0 or 3) return true;
        foreach (var problem in report.Problems) Note(report.ExitCode, problem, isFinal: report.ExitCode is not 6);
        return false;
    }

    /// <summary>Keeps a failure; false when it is none that has a name.</summary>
    public bool Note(Exception failure, CancellationToken cancellationToken)
    {
        switch (failure)
        {
            case OperationCanceledException when cancellationToken.IsCancellationRequested:
                Note(130, "Stopped before the end. Run the same command again; it resumes.", isFinal: true);
                return true;
            case ImportStateException e:
                Note(e.ExitCode, e.Message, isFinal: true);
                return true;
            case MixpanelException { InnerException: IOException or UnauthorizedAccessException } e:
                Note(7, e.Message, isFinal: true);
                return true;
            case MixpanelException { Error: { Kind: var kind } error }:
                var code = kind switch
                {
                    ErrorKind.InvalidInput => 2,
                    ErrorKind.Unauthorized or ErrorKind.Forbidden or ErrorKind.NotFound => 4,
                    _ => 5,
                };
                Note(code, error.Message, isFinal: code == 4);
                return true;
            case JsonException:
                Note(7, "What the migration has kept is damaged. Restore it, or begin again with --restart: what was accepted keeps its ids, and counts once.", isFinal: true);
                return true;
            case IOException or UnauthorizedAccessException:
                Note(7, $"What the migration keeps or writes cannot be written: {failure.Message} When that is mended, run the same command again; it resumes.", isFinal: true);
                return true;
            default:
                return false;
        }
    }

    IEnumerable<(int ExitCode, string Message)> Sorted() => _problems.OrderBy(problem => Array.IndexOf(Precedence, problem.ExitCode));
}

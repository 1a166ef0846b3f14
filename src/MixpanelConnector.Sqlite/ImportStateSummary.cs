namespace MixpanelConnector.Sqlite;

/// <summary>The progress of a stored import.</summary>
/// <param name="Folder">The state's folder.</param>
public sealed record ImportStateSummary(string Folder)
{
    /// <summary>The options that affect the records; null when nothing was saved yet.</summary>
    public string? OptionsFingerprint { get; init; }

    /// <summary>The counts of all runs so far.</summary>
    public ImportTotals Totals { get; init; } = new();

    /// <summary>Whether every input was read to its end.</summary>
    public bool Finished { get; init; }

    /// <summary>The dead-letter file; null for the file in the state's folder.</summary>
    public string? DeadLetterPath { get; init; }

    /// <summary>The progress of each source.</summary>
    public IReadOnlyList<ImportSourceProgress> Sources { get; init; } = [];

    /// <summary>When the state was created; null if the file system does not provide it.</summary>
    public DateTimeOffset? Began { get; init; }

    /// <summary>When a checkpoint was last written; null if the file system does not provide it.</summary>
    public DateTimeOffset? LastSaved { get; init; }

    /// <summary>Why no more is known: an import is using it (<see cref="ImportStateFault.Busy"/>), or it is damaged; null if there is no problem.</summary>
    public ImportStateFault? Fault { get; init; }

    /// <summary>The fault as readable text, with what to do next.</summary>
    public string? Message { get; init; }
}

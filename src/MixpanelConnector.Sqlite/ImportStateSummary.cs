namespace MixpanelConnector.Sqlite;

/// <summary>How far a stored import is.</summary>
/// <param name="Folder">The state's folder.</param>
public sealed record ImportStateSummary(string Folder)
{
    /// <summary>The options that shape the records; null when nothing was saved yet.</summary>
    public string? OptionsFingerprint { get; init; }

    /// <summary>The counts of all runs so far.</summary>
    public ImportTotals Totals { get; init; } = new();

    /// <summary>Whether every input was read to its end.</summary>
    public bool Finished { get; init; }

    /// <summary>Where the dead letters go; null for the file in the state's folder.</summary>
    public string? DeadLetterPath { get; init; }

    /// <summary>How far each source is.</summary>
    public IReadOnlyList<ImportSourceProgress> Sources { get; init; } = [];

    /// <summary>When the state was made; null where the disk does not tell.</summary>
    public DateTimeOffset? Began { get; init; }

    /// <summary>When a checkpoint was last written; null where the disk does not tell.</summary>
    public DateTimeOffset? LastSaved { get; init; }

    /// <summary>Why nothing more is known: an import holds it (<see cref="ImportStateFault.Busy"/>), or it is damaged; null when all is well.</summary>
    public ImportStateFault? Fault { get; init; }

    /// <summary>The fault in words, with what to do next.</summary>
    public string? Message { get; init; }
}

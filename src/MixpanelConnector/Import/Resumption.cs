namespace MixpanelConnector.Import;

/// <summary>What the same command does after an import that ended early, as text for its user.</summary>
sealed class Resumption
{
    readonly string _how;

    Resumption(string how) => _how = how;

    /// <summary>It continues from the checkpoint.</summary>
    public static Resumption FromCheckpoint { get; } = new("; it resumes.");

    public static Resumption Of(ImportRequest request) => request switch
    {
        { DryRun: true } => new("."), // nothing was sent or stored
        { IsResumable: true } => FromCheckpoint,
        { Type: ImportType.Events } => new(
            " on the whole stream: without --source-id it is not resumed, but read and sent from its beginning. "
            + "Mixpanel counts events that it accepted before once."),
        { Type: ImportType.LookupTable } => new(" on the whole stream: the table is then replaced as a whole."),
        _ => new(" on the whole stream: without --source-id it is not resumed, but read and sent from its beginning. "
            + "Updates that add or append would then be applied twice."),
    };

    /// <param name="when">When to run it, beginning with a space; empty for at any time.</param>
    /// <param name="begin">The beginning of the sentence.</param>
    public string Again(string when = "", string begin = "Run") => $"{begin} the same command again{when}{_how}";
}

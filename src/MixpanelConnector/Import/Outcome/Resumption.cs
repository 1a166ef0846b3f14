namespace MixpanelConnector.Import.Outcome;

/// <summary>What the same call does after an import that ended early, as text for its user.</summary>
sealed class Resumption
{
    const string Resumes = "; it resumes.";

    readonly string _how;

    Resumption(MessageWords words, string how) => (Words, _how) = (words, how);

    /// <summary>It continues from the checkpoint.</summary>
    public static Resumption FromCheckpoint { get; } = new(MessageWords.Default, Resumes);

    /// <summary>How messages refer to settings.</summary>
    public MessageWords Words { get; }

    public static Resumption Of(ImportRequest request) => request switch
    {
        { DryRun: true } => new(request.InWords, "."), // nothing was sent or stored
        { IsResumable: true } => new(request.InWords, Resumes),
        { Type: ImportType.Events } => new(request.InWords,
            $" on the whole stream: without {request.InWords[Setting.SourceId]} it is not resumed, but read and sent from its beginning. "
            + "Mixpanel counts events that it accepted before once."),
        { Type: ImportType.LookupTable } => new(request.InWords, " on the whole stream: the table is then replaced as a whole."),
        _ => new(request.InWords,
            $" on the whole stream: without {request.InWords[Setting.SourceId]} it is not resumed, but read and sent from its beginning. "
            + "Updates that add or append would then be applied twice."),
    };

    /// <param name="when">When to run it, beginning with a space; empty for at any time.</param>
    /// <param name="first">What to do before that, such as <c>Fix the input and</c>; null for nothing.</param>
    public string Again(string when = "", string? first = null) => $"{(first is null ? Words.RunAgainAtStart : $"{first} {Words.RunAgain}")}{when}{_how}";
}

namespace MixpanelConnector;

/// <summary>
/// How messages refer to settings, and to running something again. Default: the names of this library. A program whose users know the settings under other
/// names, such as the options of a command line, derives its own.
/// </summary>
public class MessageWords
{
    /// <summary>The names of this library.</summary>
    public static MessageWords Default { get; } = new();

    /// <summary>What a caller does to run something again, as the end of a sentence. Default: <c>make the same call again</c>.</summary>
    public virtual string RunAgain => "make the same call again";

    /// <summary>What a caller does to run something with other settings. Default: <c>make the call</c>.</summary>
    public virtual string Run => "make the call";

    /// <summary>What was run. Default: <c>the same call</c>.</summary>
    public virtual string SameRun => "the same call";

    /// <summary>Where settings are given. Default: <c>in the request</c>.</summary>
    public virtual string Place => "in the request";

    /// <summary>What to do with rejected records, which are in a dead-letter file.</summary>
    public virtual string ImportRejected => $"fix a copy and import it with {NameOf(nameof(ImportRequest), nameof(ImportRequest.Replay))}";

    /// <summary>Where the credentials of a queue are given.</summary>
    public virtual string QueueCredentials =>
        $"{NameOf(nameof(QueueOptions), nameof(QueueOptions.Username))} and {NameOf(nameof(QueueOptions), nameof(QueueOptions.Password))}";

    /// <summary>How to empty a lookup table on purpose: a sentence.</summary>
    public virtual string EmptyTable => $"Importing the file with {NameOf(nameof(ImportRequest), nameof(ImportRequest.AllowEmpty))} empties the table.";

    internal string RunAgainAtStart => AtStart(RunAgain);

    internal string RunAtStart => AtStart(Run);

    internal string this[Setting setting] => NameOf(setting.Owner, setting.Property, setting.Value);

    /// <summary>Returns the name of a setting. Default: such as <c>ImportRequest.TimeZone</c>.</summary>
    /// <param name="type">The type that has it.</param>
    /// <param name="property">The property, or the method for what only a method does.</param>
    /// <param name="value">The value that is meant; null for the setting as such.</param>
    public virtual string NameOf(string type, string property, string? value = null) => (property, value) switch
    {
        (_, null) => $"{type}.{property}",
        (nameof(ImportRequest.Fix), _) => string.Join(" | ", value.Split(',').Select(fix => $"{nameof(ImportFixes)}.{ImportFixNames.Parse(fix)}")),
        _ => $"{type}.{property} ({value})",
    };

    static string AtStart(string text) => text.Length == 0 ? text : $"{char.ToUpperInvariant(text[0])}{text[1..]}";
}

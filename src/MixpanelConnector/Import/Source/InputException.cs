namespace MixpanelConnector.Import.Source;

/// <summary>An input is unreadable, corrupt or cut short. Caught by the reading stage, which reports it and goes on with the next input.</summary>
sealed class InputException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>What it makes of the import. Not <see cref="RunOutcome.Damaged"/> where the disk is at fault on which the input would have been kept for a time, an option that does not fit it, or the storage that does not give it.</summary>
    public RunOutcome Outcome { get => Option is null ? field : RunOutcome.Invalid; init; } = RunOutcome.Damaged;

    /// <summary>The option that does not fit the input; null when the input is at fault.</summary>
    public string? Option { get; init; }

    /// <summary>Whether it is another than an earlier run has read, on purpose or not.</summary>
    public bool HasChanged { get; private init; }

    public static InputException Changed(string message) => new(message) { HasChanged = true };
}

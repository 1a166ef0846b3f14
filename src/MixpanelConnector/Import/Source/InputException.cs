namespace MixpanelConnector.Import.Source;

/// <summary>An input is unreadable, corrupt or truncated. Caught by the reading stage, which reports it and continues with the next input.</summary>
sealed class InputException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>
    /// The resulting outcome of the import. Not <see cref="RunOutcome.Damaged"/> if the cause is the
    /// disk for temporary copies of the input, an option that does not match the input, or the storage.
    /// </summary>
    public RunOutcome Outcome { get => Option is null ? field : RunOutcome.Invalid; init; } = RunOutcome.Damaged;

    /// <summary>The option that does not match the input; null when the input is the cause.</summary>
    public string? Option { get; init; }

    /// <summary>Whether it differs from what an earlier run has read, intentionally or not.</summary>
    public bool HasChanged { get; private init; }

    public static InputException Changed(string message) => new(message) { HasChanged = true };
}

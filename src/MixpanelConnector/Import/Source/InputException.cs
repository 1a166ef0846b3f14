namespace MixpanelConnector.Import.Source;

/// <summary>An input is unreadable, corrupt or cut short. Caught by the reading stage, which reports it and goes on with the next input.</summary>
sealed class InputException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>6; or 7 when the input is not at fault, but the disk on which it would have been kept for a time.</summary>
    public int ExitCode { get; init; } = 6;

    /// <summary>Whether it is another than an earlier run has read, on purpose or not.</summary>
    public bool HasChanged { get; private init; }

    public static InputException Changed(string message) => new(message) { HasChanged = true };
}

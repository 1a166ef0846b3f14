namespace MixpanelConnector.Import.Source;

/// <summary>An input is unreadable, corrupt or cut short. Caught by the reading stage, which reports it and goes on with the next input.</summary>
sealed class InputException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>6; or 7 when the input is not at fault, but the disk on which it would have been kept for a time.</summary>
    public int ExitCode { get; init; } = 6;
}

namespace MixpanelConnector.Import.Source;

/// <summary>An input is unreadable, corrupt or cut short. Caught by the reading stage, which reports it and goes on with the next input.</summary>
sealed class InputException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>6; or 7 when the input is not at fault, but the disk on which it would have been kept for a time; or 2 when an option does not fit it; or 4 or 5 when the storage that it lies in does not give it.</summary>
    public int ExitCode { get => Option is null ? field : 2; init; } = 6;

    /// <summary>The option that does not fit the input; null when the input is at fault.</summary>
    public string? Option { get; init; }

    /// <summary>Whether it is another than an earlier run has read, on purpose or not.</summary>
    public bool HasChanged { get; private init; }

    public static InputException Changed(string message) => new(message) { HasChanged = true };
}

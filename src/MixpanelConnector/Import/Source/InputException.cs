namespace MixpanelConnector.Import.Source;

/// <summary>An input is unreadable, corrupt or cut short. Caught by the reading stage, which reports it and goes on with the next input.</summary>
sealed class InputException(string message, Exception? innerException = null) : Exception(message, innerException);

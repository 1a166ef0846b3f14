namespace MixpanelConnector.Files;

/// <summary>The disk failed to store data durably. The system may have dropped it: a retry would prove nothing.</summary>
sealed class NotSyncedException(string message) : IOException(message);

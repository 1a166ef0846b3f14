namespace MixpanelConnector.Files;

/// <summary>The disk did not take what it was to keep. The system may have dropped it: another try would prove nothing.</summary>
sealed class NotSyncedException(string message) : IOException(message);

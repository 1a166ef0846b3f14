namespace MixpanelConnector.Export;

/// <summary>What Mixpanel gave is not all of what was asked for: it is thrown away, and asked for again.</summary>
sealed class NotWholeException(string message, Exception? innerException = null) : Exception(message, innerException);

namespace MixpanelConnector.Export;

/// <summary>Mixpanel's answer is incomplete: it is discarded, and requested again.</summary>
sealed class NotWholeException(string message, Exception? innerException = null) : Exception(message, innerException);

namespace MixpanelConnector.Files;

/// <summary>A file or folder of this program was created by others, or could be changed by them. The message says how to fix that.</summary>
sealed class NotOursException(string message) : UnauthorizedAccessException(message);

namespace MixpanelConnector.Files;

/// <summary>What lies where a file or folder of ours belongs was put there by others, or could be changed by them. The message says how to mend that.</summary>
sealed class NotOursException(string message) : UnauthorizedAccessException(message);

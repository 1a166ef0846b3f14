namespace MixpanelConnector.Emulator.Flags;

/// <summary>A rule that cannot be evaluated: an unknown operator, a wrong shape, or one that grows without bound.</summary>
sealed class JsonLogicException(string message) : Exception(message);

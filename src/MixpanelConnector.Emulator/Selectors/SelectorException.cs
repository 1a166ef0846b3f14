namespace MixpanelConnector.Emulator.Selectors;

/// <summary>An expression that cannot be read, or that fails on a record. The message is meant for whoever wrote the expression.</summary>
sealed class SelectorException(string reason, int position) : Exception($"{reason} at position {position + 1}")
{
    public string Reason { get; } = reason;

    /// <summary>The index in the text, from 0, of what is wrong; the text's length when something is missing at its end.</summary>
    public int Position { get; } = position;
}

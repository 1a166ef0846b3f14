namespace MixpanelConnector.Emulator.Selectors;

/// <summary>An expression that cannot be parsed, or that fails on a record. The message is meant for the author of the expression.</summary>
sealed class SelectorException(string reason, int position) : Exception($"{reason} at position {position + 1}")
{
    public string Reason { get; } = reason;

    /// <summary>The index of the error in the text, from 0; the text's length if something is missing at its end.</summary>
    public int Position { get; } = position;
}

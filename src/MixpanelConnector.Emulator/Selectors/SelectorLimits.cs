namespace MixpanelConnector.Emulator.Selectors;

/// <summary>What an expression may cost. Far above any honest use; Mixpanel documents no limits of its own.</summary>
static class SelectorLimits
{
    public const int ExpressionLength = 64 * 1024;

    /// <summary>Parentheses, lists, calls, <c>not</c> and <c>-</c> inside each other. A stack of 1 MB is enough for all of them, each full of operators.</summary>
    public const int Nesting = 100;

    /// <summary>The longest text that <c>+</c> may build, since <c>any</c> inside <c>any</c> could double it at each level.</summary>
    public const int TextLength = 64 * 1024;

    /// <summary>
    /// Nodes visited for one record, and what is done to lists and long texts: 15 times the most nodes that fit in an expression, so
    /// that only nested <c>any</c> and much work on long texts reach it.
    /// </summary>
    public const int Steps = 1_000_000;

    /// <summary>Characters that are copied or compared in one step.</summary>
    public const int CharactersPerStep = 64;
}

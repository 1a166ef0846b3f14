namespace MixpanelConnector.Emulator.Selectors;

/// <summary>What an expression may cost. Far above any honest use; Mixpanel documents no limits of its own.</summary>
static class SelectorLimits
{
    public const int ExpressionLength = 64 * 1024;

    /// <summary>Parentheses, lists, calls, <c>not</c> and <c>-</c> inside each other. A stack of 1 MB is enough for all of them, each full of operators.</summary>
    public const int Nesting = 100;

    /// <summary>The longest text that <c>+</c> may build, since <c>any</c> inside <c>any</c> could double it at each level.</summary>
    public const int TextLength = 64 * 1024;

    /// <summary>Nodes visited for one record: 15 times the most that fit in an expression, so that only nested <c>any</c> reaches it.</summary>
    public const int Steps = 1_000_000;
}

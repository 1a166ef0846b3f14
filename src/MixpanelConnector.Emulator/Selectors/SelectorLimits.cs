namespace MixpanelConnector.Emulator.Selectors;

/// <summary>The maximum cost of an expression. Far above any legitimate use; Mixpanel documents no limits of its own.</summary>
static class SelectorLimits
{
    public const int ExpressionLength = 64 * 1024;

    /// <summary>Nested parentheses, lists, calls, <c>not</c> and <c>-</c>. A stack of 1 MB is enough for all of them, each full of operators.</summary>
    public const int Nesting = 100;

    /// <summary>The maximum length of a string built by <c>+</c>, because <c>any</c> inside <c>any</c> could double it at each level.</summary>
    public const int TextLength = 64 * 1024;

    /// <summary>
    /// Visited nodes per record, and work on lists and long strings: 15 times the maximum number of nodes in an expression, so that only nested <c>any</c> and
    /// much work on long strings reach it.
    /// </summary>
    public const int Steps = 1_000_000;

    /// <summary>Characters that are copied or compared per step.</summary>
    public const int CharactersPerStep = 64;
}

namespace MixpanelConnector;

/// <summary>
/// Evaluates feature flags. This is the seam for tests: production has <see cref="MixpanelFlags"/>, or a <see cref="FlagSnapshot"/> of
/// it for a request; tests have <see cref="FixedFlags"/>. What is written in an application are mostly the extension methods:
/// <c>IsEnabled</c>, <c>Text</c>, <c>Number</c>. Nothing here waits, and nothing about the network or a definition makes it fail.
/// </summary>
public interface IMixpanelFlags
{
    /// <summary>Evaluates a flag.</summary>
    /// <param name="key">The key of the flag.</param>
    /// <param name="context">For whom.</param>
    /// <param name="reportExposure">Whether Mixpanel is told that the person has seen the variant. Default: true.</param>
    /// <returns>The variant, or the reason why there is none.</returns>
    FlagEvaluation Evaluate(string key, EvaluationContext context, bool reportExposure = true);

    /// <summary>Evaluates all flags, such as for a browser to begin with. No exposure is reported.</summary>
    /// <param name="context">For whom.</param>
    /// <returns>By key, those flags that have a variant for the context.</returns>
    IReadOnlyDictionary<string, FlagEvaluation> EvaluateAll(EvaluationContext context);

    /// <summary>The keys of all flags that are known.</summary>
    IReadOnlyList<string> Keys { get; }
}

/// <summary>What an application writes to ask for flags.</summary>
public static class MixpanelFlagsExtensions
{
    /// <summary>Whether the flag has a variant whose value is exactly <c>true</c>: the text "true" and 1 are not.</summary>
    /// <param name="flags">The flags.</param>
    /// <param name="key">The key of the flag.</param>
    /// <param name="context">For whom.</param>
    public static bool IsEnabled(this IMixpanelFlags flags, string key, EvaluationContext context) => Of(flags).Evaluate(key, context).IsEnabled;

    /// <summary>The value of a flag as text.</summary>
    /// <param name="flags">The flags.</param>
    /// <param name="key">The key of the flag.</param>
    /// <param name="context">For whom.</param>
    /// <param name="fallback">What is given where there is no variant, or its value is no text.</param>
    public static string Text(this IMixpanelFlags flags, string key, EvaluationContext context, string fallback) => Of(flags).Evaluate(key, context).Text(fallback);

    /// <summary>The value of a flag as a number.</summary>
    /// <param name="flags">The flags.</param>
    /// <param name="key">The key of the flag.</param>
    /// <param name="context">For whom.</param>
    /// <param name="fallback">What is given where there is no variant, or its value is no number.</param>
    public static double Number(this IMixpanelFlags flags, string key, EvaluationContext context, double fallback) => Of(flags).Evaluate(key, context).Number(fallback);

    static IMixpanelFlags Of(IMixpanelFlags flags) => flags ?? throw new ArgumentNullException(nameof(flags));
}

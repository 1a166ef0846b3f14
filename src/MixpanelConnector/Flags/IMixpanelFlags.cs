namespace MixpanelConnector;

/// <summary>
/// Evaluates feature flags. This is the seam for tests: production code uses <see cref="MixpanelFlags"/>, or a <see cref="FlagSnapshot"/> of
/// it per request; tests use <see cref="FixedFlags"/>. Applications mostly call the extension methods:
/// <c>IsEnabled</c>, <c>Text</c>, <c>Number</c>. Nothing here blocks, and neither the network nor a definition makes it fail.
/// </summary>
public interface IMixpanelFlags
{
    /// <summary>Evaluates a flag.</summary>
    /// <param name="key">The key of the flag.</param>
    /// <param name="context">The context to evaluate for.</param>
    /// <param name="reportExposure">Whether to report to Mixpanel that the person has seen the variant. Default: true.</param>
    /// <returns>The variant, or the reason why there is none.</returns>
    FlagEvaluation Evaluate(string key, EvaluationContext context, bool reportExposure = true);

    /// <summary>Evaluates all flags, for example to bootstrap a browser. No exposure is reported.</summary>
    /// <param name="context">The context to evaluate for.</param>
    /// <returns>The flags that have a variant for the context, by key.</returns>
    IReadOnlyDictionary<string, FlagEvaluation> EvaluateAll(EvaluationContext context);

    /// <summary>The keys of all known flags.</summary>
    IReadOnlyList<string> Keys { get; }
}

/// <summary>The methods with which an application evaluates flags.</summary>
public static class MixpanelFlagsExtensions
{
    /// <summary>Whether the flag has a variant whose value is exactly <c>true</c>: the string "true" and 1 are not.</summary>
    /// <param name="flags">The flags.</param>
    /// <param name="key">The key of the flag.</param>
    /// <param name="context">The context to evaluate for.</param>
    public static bool IsEnabled(this IMixpanelFlags flags, string key, EvaluationContext context) => Of(flags).Evaluate(key, context).IsEnabled;

    /// <summary>Returns the value of a flag as a string.</summary>
    /// <param name="flags">The flags.</param>
    /// <param name="key">The key of the flag.</param>
    /// <param name="context">The context to evaluate for.</param>
    /// <param name="fallback">The result when there is no variant, or its value is not a string.</param>
    public static string Text(this IMixpanelFlags flags, string key, EvaluationContext context, string fallback) =>
        Of(flags).Evaluate(key, context).Text(fallback);

    /// <summary>Returns the value of a flag as a number.</summary>
    /// <param name="flags">The flags.</param>
    /// <param name="key">The key of the flag.</param>
    /// <param name="context">The context to evaluate for.</param>
    /// <param name="fallback">The result when there is no variant, or its value is not a number.</param>
    public static double Number(this IMixpanelFlags flags, string key, EvaluationContext context, double fallback) =>
        Of(flags).Evaluate(key, context).Number(fallback);

    static IMixpanelFlags Of(IMixpanelFlags flags) => flags ?? throw new ArgumentNullException(nameof(flags));
}

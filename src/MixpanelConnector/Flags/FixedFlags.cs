using System.Text.Json;

namespace MixpanelConnector;

/// <summary>Flags for tests: each has the value that the test sets, for every context. Nothing is reported.</summary>
public sealed class FixedFlags : IMixpanelFlags
{
    readonly Dictionary<string, FlagEvaluation> _flags = new(StringComparer.Ordinal);

    /// <summary>Creates flags by key, such as <c>new FixedFlags { ["new-checkout"] = true }</c>.</summary>
    public FixedFlags() { }

    /// <summary>Sets the value of a flag: a boolean, a string or a number.</summary>
    /// <param name="key">The key of the flag.</param>
    public FlagValue this[string key]
    {
        set =>
            _flags[key] = new FlagEvaluation(key, value.VariantKey, value.Json, experimentId: null, isExperimentActive: null, isTestUser: false,
                FlagSource.Local);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Keys => [.. _flags.Keys];

    /// <inheritdoc/>
    public FlagEvaluation Evaluate(string key, EvaluationContext context, bool reportExposure = true) => _flags.GetValueOrDefault(key, FlagEvaluation.NotFound);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, FlagEvaluation> EvaluateAll(EvaluationContext context) => _flags;
}

/// <summary>A value that a test sets for a flag. Booleans, strings and numbers convert to it implicitly; for JSON, use <c>Of</c>.</summary>
public readonly struct FlagValue
{
    FlagValue(string variantKey, JsonElement json) => (VariantKey, Json) = (variantKey, json);

    internal string VariantKey { get; }

    internal JsonElement Json { get; }

    /// <summary>Creates the value of a flag that is on or off.</summary>
    /// <param name="value">The value.</param>
    public static FlagValue Of(bool value) => new(value ? "on" : "off", JsonElement.Parse(value ? "true" : "false"));

    /// <summary>Creates the value of a flag that is a string, which is also the key of the variant.</summary>
    /// <param name="value">The value.</param>
    public static FlagValue Of(string value) => new(value, JsonElement.Parse(JsonDefaults.Utf8(value)));

    /// <summary>Creates the value of a flag that is a number.</summary>
    /// <param name="value">The value.</param>
    public static FlagValue Of(double value) => Of("number", JsonElement.Parse(JsonDefaults.Utf8(value)));

    /// <summary>Creates the value of a flag, with the key of its variant.</summary>
    /// <param name="variantKey">The key of the variant.</param>
    /// <param name="value">The value, any JSON.</param>
    public static FlagValue Of(string variantKey, JsonElement value) => new(variantKey, value);

    /// <inheritdoc cref="Of(bool)"/>
    public static implicit operator FlagValue(bool value) => Of(value);

    /// <inheritdoc cref="Of(string)"/>
    public static implicit operator FlagValue(string value) => Of(value);

    /// <inheritdoc cref="Of(double)"/>
    public static implicit operator FlagValue(double value) => Of(value);
}

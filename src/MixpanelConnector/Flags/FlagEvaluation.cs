using System.Text.Json;

namespace MixpanelConnector;

/// <summary>The source of a flag's evaluation.</summary>
public enum FlagSource
{
    /// <summary>There is no variant: the caller's fallback applies.</summary>
    Fallback,

    /// <summary>It was evaluated locally, from the definitions.</summary>
    Local,

    /// <summary>Mixpanel evaluated it.</summary>
    Remote,
}

/// <summary>Why a flag has no variant.</summary>
public enum FallbackReason
{
    /// <summary>There is no such flag, or its definition has not arrived yet; for a remote evaluation, also that the context is not in the flag.</summary>
    FlagNotFound,

    /// <summary>The context lacks the key that the flag is assigned by, such as <c>device_id</c>: <see cref="FlagEvaluation.Detail"/> names it.</summary>
    MissingContextKey,

    /// <summary>The context is in none of the flag's rollouts.</summary>
    NoRolloutMatch,

    /// <summary>Mixpanel did not answer, or refused the call: <see cref="FlagEvaluation.Detail"/> has the reason.</summary>
    BackendError,
}

/// <summary>The evaluation of a flag for a context: a variant with its value, or the reason why there is none.</summary>
public sealed class FlagEvaluation
{
    readonly string? _text;

    internal FlagEvaluation(string flagKey, string variantKey, JsonElement value, string? experimentId, bool? isExperimentActive, bool isTestUser,
        FlagSource source)
    {
        (VariantKey, Value, ExperimentId, IsExperimentActive, IsTestUser, Source) = (variantKey, value, experimentId, isExperimentActive, isTestUser, source);
        _text = value.ValueKind is JsonValueKind.String ? value.GetString() : null;
        ExposureHash = HashCode.Combine(flagKey, variantKey, experimentId);
    }

    internal FlagEvaluation(FallbackReason reason, string? detail = null) => (Reason, Detail) = (reason, detail);

    internal FlagEvaluation(MixpanelError error)
        : this(FallbackReason.BackendError, error.HttpStatus is { } status ? $"HTTP {status}: {error.Message}" : error.Message) => Error = error;

    internal static readonly FlagEvaluation NotFound = new(FallbackReason.FlagNotFound);

    internal static readonly FlagEvaluation NoMatch = new(FallbackReason.NoRolloutMatch);

    /// <summary>The key of the variant; null when there is none.</summary>
    public string? VariantKey { get; }

    /// <summary>The value of the variant, any JSON; null when there is no variant.</summary>
    public JsonElement? Value { get; }

    /// <summary>The id of the experiment that the flag is part of; null for none.</summary>
    public string? ExperimentId { get; }

    /// <summary>Whether that experiment is running; null when that is unknown.</summary>
    public bool? IsExperimentActive { get; }

    /// <summary>Whether the variant was assigned to a test user, regardless of the rollouts.</summary>
    public bool IsTestUser { get; }

    /// <summary>The source of the evaluation.</summary>
    public FlagSource Source { get; }

    /// <summary>Why there is no variant; null when there is one.</summary>
    public FallbackReason? Reason { get; }

    /// <summary>The detail of the reason: the key that the context lacks, or the failure of the call to Mixpanel. Null for none.</summary>
    public string? Detail { get; }

    /// <summary>The failure of the call to Mixpanel; null for every other reason.</summary>
    public MixpanelError? Error { get; }

    /// <summary>Whether there is a variant whose value is exactly <c>true</c>: the string "true" and 1 are not.</summary>
    public bool IsEnabled => Value is { ValueKind: JsonValueKind.True };

    internal int ExposureHash { get; }

    /// <summary>Returns the value as a string.</summary>
    /// <param name="fallback">The result when there is no variant, or its value is not a string.</param>
    public string Text(string fallback) => _text ?? fallback;

    /// <summary>Returns the value as a boolean.</summary>
    /// <param name="fallback">The result when there is no variant, or its value is not a boolean.</param>
    public bool Boolean(bool fallback) => Value?.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => fallback,
    };

    /// <summary>Returns the value as a number.</summary>
    /// <param name="fallback">The result when there is no variant, or its value is not a number.</param>
    public double Number(double fallback) => Value is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : fallback;

    /// <summary>Returns the value as an integer; 2.0 is one.</summary>
    /// <param name="fallback">The result when there is no variant, or its value is not a 64-bit integer.</param>
    public long WholeNumber(long fallback) => Value is not { ValueKind: JsonValueKind.Number } number ? fallback
        : number.TryGetInt64(out var whole) ? whole
        : number.TryGetDecimal(out var exact) && exact == decimal.Truncate(exact) && exact is >= long.MinValue and <= long.MaxValue ? (long)exact
        : fallback;

    /// <summary>Returns the variant or the reason as text.</summary>
    public override string ToString() => VariantKey ?? $"{Reason}{(Detail is null ? "" : $": {Detail}")}";
}

using System.Text.Json;

namespace MixpanelConnector;

/// <summary>Where an evaluation of a flag comes from.</summary>
public enum FlagSource
{
    /// <summary>There is no variant: what the caller falls back on holds.</summary>
    Fallback,

    /// <summary>It was evaluated here, by the definitions.</summary>
    Local,

    /// <summary>Mixpanel evaluated it.</summary>
    Remote,
}

/// <summary>Why a flag gave no variant.</summary>
public enum FallbackReason
{
    /// <summary>There is no such flag, or its definition has not come yet; asked remotely, also that the context is not in it.</summary>
    FlagNotFound,

    /// <summary>The context lacks what the flag assigns by, such as <c>device_id</c>: <see cref="FlagEvaluation.Detail"/> names it.</summary>
    MissingContextKey,

    /// <summary>The context is in none of the flag's rollouts.</summary>
    NoRolloutMatch,

    /// <summary>Mixpanel did not answer, or refused: <see cref="FlagEvaluation.Detail"/> says why.</summary>
    BackendError,
}

/// <summary>What a flag is for somebody: a variant with its value, or the reason why there is none.</summary>
public sealed class FlagEvaluation
{
    readonly string? _text;

    internal FlagEvaluation(string flagKey, string variantKey, JsonElement value, string? experimentId, bool? isExperimentActive, bool isTestUser, FlagSource source)
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

    /// <summary>The key of the variant; null where there is none.</summary>
    public string? VariantKey { get; }

    /// <summary>The value of the variant, any JSON; null where there is no variant.</summary>
    public JsonElement? Value { get; }

    /// <summary>The experiment that the flag is part of; null for none.</summary>
    public string? ExperimentId { get; }

    /// <summary>Whether that experiment runs; null where nothing is known of one.</summary>
    public bool? IsExperimentActive { get; }

    /// <summary>Whether it was given to a test user, whatever the rollouts say.</summary>
    public bool IsTestUser { get; }

    /// <summary>Where it comes from.</summary>
    public FlagSource Source { get; }

    /// <summary>Why there is no variant; null where there is one.</summary>
    public FallbackReason? Reason { get; }

    /// <summary>What belongs to the reason: the key that the context lacks, or what went wrong on the way to Mixpanel. Null for none.</summary>
    public string? Detail { get; }

    /// <summary>What went wrong on the way to Mixpanel; null for every other reason.</summary>
    public MixpanelError? Error { get; }

    /// <summary>Whether there is a variant whose value is exactly <c>true</c>: the text "true" and 1 are not.</summary>
    public bool IsEnabled => Value is { ValueKind: JsonValueKind.True };

    internal int ExposureHash { get; }

    /// <summary>The value as text.</summary>
    /// <param name="fallback">What is given where there is no variant, or its value is no text.</param>
    public string Text(string fallback) => _text ?? fallback;

    /// <summary>The value as a boolean.</summary>
    /// <param name="fallback">What is given where there is no variant, or its value is no boolean.</param>
    public bool Boolean(bool fallback) => Value?.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => fallback,
    };

    /// <summary>The value as a number.</summary>
    /// <param name="fallback">What is given where there is no variant, or its value is no number.</param>
    public double Number(double fallback) => Value is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : fallback;

    /// <summary>The value as a whole number; 2.0 is one.</summary>
    /// <param name="fallback">What is given where there is no variant, or its value is no whole number of 64 bits.</param>
    public long WholeNumber(long fallback) => Value is not { ValueKind: JsonValueKind.Number } number ? fallback
        : number.TryGetInt64(out var whole) ? whole
        : number.TryGetDecimal(out var exact) && exact == decimal.Truncate(exact) && exact is >= long.MinValue and <= long.MaxValue ? (long)exact
        : fallback;

    /// <summary>Gives the variant or the reason as text.</summary>
    public override string ToString() => VariantKey ?? $"{Reason}{(Detail is null ? "" : $": {Detail}")}";
}

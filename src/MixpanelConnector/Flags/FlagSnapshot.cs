using MixpanelConnector.Flags;

namespace MixpanelConnector;

/// <summary>The definitions at one moment: the same context always yields the same results, whatever is fetched meanwhile. Create one per request.</summary>
public sealed class FlagSnapshot : IMixpanelFlags
{
    readonly FlagSet _flags;
    readonly ExposureReport? _exposures;

    internal FlagSnapshot(FlagSet flags, ExposureReport? exposures, IReadOnlyList<string>? leftOut = null) =>
        (_flags, _exposures, LeftOut) = (flags, exposures, leftOut ?? []);

    internal static FlagSnapshot? Read(ReadOnlySpan<byte> definitions, ExposureReport? exposures)
    {
        List<string> leftOut = [];
        return FlagReader.Read(definitions, leftOut) is { } flags ? new(flags, exposures, leftOut) : null;
    }

    /// <summary>Creates a snapshot from definitions as Mixpanel returns them, such as from a file. No exposure is reported.</summary>
    /// <param name="definitions">JSON such as <c>{"flags":[…]}</c>: the output of the action <c>get_feature_flag_definitions</c>.</param>
    /// <returns>The snapshot.</returns>
    /// <exception cref="MixpanelException">It is not such JSON. Errors in single definitions are in <see cref="LeftOut"/>.</exception>
    public static FlagSnapshot Parse(ReadOnlySpan<byte> definitions) =>
        Read(definitions, exposures: null) ?? throw MixpanelException.Invalid("definitions", "The definitions of flags must be JSON such as {\"flags\":[…]}.");

    /// <summary>The error of each definition that was left out, such as <c>number 3: it has no key</c>. A flag that is left out uses its fallback.</summary>
    public IReadOnlyList<string> LeftOut { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Keys => _flags.Keys;

    /// <inheritdoc/>
    public FlagEvaluation Evaluate(string key, EvaluationContext context, bool reportExposure = true)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(context);
        var evaluation = _flags.Evaluate(key, context);
        if (reportExposure) _exposures?.Add(key, evaluation, context);
        return evaluation;
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, FlagEvaluation> EvaluateAll(EvaluationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return _flags.EvaluateAll(context);
    }
}

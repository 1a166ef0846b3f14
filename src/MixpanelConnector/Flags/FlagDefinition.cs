using MixpanelConnector.Flags.Logic;

namespace MixpanelConnector.Flags;

/// <summary>A rollout to a share of contexts, preprocessed: salts in UTF-8, cumulative shares, the rule parsed.</summary>
sealed class RolloutDefinition
{
    public required byte[] Salt { get; init; }

    public required double Percentage { get; init; }

    /// <summary>The rule on properties; null for none.</summary>
    public LogicNode? Rule { get; init; }

    /// <summary>The older form of a rule: property names and the required texts. Null for none.</summary>
    public IReadOnlyList<KeyValuePair<string, string>>? Wanted { get; init; }

    /// <summary>The variant for everybody in the rollout; null for none.</summary>
    public FlagEvaluation? Override { get; init; }

    /// <summary>The cumulative share of each of the sorted variants.</summary>
    public required double[] Shares { get; init; }

    public bool Holds(EvaluationContext context, ref LogicBudget budget)
    {
        if (Rule is null && Wanted is null) return true;
        if (!context.TryGetProperties(out var properties)) return false;
        if (Rule is not null) return Rule.Holds(in properties, ref budget);
        foreach (var (name, text) in Wanted!)
            if (!properties.Members.TryGetValue(name, out var value) || Conversion.ToText(in value, ref budget) != text) return false;
        return !budget.HasFailed;
    }
}

/// <summary>A preprocessed flag: the same flag and context always yield the same variant, here and in the official SDKs.</summary>
sealed class FlagDefinition
{
    /// <summary>The maximum cost of the rules in one evaluation: some milliseconds.</summary>
    public const int MostUnits = 250_000;

    public required string Key { get; init; }

    /// <summary>The member of the context that determines the variant.</summary>
    public required string AssignedBy { get; init; }

    public required byte[] VariantSalt { get; init; }

    public required RolloutDefinition[] Rollouts { get; init; }

    /// <summary>Sorted by key, in the order of code points.</summary>
    public required FlagEvaluation[] Variants { get; init; }

    /// <summary>The variants for test users, which take precedence over everything else.</summary>
    public required IReadOnlyDictionary<string, FlagEvaluation> Testers { get; init; }

    public required FlagEvaluation LacksKey { get; init; }

    public FlagEvaluation Evaluate(EvaluationContext context, ref LogicBudget budget)
    {
        if (!context.TryGetAssignment(AssignedBy, out var text)) return LacksKey;
        if (Testers.Count > 0 && context.IsTester && Testers.TryGetValue(context.DistinctId!, out var ofTester)) return ofTester;
        foreach (var rollout in Rollouts)
        {
            if (!(FlagHash.Share(text, rollout.Salt) < rollout.Percentage)) continue;
            budget.Begin();
            if (rollout.Holds(context, ref budget)) return rollout.Override ?? Split(rollout, FlagHash.Share(text, VariantSalt));
        }

        return FlagEvaluation.NoMatch;
    }

    FlagEvaluation Split(RolloutDefinition rollout, double share)
    {
        for (var i = 0; i < Variants.Length; i++)
            if (share < rollout.Shares[i]) return Variants[i];
        return Variants is [.., var last] ? last : FlagEvaluation.NoMatch;
    }
}

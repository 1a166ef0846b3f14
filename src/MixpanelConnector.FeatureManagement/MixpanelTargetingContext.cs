using Microsoft.FeatureManagement.FeatureFilters;

namespace MixpanelConnector.FeatureManagement;

/// <summary>
/// The person that flags are evaluated for, with what a <see cref="TargetingContext"/> cannot contain: the device, groups by group key, and the properties that
/// rules compare.
/// </summary>
/// <param name="context">The evaluation context.</param>
public sealed class MixpanelTargetingContext(EvaluationContext context) : TargetingContext
{
    /// <summary>The evaluation context.</summary>
    public EvaluationContext Context { get; } = context ?? throw new ArgumentNullException(nameof(context));
}

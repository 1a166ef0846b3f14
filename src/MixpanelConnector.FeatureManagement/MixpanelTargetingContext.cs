using Microsoft.FeatureManagement.FeatureFilters;

namespace MixpanelConnector.FeatureManagement;

/// <summary>Whom flags are evaluated for, with what a <see cref="TargetingContext"/> has no place for: the device, groups by their keys, and the properties that rules compare.</summary>
/// <param name="context">For whom.</param>
public sealed class MixpanelTargetingContext(EvaluationContext context) : TargetingContext
{
    /// <summary>For whom.</summary>
    public EvaluationContext Context { get; } = context ?? throw new ArgumentNullException(nameof(context));
}

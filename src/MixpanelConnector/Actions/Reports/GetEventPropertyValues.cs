namespace MixpanelConnector;

/// <summary>Which event and property, and how many values to give.</summary>
public sealed record GetEventPropertyValuesInput : ReportInput
{
    /// <summary>The name of the event.</summary>
    public required string Event { get; init; }

    /// <summary>The name of the property.</summary>
    public required string Property { get; init; }

    /// <summary>The most values to give. Default: 255.</summary>
    public long? Limit { get; init; }
}

/// <summary>The values.</summary>
public sealed record GetEventPropertyValuesOutput
{
    /// <summary>The values as text, the most common first.</summary>
    public required IReadOnlyList<string> Values { get; init; }

    /// <summary>How many values were retrieved.</summary>
    public required int Total { get; init; }

    /// <summary>What to do about an event for which nothing was found and that Mixpanel does not know, such as the names that may be meant. Finding that out costs one more query. Null otherwise.</summary>
    public string? Hint { get; init; }
}

/// <summary>How <see cref="MixpanelClient.GetEventPropertyValuesAsync(GetEventPropertyValuesInput, CancellationToken)"/> is carried out.</summary>
static class GetEventPropertyValues
{
    public static async ValueTask<GetEventPropertyValuesOutput> ExecuteAsync(ActionContext context, GetEventPropertyValuesInput input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var request = context.Request().WithView(input).WithName("event", "event", input.Event).WithName("name", "property", input.Property).WithLimit(input.Limit);
        var values = await EventReport.ReadAsync(context, request, EventReport.ReadTexts, cancellationToken).ConfigureAwait(false);
        return new GetEventPropertyValuesOutput { Values = values, Total = values.Length };
    }
}

public sealed partial class MixpanelClient
{
    /// <summary>Retrieves the most common values of a property of an event.</summary>
    /// <example>{"event":"Viewed Page","property":"plan","limit":20}</example>
    /// <param name="input">Which event and property, and how many values to give.</param>
    /// <param name="cancellationToken">Stops the call.</param>
    /// <exception cref="MixpanelException">The input is refused, or Mixpanel cannot do it.</exception>
    public ValueTask<GetEventPropertyValuesOutput> GetEventPropertyValuesAsync(GetEventPropertyValuesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.GetEventPropertyValues, input, cancellationToken);
}

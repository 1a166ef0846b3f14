using System.ComponentModel.DataAnnotations;
namespace MixpanelConnector;

/// <summary>The event and property, and how many values to return.</summary>
public sealed record GetEventPropertyValuesInput : ReportInput
{
    /// <summary>The name of the event.</summary>
    [Size(1)]
    public required string Event { get; init; }

    /// <summary>The name of the property.</summary>
    [Size(1)]
    public required string Property { get; init; }

    /// <summary>The maximum number of values. Default: 255.</summary>
    [Range(1, long.MaxValue)]
    public long? Limit { get; init; }
}

/// <summary>The values.</summary>
public sealed record GetEventPropertyValuesOutput
{
    /// <summary>The values as text, the most common first.</summary>
    public required IReadOnlyList<string> Values { get; init; }

    /// <summary>The number of values retrieved.</summary>
    public required int Total { get; init; }

    /// <summary>
    /// For an event without results that Mixpanel does not know: what to do, such as the likely names. Finding them costs one more query. Null otherwise.
    /// </summary>
    public string? Hint { get; init; }
}

/// <summary>How <see cref="MixpanelClient.GetEventPropertyValuesAsync(GetEventPropertyValuesInput, CancellationToken)"/> is implemented.</summary>
static class GetEventPropertyValues
{
    public static async ValueTask<GetEventPropertyValuesOutput> ExecuteAsync(ActionContext context, GetEventPropertyValuesInput input,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var request = context.Request()
            .WithView(input)
            .WithName("event", "event", input.Event)
            .WithName("name", "property", input.Property)
            .WithLimit(input.Limit);
        var values = await EventReport.ReadAsync(context, request, EventReport.ReadTexts, cancellationToken).ConfigureAwait(false);
        return new GetEventPropertyValuesOutput { Values = values, Total = values.Length };
    }
}

public sealed partial class MixpanelClient
{
    /// <summary>Retrieves the most common values of a property of an event.</summary>
    /// <example>{"event":"Viewed Page","property":"plan","limit":20}</example>
    /// <param name="input">The event and property, and how many values to return.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="MixpanelException">The input is invalid, or Mixpanel failed or refused the call.</exception>
    public ValueTask<GetEventPropertyValuesOutput> GetEventPropertyValuesAsync(GetEventPropertyValuesInput input,
        CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.GetEventPropertyValues, input, cancellationToken);
}

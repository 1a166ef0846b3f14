using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace MixpanelConnector;

/// <summary>The event, and how many properties to return.</summary>
public sealed record GetEventPropertiesInput : ReportInput
{
    /// <summary>The name of the event.</summary>
    [Size(1)]
    public required string Event { get; init; }

    /// <summary>The maximum number of properties. Default: 10.</summary>
    [Range(1, long.MaxValue)]
    public long? Limit { get; init; }
}

/// <summary>The properties.</summary>
public sealed record GetEventPropertiesOutput
{
    /// <summary>The properties, the most common first.</summary>
    public required IReadOnlyList<PropertyCount> Properties { get; init; }

    /// <summary>
    /// For an event without results that Mixpanel does not know: what to do, such as the likely names. Finding them costs one more query. Null otherwise.
    /// </summary>
    public string? Hint { get; init; }
}

/// <summary>A property and how many events have it.</summary>
public sealed record PropertyCount
{
    /// <summary>The name of the property.</summary>
    public required string Name { get; init; }

    /// <summary>The number of events that have it.</summary>
    public required long Count { get; init; }
}

/// <summary>How <see cref="MixpanelClient.GetEventPropertiesAsync(GetEventPropertiesInput, CancellationToken)"/> is implemented.</summary>
static class GetEventProperties
{
    // Mixpanel's maximum for an event.
    public const int MostAsResource = 255;

    public static async ValueTask<GetEventPropertiesOutput> ExecuteAsync(ActionContext context, GetEventPropertiesInput input,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var request = context.Request().WithView(input).WithName("event", "event", input.Event).WithLimit(input.Limit);
        return await EventReport.ReadAsync(context, request,
            reply => new GetEventPropertiesOutput { Properties = [.. reply.EnumerateObject().Select(Read).OrderByDescending(property => property.Count)] },
            cancellationToken).ConfigureAwait(false);
    }

    static PropertyCount Read(JsonProperty member) => new()
    {
        Name = member.Name,
        Count = member.Value.GetProperty("count").GetInt64(),
    };
}

public sealed partial class MixpanelClient
{
    /// <summary>Retrieves the most common properties of an event.</summary>
    /// <example>{"event":"Viewed Page","limit":50}</example>
    /// <param name="input">The event, and how many properties to return.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="MixpanelException">The input is invalid, or Mixpanel failed or refused the call.</exception>
    public ValueTask<GetEventPropertiesOutput> GetEventPropertiesAsync(GetEventPropertiesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.GetEventProperties, input, cancellationToken);
}

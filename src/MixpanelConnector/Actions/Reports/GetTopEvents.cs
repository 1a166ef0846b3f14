using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace MixpanelConnector;

/// <summary>What to count, and how many events to return.</summary>
public sealed record GetTopEventsInput : ReportInput
{
    /// <summary>What to count: general (every event), unique (users), average (events for each user). Default: general.</summary>
    public EventCountType? Type { get; init; }

    /// <summary>The maximum number of events. Default: 100.</summary>
    [Range(1, long.MaxValue)]
    public long? Limit { get; init; }
}

/// <summary>The events.</summary>
public sealed record GetTopEventsOutput
{
    /// <summary>The most common events of today.</summary>
    public required IReadOnlyList<TopEvent> Events { get; init; }

    /// <summary>What was counted: general, unique or average.</summary>
    public required string Type { get; init; }
}

/// <summary>An event, with its count today.</summary>
public sealed record TopEvent
{
    /// <summary>The name of the event.</summary>
    public required string Event { get; init; }

    /// <summary>Today's count.</summary>
    public required double Amount { get; init; }

    /// <summary>The change since yesterday as a fraction: 0.5 is an increase by half, -0.25 a decrease by a quarter.</summary>
    public required double PercentChange { get; init; }
}

/// <summary>How <see cref="MixpanelClient.GetTopEventsAsync(GetTopEventsInput, CancellationToken)"/> is implemented.</summary>
static class GetTopEvents
{
    public static async ValueTask<GetTopEventsOutput> ExecuteAsync(ActionContext context, GetTopEventsInput input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var request = context.Request().WithView(input).WithType(input.Type).WithLimit(input.Limit);
        return await EventReport.ReadAsync(context, request, reply => new GetTopEventsOutput
        {
            Events = [.. reply.GetProperty("events").EnumerateArray().Select(Read)],
            Type = reply.TryGetProperty("type", out var type) ? EventReport.ReadText(type) : EventReport.NameOf(input.Type),
        }, cancellationToken).ConfigureAwait(false);
    }

    static TopEvent Read(JsonElement item) => new()
    {
        Event = EventReport.ReadText(item.GetProperty("event")),
        Amount = EventReport.ReadNumber(item.GetProperty("amount")),
        PercentChange = EventReport.ReadNumber(item.GetProperty("percent_change")),
    };
}

public sealed partial class MixpanelClient
{
    /// <summary>Retrieves today's most common events, and how they changed since yesterday.</summary>
    /// <example>{"type":"general","limit":10}</example>
    /// <param name="input">What to count, and how many events to return. Default: the defaults of its properties.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="MixpanelException">The input is invalid, or Mixpanel failed or refused the call.</exception>
    public ValueTask<GetTopEventsOutput> GetTopEventsAsync(GetTopEventsInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.GetTopEvents, input ?? new(), cancellationToken);
}

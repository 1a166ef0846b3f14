using System.ComponentModel.DataAnnotations;
namespace MixpanelConnector;

/// <summary>The event and property to count, and the time range.</summary>
public sealed record QueryEventPropertyCountsInput : ReportInput
{
    /// <summary>The name of the event.</summary>
    [Size(1)]
    public required string Event { get; init; }

    /// <summary>The name of the property.</summary>
    [Size(1)]
    public required string Property { get; init; }

    /// <summary>The values to count. Default: all.</summary>
    [ItemSize(1)]
    public IReadOnlyList<string>? Values { get; init; }

    /// <summary>What to count: general (every event), unique (users), average (events for each user). Default: general.</summary>
    public EventCountType? Type { get; init; }

    /// <summary>The unit of time to count in: minute, hour, day, week or month. Users (type unique) are not counted by minute or hour. Default: day.</summary>
    public EventCountUnit? Unit { get; init; }

    /// <summary>The number of latest units, including the current one. Either this, or from_date and to_date.</summary>
    [Range(1, long.MaxValue)]
    public long? Interval { get; init; }

    /// <summary>The first day, such as 2026-11-01, in the project's time zone. Needs to_date.</summary>
    public DateOnly? FromDate { get; init; }

    /// <summary>The last day, such as 2026-11-30, in the project's time zone; inclusive. Needs from_date.</summary>
    public DateOnly? ToDate { get; init; }

    /// <summary>The maximum number of values. Default: 255.</summary>
    [Range(1, long.MaxValue)]
    public long? Limit { get; init; }
}

/// <summary>The counts.</summary>
public sealed record QueryEventPropertyCountsOutput
{
    /// <summary>The dates of the counts, in order: days as 2026-11-23, times as 2026-11-23 10:00:00, in the project's time zone.</summary>
    public required IReadOnlyList<string> Series { get; init; }

    /// <summary>The counts: for each value, one per date.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> Values { get; init; }

    /// <summary>The number of values.</summary>
    public required long LegendSize { get; init; }

    /// <summary>
    /// For an event without results that Mixpanel does not know: what to do, such as the likely names. Finding them costs one more query. Null otherwise.
    /// </summary>
    public string? Hint { get; init; }
}

/// <summary>How <see cref="MixpanelClient.QueryEventPropertyCountsAsync(QueryEventPropertyCountsInput, CancellationToken)"/> is implemented.</summary>
static class QueryEventPropertyCounts
{
    public static async ValueTask<QueryEventPropertyCountsOutput> ExecuteAsync(ActionContext context, QueryEventPropertyCountsInput input,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var request = context.Request()
            .WithView(input)
            .WithName("event", "event", input.Event)
            .WithName("name", "property", input.Property)
            .WithType(input.Type)
            .WithTime(input.Type, input.Unit, input.Interval, input.FromDate, input.ToDate).WithLimit(input.Limit);
        if (input.Values is { Count: > 0 } wanted) request = request.WithNames("values", "values", wanted);
        var (series, values, legendSize) = await EventReport.ReadAsync(context, request, EventReport.ReadSeries, cancellationToken).ConfigureAwait(false);
        return new QueryEventPropertyCountsOutput { Series = series, Values = values, LegendSize = legendSize };
    }
}

public sealed partial class MixpanelClient
{
    /// <summary>Counts an event by the values of a property over time.</summary>
    /// <example>{"event":"Viewed Page","property":"plan","unit":"week","interval":8}</example>
    /// <param name="input">The event and property to count, and the time range.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="MixpanelException">The input is invalid, or Mixpanel failed or refused the call.</exception>
    public ValueTask<QueryEventPropertyCountsOutput> QueryEventPropertyCountsAsync(QueryEventPropertyCountsInput input,
        CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.QueryEventPropertyCounts, input, cancellationToken);
}

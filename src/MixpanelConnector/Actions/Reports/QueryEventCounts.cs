using System.ComponentModel.DataAnnotations;
namespace MixpanelConnector;

/// <summary>The events to count, and the time range.</summary>
public sealed record QueryEventCountsInput : ReportInput
{
    /// <summary>The names of the events.</summary>
    [Size(1)]
    [ItemSize(1)]
    public required IReadOnlyList<string> Events { get; init; }

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
}

/// <summary>The counts.</summary>
public sealed record QueryEventCountsOutput
{
    /// <summary>The dates of the counts, in order: days as 2026-11-23, times as 2026-11-23 10:00:00, in the project's time zone.</summary>
    public required IReadOnlyList<string> Series { get; init; }

    /// <summary>The counts: for each event, one per date.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> Values { get; init; }

    /// <summary>The number of events.</summary>
    public required long LegendSize { get; init; }

    /// <summary>
    /// For an event without results that Mixpanel does not know: what to do, such as the likely names. Finding them costs one more query. Null otherwise.
    /// </summary>
    public string? Hint { get; init; }
}

/// <summary>How <see cref="MixpanelClient.QueryEventCountsAsync(QueryEventCountsInput, CancellationToken)"/> is implemented.</summary>
static class QueryEventCounts
{
    public static async ValueTask<QueryEventCountsOutput> ExecuteAsync(ActionContext context, QueryEventCountsInput input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var request = context.Request()
            .WithView(input)
            .WithNames("event", "events", input.Events)
            .WithType(input.Type)
            .WithTime(input.Type, input.Unit, input.Interval, input.FromDate, input.ToDate);
        var (series, values, legendSize) = await EventReport.ReadAsync(context, request, EventReport.ReadSeries, cancellationToken).ConfigureAwait(false);
        return new QueryEventCountsOutput { Series = series, Values = values, LegendSize = legendSize };
    }
}

public sealed partial class MixpanelClient
{
    /// <summary>Counts events by name over time.</summary>
    /// <example>{"events":["Signed Up","Viewed Page"],"unit":"day","interval":30}</example>
    /// <param name="input">The events to count, and the time range.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="MixpanelException">The input is invalid, or Mixpanel failed or refused the call.</exception>
    public ValueTask<QueryEventCountsOutput> QueryEventCountsAsync(QueryEventCountsInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.QueryEventCounts, input, cancellationToken);
}

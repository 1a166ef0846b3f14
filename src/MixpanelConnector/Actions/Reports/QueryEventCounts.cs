using System.Text.Json.Serialization;
using MixpanelConnector;

[assembly: Action<QueryEventCounts, QueryEventCounts.Input, QueryEventCounts.Output>]

namespace MixpanelConnector;

/// <summary>Counts events by name over time.</summary>
/// <remarks>Needs a service account and a project. Each call counts against the limit of 60 queries an hour, 5 of them at a time. See https://developer.mixpanel.com/reference/list-recent-events.</remarks>
/// <example>{"events":["Signed Up","Viewed Page"],"unit":"day","interval":30}</example>
public sealed partial class QueryEventCounts : IAction<QueryEventCounts.Input, QueryEventCounts.Output>
{
    static readonly QueryEventCountsJson Json = new(Wire.Options());

    /// <summary>Which events to count, and when.</summary>
    public sealed record Input
    {
        /// <summary>The names of the events.</summary>
        public required IReadOnlyList<string> Events { get; init; }

        /// <summary>What to count: general (every event), unique (users), average (events for each user). Default: general.</summary>
        public EventCountType? Type { get; init; }

        /// <summary>The stretches of time to count in: minute, hour, day, week or month. Users (type unique) are not counted by minute or hour. Default: day.</summary>
        public EventCountUnit? Unit { get; init; }

        /// <summary>The latest so many units, the current one included. Either this, or from_date and to_date.</summary>
        public long? Interval { get; init; }

        /// <summary>The first day, such as 2026-11-01, in the project's time zone. Needs to_date.</summary>
        public DateOnly? FromDate { get; init; }

        /// <summary>The last day, such as 2026-11-30, in the project's time zone; it is counted, too. Needs from_date.</summary>
        public DateOnly? ToDate { get; init; }
    }

    /// <summary>The counts.</summary>
    public sealed record Output
    {
        /// <summary>The dates that are counted, in order: days as 2026-11-23, times as 2026-11-23 10:00:00, in the project's time zone.</summary>
        public required IReadOnlyList<string> Series { get; init; }

        /// <summary>The numbers: for each event, one for each date.</summary>
        public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> Values { get; init; }

        /// <summary>How many events there are.</summary>
        public required long LegendSize { get; init; }
    }

    /// <inheritdoc/>
    public static ActionSpec<Input, Output> Spec { get; } = new("query_event_counts", Json.Input, Json.Output)
    {
        Group = "Reports",
        Effect = Effect.ReadOnly,
        Credential = CredentialNeed.ServiceAccountOfProject,
        Cost = RateCost.Query,
    };

    /// <inheritdoc/>
    public static async ValueTask<Output> ExecuteAsync(ActionContext context, Input input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var request = EventReport.Request("").WithNames("event", "events", input.Events).WithType(input.Type).WithTime(input.Type, input.Unit, input.Interval, input.FromDate, input.ToDate);
        var (series, values, legendSize) = await EventReport.ReadAsync(context, request, EventReport.ReadSeries, cancellationToken).ConfigureAwait(false);
        return new Output { Series = series, Values = values, LegendSize = legendSize };
    }

    [JsonSerializable(typeof(Input), TypeInfoPropertyName = "Input")]
    [JsonSerializable(typeof(Output), TypeInfoPropertyName = "Output")]
    sealed partial class QueryEventCountsJson : JsonSerializerContext;
}

public sealed partial class MixpanelClient
{
    /// <summary>Counts events by name over time.</summary>
    /// <param name="input">Which events to count, and when.</param>
    /// <param name="cancellationToken">Stops the call.</param>
    /// <exception cref="MixpanelException">The input is refused, or Mixpanel cannot do it.</exception>
    public ValueTask<QueryEventCounts.Output> QueryEventCountsAsync(QueryEventCounts.Input input, CancellationToken cancellationToken = default) =>
        InvokeAsync<QueryEventCounts, QueryEventCounts.Input, QueryEventCounts.Output>(input, cancellationToken);
}

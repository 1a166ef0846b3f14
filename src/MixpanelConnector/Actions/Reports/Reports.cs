using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>The common input of all reports.</summary>
public abstract record ReportInput
{
    private protected ReportInput() { }

    /// <summary>The data view to query. Default: the whole project.</summary>
    [Range(1, long.MaxValue)]
    public long? WorkspaceId { get; init; }
}

/// <summary>The common input of reports on a range of days.</summary>
public abstract record DatedReportInput : ReportInput
{
    private protected DatedReportInput() { }

    /// <summary>The first day, such as 2026-11-01, in the project's time zone.</summary>
    public required DateOnly FromDate { get; init; }

    /// <summary>The last day, such as 2026-11-30; inclusive.</summary>
    public required DateOnly ToDate { get; init; }
}

/// <summary>Identifies a report.</summary>
public sealed record QueryInsightsInput : ReportInput
{
    /// <summary>The id of the saved report: the number in its URL.</summary>
    [Range(1, long.MaxValue)]
    public required long BookmarkId { get; init; }
}

/// <summary>A saved report, as Mixpanel computed it.</summary>
public sealed record InsightsReport : MixpanelObject
{
    /// <summary>When it was computed.</summary>
    public string? ComputedAt { get; init; }

    /// <summary>The days that it covers: from_date and to_date.</summary>
    public JsonObject? DateRange { get; init; }

    /// <summary>The meaning of each level of the series.</summary>
    public IReadOnlyList<string>? Headers { get; init; }

    /// <summary>The numbers, nested as deep as there are headers.</summary>
    public required JsonObject Series { get; init; }
}

/// <summary>The funnel, and the time range.</summary>
public sealed record QueryFunnelInput : DatedReportInput
{
    /// <summary>The id of the saved funnel.</summary>
    [Range(1, long.MaxValue)]
    public required long FunnelId { get; init; }

    /// <summary>The maximum time to complete the funnel, in length_unit; at most 90 days. Default: the funnel's own.</summary>
    [Range(1, 7776000)]
    public long? Length { get; init; }

    /// <summary>The unit of length. Default: the funnel's own.</summary>
    public FunnelLengthUnit? LengthUnit { get; init; }

    /// <summary>The number of days in each interval of the result. Default: 1.</summary>
    [Range(1, 366)]
    public long? Interval { get; init; }

    /// <summary>The unit of the intervals: day, week or month. Default: day.</summary>
    public ReportUnit? Unit { get; init; }

    /// <summary>An expression to segment the result by, in Mixpanel's segmentation language, such as properties["plan"]. Default: none.</summary>
    public string? On { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language, such as properties["plan"] == "pro". Default: all events.</summary>
    public string? Where { get; init; }

    /// <summary>The maximum number of segments, with on. Default: 255.</summary>
    [Range(1, 10000)]
    public long? Limit { get; init; }
}

/// <summary>The conversions of a funnel.</summary>
public sealed record FunnelReport : MixpanelObject
{
    /// <summary>The computed days, as dates.</summary>
    public JsonObject? Meta { get; init; }

    /// <summary>By day: steps and analysis; with on, by segment.</summary>
    public required JsonObject Data { get; init; }
}

/// <summary>The data view whose funnels to list.</summary>
public sealed record ListFunnelsInput : ReportInput;

/// <summary>A saved funnel, as Mixpanel lists it.</summary>
public sealed record SavedFunnel : MixpanelObject
{
    /// <summary>The id of the funnel.</summary>
    public required long FunnelId { get; init; }

    /// <summary>The name of the funnel.</summary>
    public required string Name { get; init; }
}

/// <summary>The inputs of a retention report.</summary>
public sealed record QueryRetentionInput : DatedReportInput
{
    /// <summary>birth: users who did born_event for the first time; compounded: all who did event. Default: birth.</summary>
    public RetentionType? RetentionType { get; init; }

    /// <summary>The event by which a user is counted; birth needs it. Default: none.</summary>
    [Size(1)]
    public string? BornEvent { get; init; }

    /// <summary>The event that counts as a return. Default: any event.</summary>
    [Size(1)]
    public string? Event { get; init; }

    /// <summary>A condition on born_event in Mixpanel's segmentation language. Default: none.</summary>
    public string? BornWhere { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language, such as properties["plan"] == "pro". Default: all events.</summary>
    public string? Where { get; init; }

    /// <summary>The number of units in each interval of the result; at most 90 days. Default: 1.</summary>
    [Range(1, 90)]
    public long? Interval { get; init; }

    /// <summary>The number of intervals after the first. Default: 1.</summary>
    [Range(1, 1000)]
    public long? IntervalCount { get; init; }

    /// <summary>The unit to count by: day, week or month. Default: day.</summary>
    public ReportUnit? Unit { get; init; }

    /// <summary>Whether users who return later also count in all earlier intervals. Default: false.</summary>
    public bool? UnboundedRetention { get; init; }

    /// <summary>An expression to segment the result by, in Mixpanel's segmentation language, such as properties["plan"]. Default: none.</summary>
    public string? On { get; init; }

    /// <summary>The maximum number of segments, with on. Default: Mixpanel's own.</summary>
    [Range(1, 10000)]
    public long? Limit { get; init; }
}

/// <summary>The users who entered on a day, and how many of them returned; with on, by segment.</summary>
public sealed record RetentionCohort : MixpanelObject
{
    /// <summary>The numbers of users who returned, by interval.</summary>
    public IReadOnlyList<double>? Counts { get; init; }

    /// <summary>The number of users in the cohort.</summary>
    public double? First { get; init; }
}

/// <summary>The inputs of a frequency report.</summary>
public sealed record QueryFrequencyInput : DatedReportInput
{
    /// <summary>The unit to count by: day, week or month.</summary>
    public required ReportUnit Unit { get; init; }

    /// <summary>The unit in which users are active or not: hour or day.</summary>
    public required FrequencyUnit AddictionUnit { get; init; }

    /// <summary>The event that counts as activity. Default: any event.</summary>
    [Size(1)]
    public string? Event { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language, such as properties["plan"] == "pro". Default: all events.</summary>
    public string? Where { get; init; }

    /// <summary>An expression to segment the result by, in Mixpanel's segmentation language, such as properties["plan"]. Default: none.</summary>
    public string? On { get; init; }

    /// <summary>The maximum number of segments, with on. Default: Mixpanel's own.</summary>
    [Range(1, 10000)]
    public long? Limit { get; init; }
}

/// <summary>The event, and the segmentation.</summary>
public sealed record QuerySegmentationInput : DatedReportInput
{
    /// <summary>The name of the event.</summary>
    [Size(1)]
    public required string Event { get; init; }

    /// <summary>An expression to segment the result by, in Mixpanel's segmentation language, such as properties["plan"]. Default: none.</summary>
    public string? On { get; init; }

    /// <summary>The unit to count by: minute, hour, day or month. Default: day.</summary>
    public SegmentationUnit? Unit { get; init; }

    /// <summary>The number of units in each interval of the result. Default: Mixpanel's own.</summary>
    [Range(1, 10000)]
    public long? Interval { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language, such as properties["plan"] == "pro". Default: all events.</summary>
    public string? Where { get; init; }

    /// <summary>The maximum number of segments, with on. Default: 60.</summary>
    [Range(1, 10000)]
    public long? Limit { get; init; }

    /// <summary>What to count: general (every event), unique (users), average (events for each user). Default: general.</summary>
    public EventCountType? Type { get; init; }
}

/// <summary>The event, and the number to segment it by.</summary>
public sealed record QuerySegmentationNumericInput : DatedReportInput
{
    /// <summary>The name of the event.</summary>
    [Size(1)]
    public required string Event { get; init; }

    /// <summary>The number to use, in Mixpanel's segmentation language, such as number(properties["price"]).</summary>
    [Size(1)]
    public required string On { get; init; }

    /// <summary>The unit to count by: hour or day. Default: day.</summary>
    public NumericUnit? Unit { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language, such as properties["plan"] == "pro". Default: all events.</summary>
    public string? Where { get; init; }

    /// <summary>What to count: general (every event), unique (users), average (events for each user). Default: general.</summary>
    public EventCountType? Type { get; init; }
}

/// <summary>The event, and the number to use.</summary>
public sealed record QuerySegmentationValuesInput : DatedReportInput
{
    /// <summary>The name of the event.</summary>
    [Size(1)]
    public required string Event { get; init; }

    /// <summary>The number to use, in Mixpanel's segmentation language, such as number(properties["price"]).</summary>
    [Size(1)]
    public required string On { get; init; }

    /// <summary>The unit to count by: hour or day. Default: day.</summary>
    public NumericUnit? Unit { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language, such as properties["plan"] == "pro". Default: all events.</summary>
    public string? Where { get; init; }
}

/// <summary>Counts by segment and time.</summary>
public sealed record SegmentationReport : MixpanelObject
{
    /// <summary>The times of the counts, in order.</summary>
    public required IReadOnlyList<string> Series { get; init; }

    /// <summary>The counts: for each segment, one per time.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, double?>> Values { get; init; }

    /// <summary>The number of segments.</summary>
    public long? LegendSize { get; init; }

    /// <summary>
    /// For an event without results that Mixpanel does not know: what to do, such as the likely names. Finding them costs one more query. Null otherwise.
    /// </summary>
    public string? Hint { get; init; }
}

/// <summary>Numbers by time.</summary>
public sealed record DailyNumbers : MixpanelObject
{
    /// <summary>The numbers by time.</summary>
    public required IReadOnlyDictionary<string, double?> Results { get; init; }

    /// <summary>When it was computed.</summary>
    public string? ComputedAt { get; init; }

    /// <summary>
    /// For an event without results that Mixpanel does not know: what to do, such as the likely names. Finding them costs one more query. Null otherwise.
    /// </summary>
    public string? Hint { get; init; }
}

/// <summary>The users whose events to retrieve, and the time range.</summary>
public sealed record QueryActivityStreamInput : DatedReportInput
{
    /// <summary>The ids of the users.</summary>
    [Size(1)]
    [ItemSize(1)]
    public required IReadOnlyList<string> DistinctIds { get; init; }
}

/// <summary>The data view whose cohorts to list.</summary>
public sealed record ListCohortsInput : ReportInput;

/// <summary>A cohort, as Mixpanel lists it.</summary>
public sealed record Cohort : MixpanelObject
{
    /// <summary>The id of the cohort.</summary>
    public required long Id { get; init; }

    /// <summary>The name of the cohort.</summary>
    public required string Name { get; init; }

    /// <summary>A description.</summary>
    public string? Description { get; init; }

    /// <summary>The number of users in it.</summary>
    public long? Count { get; init; }

    /// <summary>1 if all users of the project can see it, else 0.</summary>
    public int? IsVisible { get; init; }

    /// <summary>When it was created.</summary>
    public string? Created { get; init; }
}

/// <summary>The script to run.</summary>
public sealed record QueryJqlInput : ReportInput
{
    /// <summary>The JavaScript: a function main that returns the result.</summary>
    [Size(1)]
    public required string Script { get; init; }

    /// <summary>The params of the script. Default: none.</summary>
    public JsonObject? Params { get; init; }
}

/// <summary>The unit that users are counted by.</summary>
[JsonConverter(typeof(SnakeCaseNames<ReportUnit>))]
public enum ReportUnit
{
    /// <summary>Days.</summary>
    Day,

    /// <summary>Weeks.</summary>
    Week,

    /// <summary>Months.</summary>
    Month,
}

/// <summary>The unit of a funnel's length.</summary>
[JsonConverter(typeof(SnakeCaseNames<FunnelLengthUnit>))]
public enum FunnelLengthUnit
{
    /// <summary>Days.</summary>
    Day,

    /// <summary>Hours.</summary>
    Hour,

    /// <summary>Minutes.</summary>
    Minute,

    /// <summary>Seconds.</summary>
    Second,
}

/// <summary>The unit of users' activity.</summary>
[JsonConverter(typeof(SnakeCaseNames<FrequencyUnit>))]
public enum FrequencyUnit
{
    /// <summary>Hours.</summary>
    Hour,

    /// <summary>Days.</summary>
    Day,
}

/// <summary>The unit that segments are counted by.</summary>
[JsonConverter(typeof(SnakeCaseNames<SegmentationUnit>))]
public enum SegmentationUnit
{
    /// <summary>Minutes.</summary>
    Minute,

    /// <summary>Hours.</summary>
    Hour,

    /// <summary>Days.</summary>
    Day,

    /// <summary>Months.</summary>
    Month,
}

/// <summary>The unit that numbers are counted by.</summary>
[JsonConverter(typeof(SnakeCaseNames<NumericUnit>))]
public enum NumericUnit
{
    /// <summary>Hours.</summary>
    Hour,

    /// <summary>Days.</summary>
    Day,
}

/// <summary>The users in a retention report.</summary>
[JsonConverter(typeof(SnakeCaseNames<RetentionType>))]
public enum RetentionType
{
    /// <summary>Users who did an event for the first time.</summary>
    Birth,

    /// <summary>All users who did an event, each time.</summary>
    Compounded,
}

public sealed partial class MixpanelClient
{
    /// <summary>Queries a saved Insights report.</summary>
    /// <example>{"bookmark_id":1}</example>
    public ValueTask<InsightsReport> QueryInsightsAsync(QueryInsightsInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.QueryInsights, input, cancellationToken);

    /// <summary>Queries a saved funnel.</summary>
    /// <example>{"funnel_id":1,"from_date":"2026-11-01","to_date":"2026-11-30"}</example>
    public ValueTask<FunnelReport> QueryFunnelAsync(QueryFunnelInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.QueryFunnel, input, cancellationToken);

    /// <summary>Lists the saved funnels of the project.</summary>
    /// <example>{}</example>
    public ValueTask<ResultList<SavedFunnel>> ListFunnelsAsync(ListFunnelsInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.ListFunnels, input ?? new(), cancellationToken);

    /// <summary>Counts the users who return, by the day of their first event.</summary>
    /// <example>{"from_date":"2026-11-01","to_date":"2026-11-30","born_event":"Signed Up","event":"Viewed Page"}</example>
    public ValueTask<ResultMap<RetentionCohort>> QueryRetentionAsync(QueryRetentionInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.QueryRetention, input, cancellationToken);

    /// <summary>Counts users by the number of hours or days in which they were active, for each day, week or month.</summary>
    /// <example>{"from_date":"2026-11-01","to_date":"2026-11-30","unit":"week","addiction_unit":"day"}</example>
    public ValueTask<ResultMap<JsonElement>> QueryFrequencyAsync(QueryFrequencyInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.QueryFrequency, input, cancellationToken);

    /// <summary>Counts an event over time, split by a property.</summary>
    /// <example>{"event":"Viewed Page","from_date":"2026-11-01","to_date":"2026-11-30","on":"properties[\"plan\"]"}</example>
    public ValueTask<SegmentationReport> QuerySegmentationAsync(QuerySegmentationInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.QuerySegmentation, input, cancellationToken);

    /// <summary>Counts an event over time, by ranges of a numeric property.</summary>
    /// <example>{"event":"Viewed Page","from_date":"2026-11-01","to_date":"2026-11-30","on":"number(properties[\"price\"])"}</example>
    public ValueTask<SegmentationReport> QuerySegmentationNumericAsync(QuerySegmentationNumericInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.QuerySegmentationNumeric, input, cancellationToken);

    /// <summary>Sums a numeric property of an event over time.</summary>
    /// <example>{"event":"Viewed Page","from_date":"2026-11-01","to_date":"2026-11-30","on":"number(properties[\"price\"])"}</example>
    public ValueTask<DailyNumbers> QuerySegmentationSumAsync(QuerySegmentationValuesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.QuerySegmentationSum, input, cancellationToken);

    /// <summary>Averages a numeric property of an event over time.</summary>
    /// <example>{"event":"Viewed Page","from_date":"2026-11-01","to_date":"2026-11-30","on":"number(properties[\"price\"])"}</example>
    public ValueTask<DailyNumbers> QuerySegmentationAverageAsync(QuerySegmentationValuesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.QuerySegmentationAverage, input, cancellationToken);

    /// <summary>Retrieves the events of some users. Mixpanel maintains this operation, but no longer develops it.</summary>
    /// <example>{"distinct_ids":["user-1"],"from_date":"2026-11-01","to_date":"2026-11-30"}</example>
    public ValueTask<ResultList<MixpanelEvent>> QueryActivityStreamAsync(QueryActivityStreamInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.QueryActivityStream, input, cancellationToken);

    /// <summary>Lists the cohorts of the project.</summary>
    /// <example>{}</example>
    public ValueTask<ResultList<Cohort>> ListCohortsAsync(ListCohortsInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.ListCohorts, input ?? new(), cancellationToken);

    /// <summary>Runs a JQL script. Mixpanel maintains this operation, but no longer develops it.</summary>
    /// <example>{"script":"function main() { return [1]; }"}</example>
    public ValueTask<ResultList<JsonElement>> QueryJqlAsync(QueryJqlInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.QueryJql, input, cancellationToken);
}

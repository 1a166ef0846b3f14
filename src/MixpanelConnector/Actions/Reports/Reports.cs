using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>What every report can be told.</summary>
public abstract record ReportInput
{
    private protected ReportInput() { }

    /// <summary>The data view that is asked. Default: the whole project.</summary>
    [Range(1, long.MaxValue)]
    public long? WorkspaceId { get; init; }
}

/// <summary>What every report on a range of days is told.</summary>
public abstract record DatedReportInput : ReportInput
{
    private protected DatedReportInput() { }

    /// <summary>The first day, such as 2026-11-01, in the project's time zone.</summary>
    public required DateOnly FromDate { get; init; }

    /// <summary>The last day, such as 2026-11-30; it is counted, too.</summary>
    public required DateOnly ToDate { get; init; }
}

/// <summary>Which report.</summary>
public sealed record QueryInsightsInput : ReportInput
{
    /// <summary>The id of the saved report: the number in its address.</summary>
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

    /// <summary>What each level of the series stands for.</summary>
    public IReadOnlyList<string>? Headers { get; init; }

    /// <summary>The numbers, nested as deep as there are headers.</summary>
    public required JsonObject Series { get; init; }
}

/// <summary>Which funnel, and when.</summary>
public sealed record QueryFunnelInput : DatedReportInput
{
    /// <summary>The id of the saved funnel.</summary>
    [Range(1, long.MaxValue)]
    public required long FunnelId { get; init; }

    /// <summary>How long a person may take to complete the funnel, in length_unit; at most 90 days. Default: the funnel's own.</summary>
    [Range(1, 7776000)]
    public long? Length { get; init; }

    /// <summary>The unit of length. Default: the funnel's own.</summary>
    public FunnelLengthUnit? LengthUnit { get; init; }

    /// <summary>How many days each part of the result covers. Default: 1.</summary>
    [Range(1, 366)]
    public long? Interval { get; init; }

    /// <summary>What the result is divided into: day, week or month. Default: day.</summary>
    public ReportUnit? Unit { get; init; }

    /// <summary>What the result is parted by, in Mixpanel's segmentation language, such as properties["plan"]. Default: no parts.</summary>
    public string? On { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language, such as properties["plan"] == "pro". Default: all events.</summary>
    public string? Where { get; init; }

    /// <summary>How many parts there are at most, with on. Default: 255.</summary>
    [Range(1, 10000)]
    public long? Limit { get; init; }
}

/// <summary>How many went how far.</summary>
public sealed record FunnelReport : MixpanelObject
{
    /// <summary>The days that are computed: dates.</summary>
    public JsonObject? Meta { get; init; }

    /// <summary>By day: steps and analysis; with on, by what the result is parted by.</summary>
    public required JsonObject Data { get; init; }
}

/// <summary>Whose funnels.</summary>
public sealed record ListFunnelsInput : ReportInput;

/// <summary>A funnel that was saved, as Mixpanel lists it.</summary>
public sealed record SavedFunnel : MixpanelObject
{
    /// <summary>The id of the funnel.</summary>
    public required long FunnelId { get; init; }

    /// <summary>The name of the funnel.</summary>
    public required string Name { get; init; }
}

/// <summary>Who comes back, and when.</summary>
public sealed record QueryRetentionInput : DatedReportInput
{
    /// <summary>birth: people who did born_event for the first time; compounded: all who did event. Default: birth.</summary>
    public RetentionType? RetentionType { get; init; }

    /// <summary>What makes a person count; birth needs it. Default: none.</summary>
    [Size(1)]
    public string? BornEvent { get; init; }

    /// <summary>What counts as coming back. Default: any event.</summary>
    [Size(1)]
    public string? Event { get; init; }

    /// <summary>A condition on born_event in Mixpanel's segmentation language. Default: none.</summary>
    public string? BornWhere { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language, such as properties["plan"] == "pro". Default: all events.</summary>
    public string? Where { get; init; }

    /// <summary>How many units each part of the result covers; at most 90 days. Default: 1.</summary>
    [Range(1, 90)]
    public long? Interval { get; init; }

    /// <summary>How many parts there are after the first. Default: 1.</summary>
    [Range(1, 1000)]
    public long? IntervalCount { get; init; }

    /// <summary>What people are counted by: day, week or month. Default: day.</summary>
    public ReportUnit? Unit { get; init; }

    /// <summary>Whether who comes back later counts as back at every time before. Default: false.</summary>
    public bool? UnboundedRetention { get; init; }

    /// <summary>What the result is parted by, in Mixpanel's segmentation language, such as properties["plan"]. Default: no parts.</summary>
    public string? On { get; init; }

    /// <summary>How many parts there are at most, with on. Default: Mixpanel's own.</summary>
    [Range(1, 10000)]
    public long? Limit { get; init; }
}

/// <summary>Those who began on a day, and how many of them came back; with on, by what the result is parted by.</summary>
public sealed record RetentionCohort : MixpanelObject
{
    /// <summary>How many came back, by interval.</summary>
    public IReadOnlyList<double>? Counts { get; init; }

    /// <summary>How many there were.</summary>
    public double? First { get; init; }
}

/// <summary>How often people do it.</summary>
public sealed record QueryFrequencyInput : DatedReportInput
{
    /// <summary>What people are counted by: day, week or month.</summary>
    public required ReportUnit Unit { get; init; }

    /// <summary>What they are active in or not: hour or day.</summary>
    public required FrequencyUnit AddictionUnit { get; init; }

    /// <summary>What counts as being active. Default: any event.</summary>
    [Size(1)]
    public string? Event { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language, such as properties["plan"] == "pro". Default: all events.</summary>
    public string? Where { get; init; }

    /// <summary>What the result is parted by, in Mixpanel's segmentation language, such as properties["plan"]. Default: no parts.</summary>
    public string? On { get; init; }

    /// <summary>How many parts there are at most, with on. Default: Mixpanel's own.</summary>
    [Range(1, 10000)]
    public long? Limit { get; init; }
}

/// <summary>Which event, and by what to part it.</summary>
public sealed record QuerySegmentationInput : DatedReportInput
{
    /// <summary>The name of the event.</summary>
    [Size(1)]
    public required string Event { get; init; }

    /// <summary>What the result is parted by, in Mixpanel's segmentation language, such as properties["plan"]. Default: no parts.</summary>
    public string? On { get; init; }

    /// <summary>What is counted by: minute, hour, day or month. Default: day.</summary>
    public SegmentationUnit? Unit { get; init; }

    /// <summary>How many units each part of the result covers. Default: Mixpanel's own.</summary>
    [Range(1, 10000)]
    public long? Interval { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language, such as properties["plan"] == "pro". Default: all events.</summary>
    public string? Where { get; init; }

    /// <summary>How many parts there are at most, with on. Default: 60.</summary>
    [Range(1, 10000)]
    public long? Limit { get; init; }

    /// <summary>What to count: general (every event), unique (users), average (events for each user). Default: general.</summary>
    public EventCountType? Type { get; init; }
}

/// <summary>Which event, and by which number to part it.</summary>
public sealed record QuerySegmentationNumericInput : DatedReportInput
{
    /// <summary>The name of the event.</summary>
    [Size(1)]
    public required string Event { get; init; }

    /// <summary>The number that counts, in Mixpanel's segmentation language, such as number(properties["price"]).</summary>
    [Size(1)]
    public required string On { get; init; }

    /// <summary>What is counted by: hour or day. Default: day.</summary>
    public NumericUnit? Unit { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language, such as properties["plan"] == "pro". Default: all events.</summary>
    public string? Where { get; init; }

    /// <summary>What to count: general (every event), unique (users), average (events for each user). Default: general.</summary>
    public EventCountType? Type { get; init; }
}

/// <summary>Which event, and which number of it.</summary>
public sealed record QuerySegmentationValuesInput : DatedReportInput
{
    /// <summary>The name of the event.</summary>
    [Size(1)]
    public required string Event { get; init; }

    /// <summary>The number that counts, in Mixpanel's segmentation language, such as number(properties["price"]).</summary>
    [Size(1)]
    public required string On { get; init; }

    /// <summary>What is counted by: hour or day. Default: day.</summary>
    public NumericUnit? Unit { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language, such as properties["plan"] == "pro". Default: all events.</summary>
    public string? Where { get; init; }
}

/// <summary>Counts by part and time.</summary>
public sealed record SegmentationReport : MixpanelObject
{
    /// <summary>The times that are counted, in order.</summary>
    public required IReadOnlyList<string> Series { get; init; }

    /// <summary>The numbers: for each part, one for each time.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, double?>> Values { get; init; }

    /// <summary>How many parts there are.</summary>
    public long? LegendSize { get; init; }

    /// <summary>What to do about an event for which nothing was found and that Mixpanel does not know, such as the names that may be meant. Finding that out costs one more query. Null otherwise.</summary>
    public string? Hint { get; init; }
}

/// <summary>A number by time.</summary>
public sealed record DailyNumbers : MixpanelObject
{
    /// <summary>The numbers by time.</summary>
    public required IReadOnlyDictionary<string, double?> Results { get; init; }

    /// <summary>When it was computed.</summary>
    public string? ComputedAt { get; init; }

    /// <summary>What to do about an event for which nothing was found and that Mixpanel does not know, such as the names that may be meant. Finding that out costs one more query. Null otherwise.</summary>
    public string? Hint { get; init; }
}

/// <summary>Whose events, and when.</summary>
public sealed record QueryActivityStreamInput : DatedReportInput
{
    /// <summary>The ids of the users.</summary>
    [Size(1)]
    public required IReadOnlyList<string> DistinctIds { get; init; }
}

/// <summary>Whose cohorts.</summary>
public sealed record ListCohortsInput : ReportInput;

/// <summary>A cohort, as Mixpanel lists it.</summary>
public sealed record Cohort : MixpanelObject
{
    /// <summary>The id of the cohort.</summary>
    public required long Id { get; init; }

    /// <summary>The name of the cohort.</summary>
    public required string Name { get; init; }

    /// <summary>What it is about.</summary>
    public string? Description { get; init; }

    /// <summary>How many users are in it.</summary>
    public long? Count { get; init; }

    /// <summary>1 when it is shown to everybody, else 0.</summary>
    public int? IsVisible { get; init; }

    /// <summary>When it was made.</summary>
    public string? Created { get; init; }
}

/// <summary>Which script to run.</summary>
public sealed record QueryJqlInput : ReportInput
{
    /// <summary>The JavaScript: a function main that returns what is asked for.</summary>
    [Size(1)]
    public required string Script { get; init; }

    /// <summary>What the script finds as params. Default: nothing.</summary>
    public JsonObject? Params { get; init; }
}

/// <summary>What people are counted by.</summary>
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

/// <summary>The unit of the time that a funnel takes.</summary>
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

/// <summary>What people are active in.</summary>
[JsonConverter(typeof(SnakeCaseNames<FrequencyUnit>))]
public enum FrequencyUnit
{
    /// <summary>Hours.</summary>
    Hour,

    /// <summary>Days.</summary>
    Day,
}

/// <summary>What segments are counted by.</summary>
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

/// <summary>What numbers are counted by.</summary>
[JsonConverter(typeof(SnakeCaseNames<NumericUnit>))]
public enum NumericUnit
{
    /// <summary>Hours.</summary>
    Hour,

    /// <summary>Days.</summary>
    Day,
}

/// <summary>Who is followed.</summary>
[JsonConverter(typeof(SnakeCaseNames<RetentionType>))]
public enum RetentionType
{
    /// <summary>Who did an event for the first time.</summary>
    Birth,

    /// <summary>All who did an event, each time.</summary>
    Compounded,
}

public sealed partial class MixpanelClient
{
    /// <summary>Computes a saved Insights report.</summary>
    /// <example>{"bookmark_id":1}</example>
    public ValueTask<InsightsReport> QueryInsightsAsync(QueryInsightsInput input, CancellationToken cancellationToken = default) => InvokeAsync(ReportActions.QueryInsights, input, cancellationToken);

    /// <summary>Computes a saved funnel.</summary>
    /// <example>{"funnel_id":1,"from_date":"2026-11-01","to_date":"2026-11-30"}</example>
    public ValueTask<FunnelReport> QueryFunnelAsync(QueryFunnelInput input, CancellationToken cancellationToken = default) => InvokeAsync(ReportActions.QueryFunnel, input, cancellationToken);

    /// <summary>Lists the saved funnels of the project.</summary>
    /// <example>{}</example>
    public ValueTask<ResultList<SavedFunnel>> ListFunnelsAsync(ListFunnelsInput? input = null, CancellationToken cancellationToken = default) => InvokeAsync(ReportActions.ListFunnels, input ?? new(), cancellationToken);

    /// <summary>Counts who comes back, by the day on which they began.</summary>
    /// <example>{"from_date":"2026-11-01","to_date":"2026-11-30","born_event":"Signed Up","event":"Viewed Page"}</example>
    public ValueTask<ResultMap<RetentionCohort>> QueryRetentionAsync(QueryRetentionInput input, CancellationToken cancellationToken = default) => InvokeAsync(ReportActions.QueryRetention, input, cancellationToken);

    /// <summary>Counts in how many hours or days of each day, week or month people are active.</summary>
    /// <example>{"from_date":"2026-11-01","to_date":"2026-11-30","unit":"week","addiction_unit":"day"}</example>
    public ValueTask<ResultMap<JsonElement>> QueryFrequencyAsync(QueryFrequencyInput input, CancellationToken cancellationToken = default) => InvokeAsync(ReportActions.QueryFrequency, input, cancellationToken);

    /// <summary>Counts an event over time, parted by a property.</summary>
    /// <example>{"event":"Viewed Page","from_date":"2026-11-01","to_date":"2026-11-30","on":"properties[\"plan\"]"}</example>
    public ValueTask<SegmentationReport> QuerySegmentationAsync(QuerySegmentationInput input, CancellationToken cancellationToken = default) => InvokeAsync(ReportActions.QuerySegmentation, input, cancellationToken);

    /// <summary>Counts an event over time, parted by ranges of a number.</summary>
    /// <example>{"event":"Viewed Page","from_date":"2026-11-01","to_date":"2026-11-30","on":"number(properties[\"price\"])"}</example>
    public ValueTask<SegmentationReport> QuerySegmentationNumericAsync(QuerySegmentationNumericInput input, CancellationToken cancellationToken = default) => InvokeAsync(ReportActions.QuerySegmentationNumeric, input, cancellationToken);

    /// <summary>Adds a number of an event up over time.</summary>
    /// <example>{"event":"Viewed Page","from_date":"2026-11-01","to_date":"2026-11-30","on":"number(properties[\"price\"])"}</example>
    public ValueTask<DailyNumbers> QuerySegmentationSumAsync(QuerySegmentationValuesInput input, CancellationToken cancellationToken = default) => InvokeAsync(ReportActions.QuerySegmentationSum, input, cancellationToken);

    /// <summary>Averages a number of an event over time.</summary>
    /// <example>{"event":"Viewed Page","from_date":"2026-11-01","to_date":"2026-11-30","on":"number(properties[\"price\"])"}</example>
    public ValueTask<DailyNumbers> QuerySegmentationAverageAsync(QuerySegmentationValuesInput input, CancellationToken cancellationToken = default) => InvokeAsync(ReportActions.QuerySegmentationAverage, input, cancellationToken);

    /// <summary>Retrieves the events of some users. Mixpanel only maintains this operation.</summary>
    /// <example>{"distinct_ids":["user-1"],"from_date":"2026-11-01","to_date":"2026-11-30"}</example>
    public ValueTask<ResultList<MixpanelEvent>> QueryActivityStreamAsync(QueryActivityStreamInput input, CancellationToken cancellationToken = default) => InvokeAsync(ReportActions.QueryActivityStream, input, cancellationToken);

    /// <summary>Lists the cohorts of the project.</summary>
    /// <example>{}</example>
    public ValueTask<ResultList<Cohort>> ListCohortsAsync(ListCohortsInput? input = null, CancellationToken cancellationToken = default) => InvokeAsync(ReportActions.ListCohorts, input ?? new(), cancellationToken);

    /// <summary>Runs a JQL script. Mixpanel only maintains this operation.</summary>
    /// <example>{"script":"function main() { return [1]; }"}</example>
    public ValueTask<ResultList<JsonElement>> QueryJqlAsync(QueryJqlInput input, CancellationToken cancellationToken = default) => InvokeAsync(ReportActions.QueryJql, input, cancellationToken);
}

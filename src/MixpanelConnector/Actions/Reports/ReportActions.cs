using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions for reports.</summary>
static class ReportActions
{
    public static readonly ActionGroup Group = new("reports", "Query reports: counts, funnels, retention, segments, cohorts.", Api.Query, "/api/query",
        options => new ReportActionsJson(options))
    {
        Keywords = "how many often last breakdown daily weekly monthly active users day week month country revenue metric conversion",
    };

    public static readonly ActionSpec<QueryEventCountsInput, QueryEventCountsOutput> QueryEventCounts = new(Group, "query_event_counts", "list-recent-events",
        Endpoint.Get("/events"))
    {
        Common = true,
        Execute = MixpanelConnector.QueryEventCounts.ExecuteAsync,
        Then = async (context, input, output, stop) => output with
        {
            Hint = await UnknownEvents.HintAsync(context, input,
                input.Events.Where(name => !output.Values.TryGetValue(name, out var numbers)
                    || UnknownEvents.IsEmpty(numbers.Values.Select(number => (double?)number))),
                stop).ConfigureAwait(false),
        },
    };

    public static readonly ActionSpec<GetTopEventsInput, GetTopEventsOutput> GetTopEvents = new(Group, "get_top_events", "query-top-events",
        Endpoint.Get("/events/top"))
    {
        Common = true,
        Execute = MixpanelConnector.GetTopEvents.ExecuteAsync,
    };

    public static readonly ActionSpec<GetEventNamesInput, GetEventNamesOutput> GetEventNames = new(Group, "get_event_names", "query-months-top-event-names",
        Endpoint.Get("/events/names"))
    {
        Common = true,
        Execute = MixpanelConnector.GetEventNames.ExecuteAsync,
        Resource = new("events", _ => new GetEventNamesInput()),
    };

    public static readonly ActionSpec<QueryEventPropertyCountsInput, QueryEventPropertyCountsOutput> QueryEventPropertyCounts = new(Group,
        "query_event_property_counts", "query-event-properties", Endpoint.Get("/events/properties"))
    {
        Common = true,
        Execute = MixpanelConnector.QueryEventPropertyCounts.ExecuteAsync,
        Then = async (context, input, output, stop) => output with
        {
            Hint = await UnknownEvents.HintAsync(context, input,
                UnknownEvents.IsEmpty(output.Values.Values.SelectMany(numbers => numbers.Values).Select(number => (double?)number)) ? [input.Event] : [],
                stop).ConfigureAwait(false),
        },
    };

    public static readonly ActionSpec<GetEventPropertiesInput, GetEventPropertiesOutput> GetEventProperties = new(Group, "get_event_properties",
        "query-events-top-properties", Endpoint.Get("/events/properties/top"))
    {
        Common = true,
        Execute = MixpanelConnector.GetEventProperties.ExecuteAsync,
        Resource = new("events/{event}/properties",
            parts => new GetEventPropertiesInput { Event = parts["event"], Limit = MixpanelConnector.GetEventProperties.MostAsResource }),
        Then = async (context, input, output, stop) => output with
        {
            Hint = await UnknownEvents.HintAsync(context, input, output.Properties.Count == 0 ? [input.Event] : [], stop).ConfigureAwait(false),
        },
    };

    public static readonly ActionSpec<GetEventPropertyValuesInput, GetEventPropertyValuesOutput> GetEventPropertyValues = new(Group,
        "get_event_property_values", "query-events-top-property-values", Endpoint.Get("/events/properties/values"))
    {
        Common = true,
        Execute = MixpanelConnector.GetEventPropertyValues.ExecuteAsync,
        Then = async (context, input, output, stop) => output with
        {
            Hint = await UnknownEvents.HintAsync(context, input, output.Total == 0 ? [input.Event] : [], stop).ConfigureAwait(false),
        },
    };

    public static readonly ActionSpec<QueryInsightsInput, InsightsReport> QueryInsights =
        new(Group, "query_insights", "insights-query", Endpoint.Get("/insights"));

    public static readonly ActionSpec<QueryFunnelInput, FunnelReport> QueryFunnel = new(Group, "query_funnel", "funnels-query", Endpoint.Get("/funnels"))
    {
        Check = Check,
    };

    public static readonly ActionSpec<ListFunnelsInput, ResultList<SavedFunnel>> ListFunnels =
        new(Group, "list_funnels", "funnels-list-saved", Endpoint.Get("/funnels/list"));

    public static readonly ActionSpec<QueryRetentionInput, ResultMap<RetentionCohort>> QueryRetention = new(Group, "query_retention", "retention-query",
        Endpoint.Get("/retention"))
    {
        Check = CheckRetention,
    };

    public static readonly ActionSpec<QueryFrequencyInput, ResultMap<JsonElement>> QueryFrequency = new(Group, "query_frequency", "retention-frequency-query",
        Endpoint.Get("/retention/addiction"))
    {
        Check = Check,
        Result = Data,
    };

    public static readonly ActionSpec<QuerySegmentationInput, SegmentationReport> QuerySegmentation = new(Group, "query_segmentation", "segmentation-query",
        Endpoint.Get("/segmentation"))
    {
        Check = Check,
        Result = Flat,
        Then = async (context, input, output, stop) => output with
        {
            Hint = await UnknownEvents.HintAsync(context, input,
                UnknownEvents.IsEmpty(output.Values?.Values.SelectMany(numbers => numbers?.Values ?? [])) ? [input.Event] : [], stop).ConfigureAwait(false),
        },
    };

    public static readonly ActionSpec<QuerySegmentationNumericInput, SegmentationReport> QuerySegmentationNumeric = new(Group, "query_segmentation_numeric",
        "segmentation-numeric-query", Endpoint.Get("/segmentation/numeric"))
    {
        Check = Check,
        Result = Flat,
        Then = async (context, input, output, stop) => output with
        {
            Hint = await UnknownEvents.HintAsync(context, input,
                UnknownEvents.IsEmpty(output.Values?.Values.SelectMany(numbers => numbers?.Values ?? [])) ? [input.Event] : [], stop).ConfigureAwait(false),
        },
    };

    public static readonly ActionSpec<QuerySegmentationValuesInput, DailyNumbers> QuerySegmentationSum = new(Group, "query_segmentation_sum",
        "segmentation-sum-query", Endpoint.Get("/segmentation/sum"))
    {
        Check = Check,
        Then = async (context, input, output, stop) => output with
        {
            Hint = await UnknownEvents.HintAsync(context, input, UnknownEvents.IsEmpty(output.Results?.Values) ? [input.Event] : [],
                stop).ConfigureAwait(false),
        },
    };

    public static readonly ActionSpec<QuerySegmentationValuesInput, DailyNumbers> QuerySegmentationAverage = new(Group, "query_segmentation_average",
        "segmentation-query-average", Endpoint.Get("/segmentation/average"))
    {
        Check = Check,
        Then = async (context, input, output, stop) => output with
        {
            Hint = await UnknownEvents.HintAsync(context, input, UnknownEvents.IsEmpty(output.Results?.Values) ? [input.Event] : [],
                stop).ConfigureAwait(false),
        },
    };

    public static readonly ActionSpec<QueryActivityStreamInput, ResultList<MixpanelEvent>> QueryActivityStream = new(Group, "query_activity_stream",
        "activity-stream-query", Endpoint.Get("/stream/query"))
    { Check = Check, Result = reply => reply.GetProperty("results").GetProperty("events") };

    public static readonly ActionSpec<ListCohortsInput, ResultList<Cohort>> ListCohorts = new(Group, "list_cohorts", "cohorts-list",
        Endpoint.Post("/cohorts/list") with { Fields = FieldPlace.Query })
    {
        Does = ActionEffect.Read,
    };

    public static readonly ActionSpec<QueryJqlInput, ResultList<JsonElement>> QueryJql = new(Group, "query_jql", "query-jql",
        Endpoint.Post("/jql") with { Fields = FieldPlace.Form, QueryFields = ["workspace_id"] })
    { Does = ActionEffect.Read };

    static void Check(DatedReportInput input)
    {
        if (input.ToDate < input.FromDate) throw MixpanelException.Invalid("to_date", "to_date must not be before from_date.");
    }

    static void CheckRetention(QueryRetentionInput input)
    {
        Check(input);
        if (input.BornEvent is null && input.RetentionType is null or RetentionType.Birth)
            throw MixpanelException.Invalid("born_event",
                "The retention type birth (the default) requires born_event, the event by which users enter a cohort.");
    }

    /// <summary>Returns the contents of <c>data</c>, or the answer itself without it.</summary>
    static JsonElement Data(JsonElement reply) => reply.TryGetProperty("data", out var data) && data.ValueKind is JsonValueKind.Object ? data : reply;

    /// <summary>Merges the members of <c>data</c> into those around it.</summary>
    static JsonElement Flat(JsonElement reply)
    {
        var flat = JsonObject.Create(reply)!;
        if (flat.Remove("data", out var data))
        {
            foreach (var (name, value) in data!.AsObject()) flat[name] = value?.DeepClone();
        }

        return Answers.Element(flat);
    }
}

[JsonSerializable(typeof(QueryEventCountsInput))]
[JsonSerializable(typeof(QueryEventCountsOutput))]
[JsonSerializable(typeof(GetTopEventsInput))]
[JsonSerializable(typeof(GetTopEventsOutput))]
[JsonSerializable(typeof(GetEventNamesInput))]
[JsonSerializable(typeof(GetEventNamesOutput))]
[JsonSerializable(typeof(QueryEventPropertyCountsInput))]
[JsonSerializable(typeof(QueryEventPropertyCountsOutput))]
[JsonSerializable(typeof(GetEventPropertiesInput))]
[JsonSerializable(typeof(GetEventPropertiesOutput))]
[JsonSerializable(typeof(GetEventPropertyValuesInput))]
[JsonSerializable(typeof(GetEventPropertyValuesOutput))]
[JsonSerializable(typeof(QueryInsightsInput))]
[JsonSerializable(typeof(InsightsReport))]
[JsonSerializable(typeof(QueryFunnelInput))]
[JsonSerializable(typeof(FunnelReport))]
[JsonSerializable(typeof(ListFunnelsInput))]
[JsonSerializable(typeof(ResultList<SavedFunnel>))]
[JsonSerializable(typeof(QueryRetentionInput))]
[JsonSerializable(typeof(ResultMap<RetentionCohort>))]
[JsonSerializable(typeof(QueryFrequencyInput))]
[JsonSerializable(typeof(ResultMap<JsonElement>))]
[JsonSerializable(typeof(QuerySegmentationInput))]
[JsonSerializable(typeof(SegmentationReport))]
[JsonSerializable(typeof(QuerySegmentationNumericInput))]
[JsonSerializable(typeof(QuerySegmentationValuesInput))]
[JsonSerializable(typeof(DailyNumbers))]
[JsonSerializable(typeof(QueryActivityStreamInput))]
[JsonSerializable(typeof(ResultList<JsonElement>))]
[JsonSerializable(typeof(ResultList<MixpanelEvent>))]
[JsonSerializable(typeof(ListCohortsInput))]
[JsonSerializable(typeof(ResultList<Cohort>))]
[JsonSerializable(typeof(QueryJqlInput))]
sealed partial class ReportActionsJson : JsonSerializerContext;

using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions that ask for reports.</summary>
static class ReportActions
{
    public static readonly ActionGroup Group = new("reports", "Ask what happened: counts, funnels, retention, segments, cohorts.", Api.Query, "/api/query", options => new ReportActionsJson(options));

    public static readonly ActionSpec<QueryEventCountsInput, QueryEventCountsOutput> QueryEventCounts = new(Group, "query_event_counts", "list-recent-events", Endpoint.Get("/events")) { Execute = MixpanelConnector.QueryEventCounts.ExecuteAsync };

    public static readonly ActionSpec<GetTopEventsInput, GetTopEventsOutput> GetTopEvents = new(Group, "get_top_events", "query-top-events", Endpoint.Get("/events/top")) { Execute = MixpanelConnector.GetTopEvents.ExecuteAsync };

    public static readonly ActionSpec<GetEventNamesInput, GetEventNamesOutput> GetEventNames = new(Group, "get_event_names", "query-months-top-event-names", Endpoint.Get("/events/names"))
    {
        Execute = MixpanelConnector.GetEventNames.ExecuteAsync,
        Resource = new("events", _ => new GetEventNamesInput()),
    };

    public static readonly ActionSpec<QueryEventPropertyCountsInput, QueryEventPropertyCountsOutput> QueryEventPropertyCounts = new(Group, "query_event_property_counts", "query-event-properties", Endpoint.Get("/events/properties")) { Execute = MixpanelConnector.QueryEventPropertyCounts.ExecuteAsync };

    public static readonly ActionSpec<GetEventPropertiesInput, GetEventPropertiesOutput> GetEventProperties = new(Group, "get_event_properties", "query-events-top-properties", Endpoint.Get("/events/properties/top"))
    {
        Execute = MixpanelConnector.GetEventProperties.ExecuteAsync,
        Resource = new("events/{event}/properties", parts => new GetEventPropertiesInput { Event = parts["event"], Limit = MixpanelConnector.GetEventProperties.MostAsResource }),
    };

    public static readonly ActionSpec<GetEventPropertyValuesInput, GetEventPropertyValuesOutput> GetEventPropertyValues = new(Group, "get_event_property_values", "query-events-top-property-values", Endpoint.Get("/events/properties/values")) { Execute = MixpanelConnector.GetEventPropertyValues.ExecuteAsync };
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
sealed partial class ReportActionsJson : JsonSerializerContext;

using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions for events.</summary>
static class EventActions
{
    const string OneIdentity = "Mixpanel deduplicates the events";

    public static readonly ActionGroup Group = new("events", "Import and export events.", Api.Ingestion, "", options => new EventActionsJson(options))
    {
        Cost = RateCost.Ingestion,
        Keywords = "raw log download",
    };

    public static readonly ActionSpec<ImportEventsInput, ImportEventsOutput> ImportEvents = new(Group, "import_events", "import-events",
        Endpoint.Post("/import"))
    {
        Common = true,
        Needs = AuthScheme.ServiceAccountOfProjectOrToken,
        SafeToRepeat = OneIdentity,
        Execute = MixpanelConnector.ImportEvents.ExecuteAsync,
        Written = static _ => null,
        Refused = static output => output.Status != "OK",
    };

    public static readonly ActionSpec<TrackEventInput, TrackEventOutput> TrackEvent = new(Group, "track_event", "track-event", Endpoint.Post("/import"))
    {
        Common = true,
        Needs = AuthScheme.ServiceAccountOfProjectOrToken,
        SafeToRepeat = OneIdentity,
        Execute = MixpanelConnector.TrackEvent.ExecuteAsync,
        Written = MixpanelConnector.TrackEvent.Written,
        Refused = static output => output.Status != 1,
    };

    public static readonly ActionSpec<ExportEventsInput, ResultList<MixpanelEvent>> ExportEvents = new(Group, "export_events", "raw-event-export",
        Endpoint.Get("/api/2.0/export"))
    {
        Of = Api.Export,
        Needs = AuthScheme.ServiceAccountOfProject,
        Costs = RateCost.Export,
        Execute = MixpanelConnector.ExportEvents.ExecuteAsync,
        All = new ResultStream<ExportEventsInput, MixpanelEvent>(MixpanelConnector.ExportEvents.ReadAllAsync, group => group.Own<MixpanelEvent>()),
    };
}

[JsonSerializable(typeof(ImportEventsInput))]
[JsonSerializable(typeof(ImportEventsOutput))]
[JsonSerializable(typeof(TrackEventInput))]
[JsonSerializable(typeof(TrackEventOutput))]
[JsonSerializable(typeof(ExportEventsInput))]
[JsonSerializable(typeof(ResultList<MixpanelEvent>))]
sealed partial class EventActionsJson : JsonSerializerContext;

using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector;
using MixpanelConnector.Transport;

[assembly: Action<ImportEvents, ImportEvents.Input, ImportEvents.Output>]

namespace MixpanelConnector;

/// <summary>Imports events of any age, with validation and shared properties. Sending the same events again does not double them.</summary>
/// <remarks>Needs a service account that is an owner or admin of the project, or a project token. See https://developer.mixpanel.com/reference/import-events. For files, and for more than some thousands of events, use the bulk import.</remarks>
/// <example>{"strict":"1","events":[{"event":"Signed Up","properties":{"time":1756710000,"distinct_id":"user-1"}}],"properties":{"source":"backfill"}}</example>
public sealed partial class ImportEvents : IAction<ImportEvents.Input, ImportEvents.Output>
{
    /// <summary>The most events and bytes (uncompressed) that Mixpanel takes in a request.</summary>
    const int MostEvents = 2000, MostBytes = 10_000_000;
    static readonly ImportEventsJson Json = new(Wire.Options());

    /// <summary>What to import.</summary>
    public sealed record Input
    {
        /// <summary>Strict mode validation flag: "1" has Mixpanel validate and name each event that failed, "0" has it drop such events without a word.</summary>
        public required string Strict { get; init; }

        /// <summary>List of events to import: objects of event and properties, or names alone. Any number; they are sent in chunks.</summary>
        public required IReadOnlyList<EventData> Events { get; init; }

        /// <summary>Event properties shared by all events; an event's own value wins. May be empty.</summary>
        public required JsonObject Properties { get; init; }
    }

    /// <summary>What became of the events.</summary>
    public sealed record Output
    {
        /// <summary>Response status: "OK" when all events were imported, else Mixpanel's word, such as "Bad Request".</summary>
        public required string Status { get; init; }

        /// <summary>Number of successfully imported records.</summary>
        public long? NumRecordsImported { get; init; }

        /// <summary>The events that were refused, by their place in the list; all others were imported.</summary>
        public IReadOnlyList<FailedRecord>? FailedRecords { get; init; }

        /// <summary>Why events were refused, in short.</summary>
        public string? Error { get; init; }
    }

    /// <inheritdoc/>
    public static ActionSpec<Input, Output> Spec { get; } = new("import_events", Json.Input, Json.Output)
    {
        Group = "Events",
        Effect = Effect.Idempotent,
        Credential = CredentialNeed.ServiceAccountOfProjectOrToken,
        Cost = RateCost.Ingestion,
        Refused = static output => output.Status != "OK",
    };

    /// <inheritdoc/>
    public static async ValueTask<Output> ExecuteAsync(ActionContext context, Input input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var strict = EventJson.Strict(input.Strict);
        var events = Written(input);
        context.Transport.EnsureAccess(Access.ServiceAccountOfProjectOrToken);
        var delivery = new Delivery(context.Transport, strict, events);
        for (var from = 0; from < events.Length;)
        {
            var to = ChunkEnd(events, from);
            await delivery.SendAsync(from, to, cancellationToken).ConfigureAwait(false);
            from = to;
        }

        return delivery.Output;
    }

    static byte[][] Written(Input input)
    {
        if (input.Events is null) throw MixpanelException.Invalid("events", "events is missing.");
        if (input.Properties is null) throw MixpanelException.Invalid("properties", "properties is missing; it may be {}.");
        if (input.Events.Count == 0) throw MixpanelException.Invalid("events", "events must hold at least one event.");
        if (input.Properties.ContainsKey("$insert_id")) throw MixpanelException.Invalid("properties.$insert_id", "An $insert_id tells events apart: it cannot be shared by all.");
        EventJson.EnsureUnicode("properties", input.Properties);
        return [.. input.Events.Select((data, index) =>
        {
            if (data?.Event is null) throw MixpanelException.Invalid($"events[{index}]", $"events[{index}] has no name.");
            var properties = data.Properties ?? [];
            EventJson.EnsureUnicode($"events[{index}].event", data.Event);
            EventJson.EnsureUnicode($"events[{index}].properties", properties);
            return EventJson.Write(data.Event, properties, input.Properties, index);
        })];
    }

    static int ChunkEnd(byte[][] events, int from)
    {
        var to = from;
        for (long bytes = 1; to < events.Length && to - from < MostEvents; to++)
        {
            bytes += events[to].Length + 1;
            if (bytes > MostBytes && to > from) break;
        }

        return to;
    }

    /// <summary>Sends chunks, divides those that are refused as a whole, and adds up what became of each event.</summary>
    sealed class Delivery(MixpanelTransport transport, string strict, byte[][] events)
    {
        readonly List<FailedRecord> _failed = [];
        long _imported;
        string? _status;
        string? _error;

        public Output Output => new()
        {
            Status = _error is null ? "OK" : _status ?? "Bad Request",
            NumRecordsImported = _imported,
            FailedRecords = _failed.Count > 0 ? _failed : null,
            Error = _error,
        };

        public async Task SendAsync(int from, int to, CancellationToken cancellationToken)
        {
            var request = new MixpanelRequest(HttpMethod.Post, Api.Ingestion, "/import", Access.ServiceAccountOfProjectOrToken) { Body = EventJson.Body(events, from, to) }.With("strict", strict);
            var reply = await transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
            var verdict = ReplyClassifier.ReadImport(reply, to - from, transport.Options);
            switch (verdict.Kind)
            {
                case VerdictKind.Accepted:
                    _imported += to - from;
                    break;
                case VerdictKind.Partial:
                    _imported += verdict.Imported;
                    _failed.AddRange(verdict.Failed.Select(record => record with { Index = from + record.Index }));
                    Refused(verdict);
                    break;
                case VerdictKind.Miscounted:
                    _imported += verdict.Imported;
                    Refused(verdict);
                    break;
                case VerdictKind.TooLarge or VerdictKind.Unclear when to - from > 1:
                    var middle = from + ((to - from) / 2);
                    await SendAsync(from, middle, cancellationToken).ConfigureAwait(false);
                    await SendAsync(middle, to, cancellationToken).ConfigureAwait(false);
                    break;
                case VerdictKind.TooLarge or VerdictKind.Unclear:
                    _failed.Add(new FailedRecord { Index = from, Message = verdict.Error!.Message });
                    Refused(verdict);
                    break;
                default:
                    var done = _imported == 0 ? "" : $" {_imported} of {events.Length} events were imported before; sending all again does not double them.";
                    throw new MixpanelException(verdict.Error! with { Message = verdict.Error.Message + done });
            }
        }

        void Refused(ImportVerdict verdict)
        {
            _status ??= verdict.Status is null or "OK" or "0" or "1" ? "Bad Request" : verdict.Status;
            _error ??= verdict.Error!.Message;
        }
    }

    [JsonSerializable(typeof(Input), TypeInfoPropertyName = "Input")]
    [JsonSerializable(typeof(Output), TypeInfoPropertyName = "Output")]
    sealed partial class ImportEventsJson : JsonSerializerContext;
}

public sealed partial class MixpanelClient
{
    /// <summary>Imports events of any age, with validation and shared properties. Sending the same events again does not double them.</summary>
    /// <param name="input">What to import.</param>
    /// <param name="cancellationToken">Stops the call.</param>
    /// <exception cref="MixpanelException">The input is refused, or Mixpanel cannot do it.</exception>
    public ValueTask<ImportEvents.Output> ImportEventsAsync(ImportEvents.Input input, CancellationToken cancellationToken = default) =>
        InvokeAsync<ImportEvents, ImportEvents.Input, ImportEvents.Output>(input, cancellationToken);
}

using System.Buffers;
using System.Globalization;
using System.Text.Json.Nodes;
using MixpanelConnector.Import.Validate;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The events to import.</summary>
public sealed record ImportEventsInput
{
    /// <summary>Strict mode validation flag: "1": Mixpanel validates and reports each event that failed, "0": it silently drops such events.</summary>
    public required string Strict { get; init; }

    /// <summary>List of events to import: objects with event and properties, or only names. Any number; they are sent in chunks.</summary>
    public required IReadOnlyList<EventData> Events { get; init; }

    /// <summary>
    /// Event properties shared by all events; an event's own value takes precedence. May be empty. They may add 100 MB to all events together.
    /// </summary>
    public required JsonObject Properties { get; init; }
}

/// <summary>The outcome of an import.</summary>
public sealed record ImportEventsOutput
{
    /// <summary>Response status: "OK" when all events were imported, else Mixpanel's word, such as "Bad Request".</summary>
    public required string Status { get; init; }

    /// <summary>Number of successfully imported records.</summary>
    public long? NumRecordsImported { get; init; }

    /// <summary>The refused events, by their position in the list; all others were imported.</summary>
    public IReadOnlyList<FailedRecord>? FailedRecords { get; init; }

    /// <summary>A summary of why events were refused.</summary>
    public string? Error { get; init; }
}

/// <summary>How <see cref="MixpanelClient.ImportEventsAsync(ImportEventsInput, CancellationToken)"/> is implemented.</summary>
static class ImportEvents
{
    /// <summary>Mixpanel's limits for a request, in events and in uncompressed bytes.</summary>
    const int MostEvents = 2000, MostBytes = 10_000_000;

    /// <summary>
    /// The maximum number of bytes that shared properties may add to all events of a call, so that a short input cannot cause excessive work.
    /// </summary>
    const long MostShared = 100_000_000;

    public static async ValueTask<ImportEventsOutput> ExecuteAsync(ActionContext context, ImportEventsInput input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var strict = EventJson.Strict(input.Strict);
        var shared = Checked(input);
        context.Transport.EnsureAccess(context.Action.Auth);
        var delivery = new Delivery(context, strict, input.Events.Count);
        var chunk = new Chunk();
        var written = new ArrayBufferWriter<byte>();
        for (var index = 0; index < input.Events.Count; index++)
        {
            written.ResetWrittenCount();
            EventJson.Write(written, input.Events[index], shared, index);
            if (chunk.Count == MostEvents || (chunk.Count > 0 && chunk.Bytes + ",".Length + written.WrittenCount + "[]".Length > MostBytes))
            {
                await delivery.SendAsync(chunk, cancellationToken).ConfigureAwait(false);
                chunk.Clear();
            }

            chunk.Add(written.WrittenSpan);
        }

        await delivery.SendAsync(chunk, cancellationToken).ConfigureAwait(false);
        delivery.EnsureTrusted();
        return delivery.Output;
    }

    /// <summary>Validates everything before the first event is built.</summary>
    static SharedEventProperties Checked(ImportEventsInput input)
    {
        if (input.Events is null) throw MixpanelException.Invalid("events", "events is missing.");
        if (input.Properties is null) throw MixpanelException.Invalid("properties", "properties is missing; it may be {}.");
        if (input.Events.Count == 0) throw MixpanelException.Invalid("events", "events must contain at least one event.");
        if (input.Properties.ContainsKey("$insert_id"))
            throw MixpanelException.Invalid("properties.$insert_id", "An $insert_id identifies one event: it cannot be shared.");
        EventJson.EnsureUnicode("properties", input.Properties);
        for (var index = 0; index < input.Events.Count; index++) EventJson.EnsureUnicode(input.Events[index], index);
        var shared = new SharedEventProperties(input.Properties);
        return shared.Bytes * input.Events.Count <= MostShared
            ? shared
            : throw MixpanelException.Invalid("properties",
                string.Create(CultureInfo.InvariantCulture,
                    $"properties has {shared.Bytes} bytes, to be copied into {Counted.Of(input.Events.Count, "event")}: "
                    + $"in total more than the {MostShared} bytes that a call may add. Send fewer events per call, or smaller shared properties."));
    }

    /// <summary>
    /// Sends chunks, splits those that are refused as a whole, and sums up the outcomes of the events. If Mixpanel does not say which events it refuses, those
    /// that break one of its documented rules are separated from the others first, since halving takes about ten requests for each such event.
    /// </summary>
    sealed class Delivery(ActionContext context, string strict, int all)
    {
        /// <summary>
        /// The number of single events in a row that may be refused without a response recognizable as Mixpanel's; at that point the events are not the cause.
        /// </summary>
        const int MostInDoubt = 20;

        readonly List<FailedRecord> _failed = [];
        readonly EventRules _rules = new(SharedProperties.Parse(null));
        readonly JsonScanner _scanner = new();
        readonly long _now = context.Options.TimeProvider.GetUtcNow().ToUnixTimeSeconds();
        int _before; // the number of events in earlier chunks
        int _inDoubt;
        bool _isProven;
        MixpanelError? _foreign;
        long _imported;
        string? _status;
        string? _error;
        ImportVerdict? _refusesWhoIsWho; // the answer that refused a chunk because of its events that link a user's ids: each such chunk is refused as a whole

        public ImportEventsOutput Output => new()
        {
            Status = _error is null ? "OK" : _status ?? "Bad Request",
            NumRecordsImported = _imported,
            FailedRecords = _failed.Count > 0 ? [.. _failed.OrderBy(record => record.Index)] : null,
            Error = _error,
        };

        public async Task SendAsync(Chunk chunk, CancellationToken cancellationToken)
        {
            await SendAsync(chunk, [.. Enumerable.Range(0, chunk.Count)], isSorted: false, cancellationToken).ConfigureAwait(false);
            _before += chunk.Count;
        }

        /// <exception cref="MixpanelException">No response was recognizable as Mixpanel's.</exception>
        public void EnsureTrusted()
        {
            if (!_isProven && _foreign is not null) throw new MixpanelException(_foreign);
        }

        /// <param name="chunk">The chunk.</param>
        /// <param name="events">Those of its events to send, ascending.</param>
        /// <param name="isSorted">Whether events that break a rule were separated from the others.</param>
        /// <param name="cancellationToken">Cancels the call.</param>
        async Task SendAsync(Chunk chunk, int[] events, bool isSorted, CancellationToken cancellationToken)
        {
            if (_refusesWhoIsWho is not null) events = WithoutWhoIsWho(chunk, events);
            if (events.Length == 0) return;
            var request = context.Request().With("strict", strict) with { Body = EventJson.Array(chunk.Only(events)) };
            var reply = await context.Transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
            var verdict = ReplyClassifier.ReadImport(reply, events.Length, context.Options);
            if (verdict.IsForeign)
                _foreign = verdict.Error! with
                {
                    Kind = ErrorKind.Protocol,
                    Message = $"The responses are HTTP {reply.Status} without Mixpanel's JSON, or with contradictory JSON: "
                        + $"another server responds in its place. Check the endpoint and any proxies.",
                };
            else (_inDoubt, _isProven) = (0, true);
            switch (verdict.Kind)
            {
                case VerdictKind.Ambiguous when verdict.IsForeign && events.Length == 1 && ++_inDoubt == MostInDoubt:
                    throw new MixpanelException(_foreign! with { Message = _foreign.Message + Done });
                case VerdictKind.Accepted:
                    _imported += events.Length;
                    break;
                case VerdictKind.Partial:
                    _imported += verdict.Imported;
                    _failed.AddRange(verdict.Failed.Select(record => record with { Index = _before + events[record.Index] }));
                    Refused(verdict);
                    break;
                case VerdictKind.Miscounted:
                    _imported += verdict.Imported;
                    Refused(verdict);
                    break;
                case VerdictKind.Ambiguous when verdict.RefusesWhoIsWho && Array.Exists(events, index => Judge(chunk, index) is { SaysWhoIsWho: true }):
                    _refusesWhoIsWho = verdict;
                    await SendAsync(chunk, events, isSorted, cancellationToken).ConfigureAwait(false);
                    break;
                case VerdictKind.TooLarge or VerdictKind.Ambiguous when events.Length > 1:
                    var isRefused = verdict.Kind is VerdictKind.Ambiguous;
                    var (first, second) = isRefused && !isSorted ? BySuspicion(chunk, events) : InHalves(events);
                    await SendAsync(chunk, first, isSorted || isRefused, cancellationToken).ConfigureAwait(false);
                    await SendAsync(chunk, second, isSorted || isRefused, cancellationToken).ConfigureAwait(false);
                    break;
                case VerdictKind.TooLarge or VerdictKind.Ambiguous:
                    Refused(events[0], verdict);
                    break;
                default:
                    throw new MixpanelException(verdict.Error! with { Message = verdict.Error.Message + Done });
            }
        }

        /// <summary>Leaves out the events that would make Mixpanel refuse all others with them.</summary>
        int[] WithoutWhoIsWho(Chunk chunk, int[] events)
        {
            var apart = events.ToLookup(index => Judge(chunk, index).SaysWhoIsWho);
            foreach (var index in apart[true]) Refused(index, _refusesWhoIsWho!);
            return [.. apart[false]];
        }

        /// <summary>Separates the events that break a documented rule from the others; in halves, if that leaves all together.</summary>
        (int[] Others, int[] Suspects) BySuspicion(Chunk chunk, int[] events)
        {
            var apart = events.ToLookup(index => Judge(chunk, index).BreaksRule);
            return apart.Count == 1 ? InHalves(events) : ([.. apart[false]], [.. apart[true]]);
        }

        static (int[] First, int[] Second) InHalves(int[] events) => (events[..(events.Length / 2)], events[(events.Length / 2)..]);

        (bool BreaksRule, bool SaysWhoIsWho) Judge(Chunk chunk, int index)
        {
            _rules.Reset(_now);
            return ((_scanner.Check(chunk.Only([index]), _rules) ?? _rules.Missing()) is not null, _rules.SaysWhoIsWho);
        }

        string Done => _imported == 0 ? "" : $" {_imported} of {all} events had already been imported; resending all of them creates no duplicates.";

        void Refused(int index, ImportVerdict verdict)
        {
            _failed.Add(new FailedRecord { Index = _before + index, Message = verdict.Error!.Message });
            Refused(verdict);
        }

        void Refused(ImportVerdict verdict)
        {
            _status ??= verdict.Status is null or "OK" or "0" or "1" ? "Bad Request" : verdict.Status;
            _error ??= verdict.Error!.Message;
        }
    }

    /// <summary>Serialized, comma-separated events, of which any can be sent.</summary>
    sealed class Chunk
    {
        readonly ArrayBufferWriter<byte> _written = new();
        readonly List<int> _ends = [];

        public int Count => _ends.Count;

        public int Bytes => _written.WrittenCount;

        /// <summary>Returns some of the events, separated by commas.</summary>
        /// <param name="events">Their positions, ascending.</param>
        public ReadOnlySpan<byte> Only(ReadOnlySpan<int> events)
        {
            var (first, last) = (events[0], events[^1]);
            if (last - first == events.Length - 1) return _written.WrittenSpan[StartOf(first).._ends[last]];
            var some = new ArrayBufferWriter<byte>();
            foreach (var index in events)
            {
                if (some.WrittenCount > 0) some.Write(","u8);
                some.Write(_written.WrittenSpan[StartOf(index).._ends[index]]);
            }

            return some.WrittenSpan;
        }

        int StartOf(int index) => index == 0 ? 0 : _ends[index - 1] + 1;

        public void Add(ReadOnlySpan<byte> written)
        {
            if (Count > 0) _written.Write(","u8);
            _written.Write(written);
            _ends.Add(Bytes);
        }

        public void Clear()
        {
            _written.ResetWrittenCount();
            _ends.Clear();
        }
    }
}

public sealed partial class MixpanelClient
{
    /// <summary>Imports events of any age, with validation and shared properties. Idempotent: events sent again are not duplicated.</summary>
    /// <remarks>
    /// The service account, if one is used, must be an owner or admin of the project. For files, and for more than a few thousand events, use the bulk import.
    /// </remarks>
    /// <example>{"strict":"1","events":[{"event":"Signed Up","properties":{"time":1756710000,"distinct_id":"user-1"}}],"properties":{"source":"backfill"}}</example>
    /// <param name="input">The events to import.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="MixpanelException">The input is invalid, or Mixpanel failed or refused the call.</exception>
    public ValueTask<ImportEventsOutput> ImportEventsAsync(ImportEventsInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(EventActions.ImportEvents, input, cancellationToken);
}

using System.Buffers;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Nodes;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Send;
using MixpanelConnector.Import.Undelivered;
using MixpanelConnector.Import.Validate;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The events to import.</summary>
public sealed record ImportEventsInput
{
    /// <summary>
    /// Strict mode validation flag: "1": Mixpanel validates and reports each event that failed, "0": it silently drops such events. "true" and "false" mean the
    /// same.
    /// </summary>
    [AllowedValues("1", "0", "true", "false")]
    public required string Strict { get; init; }

    /// <summary>List of events to import: objects with event and properties, or only names. Any number; they are sent in chunks.</summary>
    [Size(1)]
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
    /// <summary>
    /// The maximum number of bytes that shared properties may add to all events of a call, so that a short input cannot cause excessive work.
    /// </summary>
    const long MostShared = 100_000_000;

    public static async ValueTask<ImportEventsOutput> ExecuteAsync(ActionContext context, ImportEventsInput input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var strict = EventJson.Strict(context, input.Strict);
        var shared = Checked(context, input);
        context.Transport.EnsureAccess(context.Action.Auth);
        var delivery = new Delivery(context, strict, input.Events.Count, cancellationToken);
        var buffers = new BufferPool(OptionRanges.MostRequestBytes);
        var written = new ArrayBufferWriter<byte>();
        var batch = NewBatch();
        try
        {
            for (var index = 0; index < input.Events.Count; index++)
            {
                written.ResetWrittenCount();
                EventJson.Write(written, input.Events[index], shared, index);
                if (batch.Count == OptionRanges.MostBatchEvents
                    || (batch.Count > 0 && batch.Length + ",".Length + written.WrittenCount + "]".Length > OptionRanges.MostRequestBytes))
                {
                    await delivery.SendAsync(batch).ConfigureAwait(false);
                    batch.Release();
                    batch = NewBatch();
                }

                batch.Add(delivery.Judge(written.WrittenSpan, index), written.WrittenSpan, [], []);
            }

            await delivery.SendAsync(batch).ConfigureAwait(false);
        }
        finally
        {
            batch.Release();
        }

        delivery.EnsureTrusted();
        return delivery.Output;

        RecordBatch NewBatch() => new(0, Math.Min(input.Events.Count, OptionRanges.MostBatchEvents), "[]".Length, buffers);
    }

    /// <summary>Validates everything before the first event is built.</summary>
    static SharedEventProperties Checked(ActionContext context, ImportEventsInput input)
    {
        if (input.Events is null) throw MixpanelException.Invalid("events", "events is missing.");
        if (input.Properties is null) throw MixpanelException.Invalid("properties", "properties is missing; it may be {}.");
        if (input.Events.Count == 0) SchemaValidation.Check("events", new JsonArray(), context.Action.InputSchema());
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

    /// <summary>One call: each request has only the few retries of the transport, and a failure ends the call and says how far it came.</summary>
    sealed class Delivery(ActionContext context, string strict, int all, CancellationToken cancellationToken)
        : BatchDelivery(new(OptionRanges.MostRequestBytes), MessageWords.Default)
    {
        readonly List<FailedRecord> _failed = [];
        readonly EventRules _rules = new(SharedProperties.Parse(null));
        readonly JsonScanner _scanner = new();
        readonly long _now = context.Options.TimeProvider.GetUtcNow().ToUnixTimeSeconds();
        MixpanelError? _foreign;
        long _imported;
        string? _status;
        string? _error;

        public ImportEventsOutput Output => new()
        {
            Status = _error is null ? "OK" : _status ?? "Bad Request",
            NumRecordsImported = _imported,
            FailedRecords = _failed.Count > 0 ? [.. _failed.OrderBy(record => record.Index)] : null,
            Error = _error,
        };

        string Done => _imported == 0 ? "" : $" {_imported} of {all} events had already been imported; resending all of them creates no duplicates.";

        /// <summary>Returns what is to be known of an event, should Mixpanel refuse it and all others with it.</summary>
        public Entry Judge(ReadOnlySpan<byte> written, int index)
        {
            _rules.Reset(_now);
            var breaksRule = (_scanner.Check(written, _rules) ?? _rules.Missing()) is not null;
            return new() { Source = "", Offset = index, Repeatable = true, BreaksRule = breaksRule, SaysWhoIsWho = _rules.SaysWhoIsWho };
        }

        public async Task SendAsync(RecordBatch batch)
        {
            batch.Close();
            await DeliverAsync(batch, new BatchOutcome(batch)).ConfigureAwait(false);
        }

        /// <exception cref="MixpanelException">No response was recognizable as Mixpanel's.</exception>
        public void EnsureTrusted()
        {
            if (Limits.Proofs == 0 && _foreign is not null) throw new MixpanelException(_foreign);
        }

        protected override async Task<bool> RequestAsync(RecordBatch batch, BatchOutcome outcome)
        {
            var request = context.Request().With("strict", strict) with { Body = EventJson.Array(batch.Body.Span[1..^1]) };
            var reply = await context.Transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
            var verdict = ReplyClassifier.ReadImport(reply, batch.Count, context.Options);
            if (verdict.IsForeign) _foreign = verdict.Error! with { Kind = ErrorKind.Protocol, Message = AnotherServer(reply.Status) };
            else Limits.Proven();
            switch (verdict.Kind)
            {
                case VerdictKind.Accepted or VerdictKind.Partial or VerdictKind.TooLarge or VerdictKind.Ambiguous:
                    return await SettleAsync(batch, outcome, reply, verdict).ConfigureAwait(false);
                case VerdictKind.Miscounted:
                    _imported += verdict.Imported;
                    Summarize(verdict);
                    return true;
                default:
                    throw Ended(verdict.Error!);
            }
        }

        protected override void Accept(BatchOutcome outcome, int count) => _imported += count;

        protected override void Refuse(RecordBatch batch, BatchOutcome outcome, ImportVerdict verdict, IEnumerable<(int Index, Refusal Refusal)> refusals)
        {
            var failed = verdict.Kind is VerdictKind.Partial
                ? verdict.Failed
                : refusals.Select(each => new FailedRecord { Index = each.Index, Message = verdict.Error!.Message });
            _failed.AddRange(failed.Select(record => record with { Index = (int)batch[record.Index].Offset }));
            Summarize(verdict);
        }

        protected override void EndAsForeign(int? status) => throw Ended(_foreign!);

        void Summarize(ImportVerdict verdict)
        {
            _status ??= verdict.Status is null or "OK" or "0" or "1" ? "Bad Request" : verdict.Status;
            _error ??= verdict.Error!.Message;
        }

        MixpanelException Ended(MixpanelError error) => new(error with { Message = error.Message + Done });
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

using System.Buffers;
using System.ComponentModel.DataAnnotations;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The events to export.</summary>
public sealed record ExportEventsInput
{
    /// <summary>The first day, such as 2026-11-01; in UTC for projects made since 2023, else in the project's time zone.</summary>
    public required DateOnly FromDate { get; init; }

    /// <summary>The last day, such as 2026-11-30; inclusive.</summary>
    public required DateOnly ToDate { get; init; }

    /// <summary>The names of the events. Default: all.</summary>
    [Size(1)]
    [ItemSize(1)]
    public IReadOnlyList<string>? Event { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language, such as properties["plan"] == "pro". Default: all events.</summary>
    public string? Where { get; init; }

    /// <summary>The maximum number of events. Default: all.</summary>
    [Range(1, 100_000)]
    public long? Limit { get; init; }

    /// <summary>Whether times are in milliseconds. Default: false, in seconds.</summary>
    public bool? TimeInMs { get; init; }
}

/// <summary>An event, as Mixpanel stores it.</summary>
public sealed record MixpanelEvent : MixpanelObject
{
    /// <summary>The name of the event.</summary>
    public required string Event { get; init; }

    /// <summary>Its properties: time, distinct_id, $insert_id and all others.</summary>
    public required JsonObject Properties { get; init; }
}

/// <summary>How <see cref="MixpanelClient.ExportEventsAsync(ExportEventsInput, CancellationToken)"/> is implemented.</summary>
static class ExportEvents
{
    /// <summary>The maximum size of the events in one answer, and of a single event, in bytes.</summary>
    const int MostAtOnce = 20 << 20, LongestEvent = 4 << 20;

    public static async ValueTask<ResultList<MixpanelEvent>> ExecuteAsync(ActionContext context, ExportEventsInput input, CancellationToken cancellationToken)
    {
        var (events, bytes) = (new List<MixpanelEvent>(), 0L);
        await foreach (var (each, length) in ReadAsync(context, input, cancellationToken).ConfigureAwait(false))
        {
            events.Add(each);
            bytes += length;
            if (bytes > MostAtOnce)
                throw new MixpanelException(new(ErrorKind.TooLarge,
                    $"The events exceed the {MostAtOnce >> 20} MB that one response may contain. Request fewer days, set limit, or stream the events ({context.Options.Words[Setting.StreamEvents]})."));
        }

        return new() { Results = events, Total = events.Count };
    }

    /// <summary>Streams the events, one in memory at a time.</summary>
    /// <exception cref="MixpanelException">Mixpanel refuses the call, or its answer is truncated.</exception>
    public static async IAsyncEnumerable<MixpanelEvent> ReadAllAsync(ActionContext context, ExportEventsInput input,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (each, _) in ReadAsync(context, input, cancellationToken).ConfigureAwait(false)) yield return each;
    }

    static async IAsyncEnumerable<(MixpanelEvent Event, long Length)> ReadAsync(ActionContext context, ExportEventsInput input,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        if (input.ToDate < input.FromDate) throw MixpanelException.Invalid("to_date", "to_date must not be before from_date.");
        var (type, item) = (context.Action.Group.Own<ExportEventsInput>(), context.Action.Group.Reply<MixpanelEvent>());
        var request = await ((ActionSpec<ExportEventsInput, ResultList<MixpanelEvent>>)context.Action).Endpoint.RequestAsync(context,
            JsonSerializer.SerializeToElement(input, type), type, cancellationToken).ConfigureAwait(false);
        var reply = await context.Transport.SendAsync(request with { IsStreamed = true }, cancellationToken).ConfigureAwait(false);
        using var response = reply.Opened ?? throw new MixpanelException(ReplyClassifier.ExportError(reply, context.Options));
        var pipe = PipeReader.Create(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false),
            new StreamPipeReaderOptions(bufferSize: 64 << 10));
        try
        {
            while (await ReadAsync(reply, pipe, cancellationToken).ConfigureAwait(false) is var read)
            {
                var rest = read.Buffer;
                while (TryTakeLine(ref rest, read.IsCompleted, out var line))
                {
                    if (!IsBlank(line)) yield return (Parse(reply, line, item), line.Length);
                }

                if (read.IsCompleted) yield break;
                if (rest.Length > LongestEvent)
                    throw Broken(reply, $"Mixpanel's response has a line of more than {LongestEvent >> 20} MB, which is not an event.");
                pipe.AdvanceTo(rest.Start, rest.End);
            }
        }
        finally
        {
            await pipe.CompleteAsync().ConfigureAwait(false);
        }
    }

    static async ValueTask<ReadResult> ReadAsync(Reply reply, PipeReader pipe, CancellationToken cancellationToken)
    {
        try
        {
            return await pipe.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidDataException)
        {
            throw new MixpanelException(
                reply.Error(ErrorKind.Unavailable,
                    "The export was interrupted: the events received so far are incomplete. Try again with fewer days at a time."),
                e);
        }
    }

    static bool TryTakeLine(ref ReadOnlySequence<byte> rest, bool isLast, out ReadOnlySequence<byte> line)
    {
        if (rest.PositionOf((byte)'\n') is { } end)
        {
            line = rest.Slice(0, end);
            rest = rest.Slice(rest.GetPosition(1, end));
            return true;
        }

        line = rest;
        if (!isLast || rest.IsEmpty) return false;
        rest = rest.Slice(rest.End);
        return true;
    }

    static bool IsBlank(ReadOnlySequence<byte> line) => line.Length <= 1 && (line.IsEmpty || line.FirstSpan[0] is (byte)'\r');

    static MixpanelEvent Parse(Reply reply, ReadOnlySequence<byte> line, JsonTypeInfo<MixpanelEvent> type)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            if (JsonSerializer.Deserialize(ref reader, type) is { Event: not null, Properties: not null } read) return read;
        }
        catch (JsonException)
        {
            // reported below
        }

        throw Broken(reply,
            "The export ends within an event, or is not an export: the events received so far may be incomplete. Try again with fewer days at a time.");
    }

    static MixpanelException Broken(Reply reply, string message) => new(reply.Error(ErrorKind.Protocol, message));
}

public sealed partial class MixpanelClient
{
    /// <summary>Exports events as they were sent, duplicates included.</summary>
    /// <remarks>An answer has at most 20 MB of events: for more, read them one by one.</remarks>
    /// <example>{"from_date":"2026-10-01","to_date":"2026-10-31","event":["Signed Up"],"limit":100}</example>
    public ValueTask<ResultList<MixpanelEvent>> ExportEventsAsync(ExportEventsInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(EventActions.ExportEvents, input, cancellationToken);

    /// <summary>Exports any number of events as they were sent, streamed one by one.</summary>
    /// <param name="input">The events to export.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="MixpanelException">The input is invalid, Mixpanel failed or refused the call, or the export was interrupted.</exception>
    public IAsyncEnumerable<MixpanelEvent> ExportAllEventsAsync(ExportEventsInput input, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        EventActions.ExportEvents.Validate(input);
        return ExportEvents.ReadAllAsync(EventActions.ExportEvents.Context(this), input, cancellationToken);
    }
}

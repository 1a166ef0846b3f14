using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using MixpanelConnector.Tracking.Records;
using MixpanelConnector.Tracking.Screening;

namespace MixpanelConnector;

/// <summary>A tracked record, for assertions in tests.</summary>
/// <param name="Kind">The kind of the record.</param>
/// <param name="Name">The event's name; for an update its operation, such as <c>$set</c>.</param>
/// <param name="User">The user that it is about.</param>
/// <param name="Properties">The properties as JSON; for an update the value of its operation; an empty object when there were none.</param>
public sealed record RecordedCall(TrackedKind Kind, string Name, MixpanelUser User, JsonNode Properties)
{
    /// <summary>The group key; null for everything but a group update.</summary>
    public string? GroupKey { get; init; }

    /// <summary>The group; null for everything but a group update.</summary>
    public string? GroupId { get; init; }

    /// <summary>The settings of an update in addition to its value; null for none.</summary>
    public ProfileSettings? Settings { get; init; }

    /// <summary>When an event happened, as specified by <c>At</c>; null for now, or when its properties specify it.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>Why it was left out: <c>opted_out</c>, <c>sampled</c>, <c>before_send</c>; null for an accepted record.</summary>
    public string? LeftOut { get; init; }
}

/// <summary>
/// A tracker for tests: it records what was tracked, and sends nothing. It refuses what cannot be expressed in JSON, or is too large, as
/// <see cref="MixpanelTracker"/> does.
/// </summary>
public sealed class RecordingTracker : IMixpanelTracker
{
    readonly ConcurrentQueue<RecordedCall> _records = new();
    readonly ConcurrentQueue<RecordedCall> _leftOut = new();
    readonly ConcurrentQueue<RejectedRecord> _rejected = new();
    readonly TrackerOptions _tracking;
    readonly RecordScreen? _screen;
    long _ids;

    /// <summary>Creates a tracker that records everything as it was given.</summary>
    public RecordingTracker()
        : this(new()) { }

    /// <summary>
    /// Creates a tracker that records what Mixpanel would get, as far as the options specify who is tracked and what is left out, changed or redacted. The
    /// properties that a tracker adds to every event by itself are not included.
    /// </summary>
    /// <param name="tracking">The options of the tracker that this one replaces.</param>
    /// <exception cref="MixpanelException">An option is out of range.</exception>
    public RecordingTracker(TrackerOptions tracking)
    {
        ArgumentNullException.ThrowIfNull(tracking);
        (_tracking, _screen) = (tracking.Validated(), tracking.Screen());
    }

    /// <summary>Everything that was tracked, in order.</summary>
    public IReadOnlyList<RecordedCall> Records => [.. _records];

    /// <summary>The events among the records, in order.</summary>
    public IReadOnlyList<RecordedCall> Events => [.. _records.Where(record => record.Kind is TrackedKind.Event)];

    /// <summary>The records that were intentionally left out, in order, as they were given; <c>Track</c> returned true for them.</summary>
    public IReadOnlyList<RecordedCall> LeftOut => [.. _leftOut];

    /// <summary>The refused records, in order; <c>Track</c> returned false for them, or <c>TrackAsync</c> threw.</summary>
    public IReadOnlyList<RejectedRecord> Rejected => [.. _rejected];

    /// <inheritdoc/>
    public bool Enqueue(in TrackedRecord record) => Record(in record) is null;

    /// <inheritdoc/>
    public ValueTask EnqueueAsync(TrackedRecord record, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        return Record(in record) is { } rejected
            ? ValueTask.FromException(new MixpanelException(MixpanelError.Invalid(rejected.Field, rejected.Message)))
            : default;
    }

    /// <inheritdoc/>
    public Task FlushAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <summary>Clears the recorded, left-out and refused records.</summary>
    public void Clear()
    {
        _records.Clear();
        _leftOut.Clear();
        _rejected.Clear();
    }

    /// <summary>Returns why the record is refused; null when it is recorded or left out.</summary>
    RejectedRecord? Record(in TrackedRecord record)
    {
        if (!_tracking.Enabled) return null;
        RejectedRecord? rejected = null;
        var writer = RecordWriter.Rent();
        try
        {
            var scope = MixpanelScope.Current;
            writer.WritePayload(in record);
            if (writer.Written.Length > RecordWriter.MostRecordBytes) rejected = RejectedRecord.TooLarge(record.Kind, writer.Written.Length);
            else
            {
                var properties = JsonNode.Parse(writer.Written) ?? new JsonObject();
                WriteWhole(writer, in record);
                Screen(writer, in record, scope, properties);
            }
        }
        catch (RecordScreenException e)
        {
            rejected = RejectedRecord.NotScreened(record.Kind, e.Code, e.Message);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            rejected = RejectedRecord.NotSerializable(record.Kind, e);
        }
        finally
        {
            writer.Return();
        }

        if (rejected is not null) _rejected.Enqueue(rejected);
        return rejected;
    }

    /// <summary>Writes the record as it would be sent, for the screen, and because its ids may be refused, too.</summary>
    void WriteWhole(RecordWriter writer, in TrackedRecord record)
    {
        if (record.Kind is TrackedKind.Event)
            writer.WriteEvent(in record, 0, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Interlocked.Increment(ref _ids):x32}")),
                record.Context?.Groups.AddTo(NoAdditions) ?? NoAdditions);
        else writer.WriteUpdate(in record, token: "");
    }

    void Screen(RecordWriter writer, in TrackedRecord record, MixpanelScope? scope, JsonNode properties)
    {
        if (record.Kind is TrackedKind.Event)
        {
            record.Context?.Groups.FillIn(properties);
            scope?.Properties.FillIn(properties);
        }

        var recorded = new RecordedCall(record.Kind, record.Name, record.User, properties)
        {
            GroupKey = record.GroupKey,
            GroupId = record.GroupId,
            Settings = record.Settings,
            Time = record.Time,
        };
        var leftOut = scope is { IsOptedOut: true } && RecordScreen.MindsOptOut(in record) ? RecordScreen.OptedOut : null;
        if (leftOut is null && _screen is { } screen)
        {
            var outgoing = OutgoingRecord.Of(in record, properties.DeepClone());
            leftOut = screen.LeavesOut(writer, in record) ?? screen.Pass(outgoing);
            if (leftOut is null)
                recorded = recorded with
                {
                    Name = outgoing.Name,
                    User = outgoing.User,
                    Properties = outgoing.HasProperties ? outgoing.AllProperties() : properties,
                    Settings = outgoing.Settings,
                };
        }

        if (leftOut is null) _records.Enqueue(recorded);
        else _leftOut.Enqueue(recorded with { LeftOut = leftOut });
    }

    static readonly EventAdditions NoAdditions = new([]);
}

using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Validate;

/// <summary>Checks records of one type, completes the valid ones and adds them to a batch.</summary>
abstract class RecordPreparer
{
    /// <summary>The maximum number of bytes that completing adds to a record.</summary>
    public abstract int LargestAddition { get; }

    /// <summary>Begins a source, whose id is part of computed ids.</summary>
    /// <param name="sourceId">The source's id.</param>
    /// <param name="made">What the ids computed by an earlier run are derived from; null when that is unknown.</param>
    public virtual void Begin(string sourceId, ImportIds? made) { }

    /// <summary>Called before each record.</summary>
    public virtual void Next() { }

    /// <summary>What the ids computed for this source so far are derived from; null when that is unknown, or there are none.</summary>
    public virtual ImportIds? ComputedIds => null;

    /// <summary>Adds the record to the batch, or returns why not and leaves the batch unchanged.</summary>
    /// <param name="record">A record whose kind is JSON.</param>
    /// <param name="source">The name of its source.</param>
    /// <param name="maybeSent">Whether an earlier run may have sent it without receiving the response.</param>
    /// <param name="batch">The batch to add it to.</param>
    public abstract Rejection? TryAdd(in Record record, string source, bool maybeSent, RecordBatch batch);

    /// <summary>Called before a batch that was added to is closed.</summary>
    public virtual void Complete(RecordBatch batch) { }

    /// <summary>Whether the records of the source that an earlier run has settled must be recalled before more are added.</summary>
    public virtual bool Recalls(ImportSourceProgress reached) => false;

    /// <summary>
    /// Takes into account a record that an earlier run has settled, so that later
    /// records come out as if in the same run; returns why it would not be sent, if so.
    /// </summary>
    public virtual Rejection? Recall(in Record record) => null;

    /// <summary>The id of a record that is not sent: its own, or the one that it would have been given; null when its type has none.</summary>
    /// <param name="record">The record.</param>
    /// <param name="tried">Whether it is the last record tried; otherwise it was rejected without a check.</param>
    public virtual string? InsertIdOf(in Record record, bool tried) => null;

    /// <summary>Called before each series of records.</summary>
    public virtual void ReadClock() { }
}

/// <summary>Prepares events: computes a missing <c>$insert_id</c> and adds shared properties.</summary>
sealed class EventPreparer : RecordPreparer
{
    const int LargestEvent = 1 << 20;

    static readonly Rejection TooLarge = new("record_too_large", null, "the event is 1 MiB or more");
    static readonly Rejection TooManyProperties = new("too_many_keys", "properties", "with the shared properties, the event has more than 255");

    readonly TimeProvider _time;
    readonly SharedProperties _shared;
    readonly EventRules _rules;
    readonly JsonScanner _walk = new();
    readonly byte[] _addition;
    readonly ComputedInsertIds _ids;
    readonly Occurrences? _identities;
    readonly List<ulong> _added = []; // the identities of the events added to the batch
    int _idLength;
    long _now;

    /// <param name="time">The clock by which times in the future are detected.</param>
    /// <param name="shared">The properties added to each event.</param>
    /// <param name="ids">Computes the missing ids.</param>
    /// <param name="identities">Detects events that Mixpanel counts as one; null when that is not needed.</param>
    /// <param name="asked">The repairs that were requested, so that others can be proposed; null where none can be.</param>
    /// <param name="predicts">Whether nothing is sent to Mixpanel.</param>
    /// <param name="words">How messages refer to settings. Default: by the names of the library.</param>
    public EventPreparer(TimeProvider time, SharedProperties shared, ComputedInsertIds? ids = null, Occurrences? identities = null, ImportFixes? asked = null,
        bool predicts = false, MessageWords? words = null)
    {
        (_time, _shared, _ids, _identities, _rules) = (time, shared, ids ?? new ComputedInsertIds(), identities, new EventRules(shared, asked, predicts));
        _addition = new byte[LargestAddition];
        RefuseBadShared(words ?? MessageWords.Default);
    }

    public override int LargestAddition => checked((int)_shared.TotalLength + "\"$insert_id\":\"\",".Length + MixpanelValues.LongestInsertId);

    public override void Begin(string sourceId, ImportIds? made) => _ids.Begin(sourceId, made);

    public override void Next() => _ids.Next();

    public override ImportIds? ComputedIds => _ids.Made;

    /// <summary>Whether there were more identities than can be tracked.</summary>
    public bool IdentitiesAreMany { get; private set; }

    /// <summary>Reads the current time, relative to which times in the future are detected.</summary>
    public override void ReadClock() => _now = _time.GetUtcNow().ToUnixTimeSeconds();

    public override Rejection? TryAdd(in Record record, string source, bool maybeSent, RecordBatch batch)
    {
        var bytes = record.Bytes;
        if (Check(in record) is { } rejection) return rejection;

        if (!_rules.HasInsertId && record.InsertId is { } given && !MixpanelValues.IsInsertId(given)) return EventRules.InsertIdInvalid;

        var at = _rules.PropertiesAt;
        var (added, properties, id) = Additions(record);
        if (properties > 255) return TooManyProperties;
        if (bytes.Length + added > LargestEvent - 1) return TooLarge;
        if (_rules.Properties == 0 && added > 0) added--; // no comma before the closing brace
        var entry = new Entry
        {
            AddedAt = at,
            AddedLength = added,
            IdAt = id ? at + "\"$insert_id\":\"".Length : _rules.InsertId.At + (added > 0 && _rules.InsertId.At >= at ? added : 0),
            IdLength = id ? _idLength : _rules.InsertId.Length,
            Source = source,
            Offset = record.Offset,
            Line = record.Line,
            Raw = record.Original.IsEmpty ? null : record.Original.ToArray(),
            Repeatable = true,
            SaysWhoIsWho = _rules.SaysWhoIsWho,
        };
        if (HasIdentity(in record)) _added.Add(_rules.Identity(bytes, record.InsertId));
        batch.Add(entry, bytes[..at], _addition.AsSpan(0, entry.AddedLength), bytes[at..]);
        return null;
    }

    public override void Complete(RecordBatch batch)
    {
        if (_added.Count == 0) return;
        var (known, many) = _identities!.Take(CollectionsMarshal.AsSpan(_added));
        batch.SameIdentity += known;
        IdentitiesAreMany |= many;
        _added.Clear();
    }

    public override bool Recalls(ImportSourceProgress reached) => _ids.Recalls || (_identities is not null && !reached.Ended);

    public override Rejection? Recall(in Record record)
    {
        if (record.Rejection is not null) InsertIdOf(in record, tried: false);
        else if (Check(in record) is { } rejection) return rejection;
        else if (HasIdentity(in record)) IdentitiesAreMany |= _identities!.Take(_rules.Identity(record.Bytes, record.InsertId)) < 0;
        return record.Rejection;
    }

    public override string? InsertIdOf(in Record record, bool tried)
    {
        if (record.Oversized is not null) return record.InsertId;
        if (!tried) _rules.Reset(_now);
        if (_rules.HasInsertId)
            return _rules.InsertId.Length > 0 ? Encoding.ASCII.GetString(record.Bytes.Slice(_rules.InsertId.At, _rules.InsertId.Length)) : null;
        if (record.InsertId is not null) return record.InsertId;
        _ids.Take(in record);
        return Encoding.ASCII.GetString(_ids.Last);
    }

    /// <summary>Whether the event may be one that Mixpanel considers equal to another. Computed ids never equal those of another event.</summary>
    bool HasIdentity(in Record record) => _identities is not null && (_rules.HasInsertId || record.InsertId is not null);

    /// <summary>Checks the record. Also computes the id if there is none: accepted or not, the record counts as an occurrence of its bytes.</summary>
    Rejection? Check(in Record record)
    {
        _rules.Reset(_now);
        var ahead = _ids.Prepare(in record);
        var rejection = _walk.Check(record.Bytes, _rules) ?? _rules.Missing();
        if (!_rules.HasInsertId && record.InsertId is null) _ids.Take(in record, ahead);
        return rejection;
    }

    /// <summary>Writes the missing members, each followed by a comma.</summary>
    (int Length, int Properties, bool Id) Additions(in Record record)
    {
        var length = 0;
        var properties = _rules.Properties;
        if (!_rules.HasInsertId)
        {
            length = Append("\"$insert_id\":\""u8, length);
            if (record.InsertId is { } given)
            {
                _idLength = Encoding.ASCII.GetBytes(given, _addition.AsSpan(length));
            }
            else
            {
                _idLength = ComputedInsertIds.Length;
                _ids.Last.CopyTo(_addition.AsSpan(length));
            }

            length = Append("\","u8, length + _idLength);
            properties++;
        }

        for (var i = 0; i < _shared.Count; i++)
        {
            if (_rules.Overrides(i)) continue;
            length = Append(","u8, Append(_shared.Member(i), length));
            properties++;
        }

        return (length, properties, !_rules.HasInsertId);
    }

    int Append(ReadOnlySpan<byte> text, int at)
    {
        text.CopyTo(_addition.AsSpan(at));
        return at + text.Length;
    }

    /// <summary>Rejects shared properties that would make every event invalid: that is an error of the caller, not of the events.</summary>
    void RefuseBadShared(MessageWords words)
    {
        if (_shared.Count == 0) return;
        ReadClock();
        var members = Enumerable.Range(0, _shared.Count).Select(i => Encoding.UTF8.GetString(_shared.Member(i)));
        _rules.Reset(_now);
        var record = Encoding.UTF8.GetBytes($$$"""{"event":"e","properties":{{{{string.Join(',', members)}}}}}""");
        if (_walk.Check(record, _rules) is { } rejection)
            throw MixpanelException.Invalid("properties", $"Every event would be rejected because of the shared properties: {rejection.Message.In(words)}.");
        _rules.KeepShared(record);
    }
}

/// <summary>
/// Prepares profile updates: adds the project token, and the group key if there is one. <c>{"$distinct_id","$properties"}</c>
/// becomes a <c>$set</c>; for a group, with <c>$group_id</c>.
/// </summary>
sealed class ProfilePreparer(string token, string? groupKey, ImportFixes asked = ImportFixes.None) : RecordPreparer
{
    static readonly Rejection OutcomeUnknown = new("outcome_unknown", null, "an earlier run may have sent this update, which cannot be retried safely")
    {
        MaybeDelivered = true,
    };

    readonly ProfileRules _rules = new(token, groupKey, asked);
    readonly JsonScanner _walk = new();
    readonly byte[] _token = Encoding.UTF8.GetBytes($"\"$token\":\"{JsonEncodedText.Encode(token)}\",");
    readonly byte[] _groupKey = groupKey is null ? [] : Encoding.UTF8.GetBytes($"\"$group_key\":\"{JsonEncodedText.Encode(groupKey)}\",");

    public override int LargestAddition => _token.Length + _groupKey.Length;

    public override Rejection? TryAdd(in Record record, string source, bool maybeSent, RecordBatch batch)
    {
        _rules.Reset();
        if ((_walk.Check(record.Bytes, _rules) ?? _rules.Missing()) is { } rejection) return rejection;
        if (maybeSent && !_rules.Repeatable) return OutcomeUnknown;

        var at = record.Bytes.IndexOf((byte)'{') + 1;
        byte[] added = [.. _rules.HasToken ? [] : _token, .. _rules.HasGroupKey ? [] : _groupKey];
        var entry = new Entry { AddedAt = at, Source = source, Offset = record.Offset, Line = record.Line, Repeatable = _rules.Repeatable };
        if (_rules.PropertiesNameAt is { } properties)
        {
            entry.Raw = record.Raw.ToArray();
            batch.Add(entry, record.Bytes[..at], added, WithNames(record.Bytes[at..], properties - at, _rules.GroupIdNameAt - at));
        }
        else
        {
            if (!record.Original.IsEmpty) entry.Raw = record.Original.ToArray();
            entry.AddedLength = added.Length;
            batch.Add(entry, record.Bytes[..at], added, record.Bytes[at..]);
        }

        return null;
    }

    /// <summary>Replaces the names of an export with those of an update.</summary>
    static byte[] WithNames(ReadOnlySpan<byte> record, int properties, int? groupId)
    {
        var before = record[..properties];
        var after = record[(properties + record[properties..].IndexOf((byte)':'))..];
        if (groupId is not { } id) return [.. before, .. "\"$set\""u8, .. after];
        if (id > properties) after = Renamed(after, id - (record.Length - after.Length));
        else before = Renamed(before, id);
        return [.. before, .. "\"$set\""u8, .. after];

        static byte[] Renamed(ReadOnlySpan<byte> part, int id) => [.. part[..id], .. "\"$group_id\""u8, .. part[(id + part[id..].IndexOf((byte)':'))..]];
    }
}

using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Validate;

/// <summary>Checks records of one type and adds the good ones to a batch, with what is missing.</summary>
abstract class RecordCompleter
{
    /// <summary>The most bytes that completing adds to a record.</summary>
    public abstract int LargestAddition { get; }

    /// <summary>Begins a source, whose id goes into the ids that are computed.</summary>
    public abstract void Begin(string sourceId);

    /// <summary>Adds the record to the batch; or says why not, and leaves the batch as it is.</summary>
    /// <param name="record">A record whose kind is JSON.</param>
    /// <param name="source">The name of its source.</param>
    /// <param name="maybeSent">Whether an earlier run may have sent it without seeing the answer.</param>
    /// <param name="batch">Takes it.</param>
    public abstract Rejection? TryAdd(in Record record, string source, bool maybeSent, RecordBatch batch);

    /// <summary>The id of the record that was tried last: its own, or the one that it was or would have been given; null when its type has none.</summary>
    public abstract string? InsertIdOf(in Record record);

    /// <summary>Called before each stretch of records.</summary>
    public virtual void ReadClock() { }
}

/// <summary>Events: a missing <c>$insert_id</c> is computed, shared properties are added.</summary>
sealed class EventCompleter : RecordCompleter
{
    const int LargestEvent = 1 << 20;

    static readonly Rejection TooLarge = new("record_too_large", null, "the event is 1 MiB or more");
    static readonly Rejection TooManyProperties = new("too_many_keys", "properties", "with the shared properties, the event has more than 255");

    readonly TimeProvider _time;
    readonly SharedProperties _shared;
    readonly EventRules _rules;
    readonly RecordWalk _walk = new();
    readonly byte[] _addition;
    InsertIds _ids = new("");
    int _idLength;
    long _now;

    public EventCompleter(TimeProvider time, SharedProperties shared, bool predicts = false)
    {
        (_time, _shared, _rules) = (time, shared, new EventRules(shared, predicts));
        _addition = new byte[LargestAddition];
        RefuseBadShared();
    }

    public override int LargestAddition => checked((int)_shared.TotalLength + "\"$insert_id\":\"\",".Length + MixpanelValues.LongestInsertId);

    public override void Begin(string sourceId) => _ids = new InsertIds(sourceId);

    /// <summary>Takes the time that "ahead" is measured from.</summary>
    public override void ReadClock() => _now = _time.GetUtcNow().ToUnixTimeSeconds();

    public override Rejection? TryAdd(in Record record, string source, bool maybeSent, RecordBatch batch)
    {
        var bytes = record.Bytes;
        _rules.Reset(_now);
        if ((_walk.Check(bytes, _rules) ?? _rules.Missing()) is { } rejection) return rejection;

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
        };
        batch.Add(entry, bytes[..at], _addition.AsSpan(0, entry.AddedLength), bytes[at..]);
        return null;
    }

    public override string? InsertIdOf(in Record record)
    {
        if (_rules.HasInsertId)
            return _rules.InsertId.Length > 0 ? Encoding.ASCII.GetString(record.Bytes.Slice(_rules.InsertId.At, _rules.InsertId.Length)) : null;
        if (record.InsertId is not null || record.Kind is not RecordKind.Json) return record.InsertId;
        Span<byte> id = stackalloc byte[InsertIds.Length];
        _ids.Write(record.Raw, record.Offset, id);
        return Encoding.ASCII.GetString(id);
    }

    /// <summary>Writes the missing members, each with a comma after it.</summary>
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
                _idLength = InsertIds.Length;
                _ids.Write(record.Raw, record.Offset, _addition.AsSpan(length, InsertIds.Length));
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

    /// <summary>Shared properties that would have every event refused are the caller's mistake, not the events'.</summary>
    void RefuseBadShared()
    {
        if (_shared.Count == 0) return;
        ReadClock();
        var members = Enumerable.Range(0, _shared.Count).Select(i => Encoding.UTF8.GetString(_shared.Member(i)));
        _rules.Reset(_now);
        if (_walk.Check(Encoding.UTF8.GetBytes($$$"""{"event":"e","properties":{{{{string.Join(',', members)}}}}}"""), _rules) is { } rejection)
            throw MixpanelException.Invalid("properties", $"The shared properties would have every event refused: {rejection.Message}.");
    }
}

/// <summary>
/// Updates of profiles: the project's token is added, and the group key where there is one; <c>{"$distinct_id","$properties"}</c>
/// becomes a <c>$set</c>, of a group with <c>$group_id</c>.
/// </summary>
sealed class ProfileCompleter(string token, string? groupKey) : RecordCompleter
{
    static readonly Rejection OutcomeUnknown = new("outcome_unknown", null, "an earlier run may have sent this update, which cannot be repeated safely") { MaybeDelivered = true };

    readonly ProfileRules _rules = new(token, groupKey);
    readonly RecordWalk _walk = new();
    readonly byte[] _token = Encoding.UTF8.GetBytes($"\"$token\":\"{JsonEncodedText.Encode(token)}\",");
    readonly byte[] _groupKey = groupKey is null ? [] : Encoding.UTF8.GetBytes($"\"$group_key\":\"{JsonEncodedText.Encode(groupKey)}\",");

    public override int LargestAddition => _token.Length + _groupKey.Length;

    public override void Begin(string sourceId) { }

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

    public override string? InsertIdOf(in Record record) => null;

    /// <summary>The names that an update has, in place of those of an export.</summary>
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

using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using MixpanelConnector.Export;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Map;
using MixpanelConnector.Import.Values;

namespace MixpanelConnector.Migration;

/// <summary>
/// Converts an exported event back to the one that was sent: removes the properties that Mixpanel added, restores the names that a hot shard removed, and
/// corrects the time. All other bytes are unchanged. Events that merged users, and duplicates, are left out.
/// </summary>
/// <param name="zone">The time zone in which its time was written; null for UTC.</param>
/// <param name="duplicates">The duplicates of the day, by line; null for none.</param>
/// <param name="ofFile">The file that these lines belong to, by its id as an input; null when there is only one.</param>
sealed class EventMapper(TimeZoneInfo? zone, BitArray? duplicates, string? ofFile = null) : LineMapper(NoEvent)
{
    public const string IdentityEvent = "identity_event", Duplicate = "duplicate";

    static readonly Rejection NoEvent = new("invalid_json", null, "the line is not a JSON object");

    /// <summary>The maximum depth, as in an export.</summary>
    static readonly JsonReaderOptions Options = new() { MaxDepth = 1000 };

    readonly List<Member> _root = [];
    readonly List<Member> _properties = [];
    byte[] _name = new byte[256];
    bool _isAmbiguous;
    bool _hasDuplicates = duplicates is not null && ofFile is null;

    /// <summary>When Mixpanel processed the current event, in milliseconds; 0 when that is unknown.</summary>
    public long ProcessedAt { get; private set; }

    public override void Begin(string sourceId, string table, bool lacksLookups = false) => _hasDuplicates = duplicates is not null && sourceId == ofFile;

    protected override MapOutput Make(ReadOnlySpan<byte> line, long number)
    {
        (ProcessedAt, _isAmbiguous) = (0, false);
        Read(line);
        if (_root.Find(member => member.Kind is Kind.Event) is not { End: > 0 } named || _root.Count(member => member.Kind is Kind.Properties) != 1)
        {
            Out.Write(line); // the validation rules report its error
            return default;
        }

        var name = line[named.ValueStart..named.End];
        var (originalName, originalId) = (Find(Kind.OriginalName), Find(Kind.OriginalId));
        var isOfHotShard = originalName.End > 0 && Is(name, "$hotshard_events"u8);
        if (isOfHotShard) name = line[originalName.ValueStart..originalName.End];
        if (Is(name, "$identify"u8) || Is(name, "$create_alias"u8) || Is(name, "$merge"u8)) return new(IdentityEvent);
        if (_hasDuplicates && duplicates![(int)number - 1]) return new(Duplicate);

        var isFirst = true;
        Out.Write("{"u8);
        foreach (var member in _root)
        {
            Part(ref isFirst);
            if (member.Kind is Kind.Properties)
            {
                Out.Write("\"properties\":"u8);
                WriteProperties(line, isOfHotShard ? originalId : default, isOfHotShard);
            }
            else if (member.Kind is Kind.Event)
            {
                Out.Write("\"event\":"u8);
                Out.Write(name);
            }
            else
            {
                Out.Write(line[member.Start..member.End]);
            }
        }

        Out.Write("}"u8);
        return new(IsAmbiguous: _isAmbiguous);
    }

    void WriteProperties(ReadOnlySpan<byte> record, Member originalId, bool isOfHotShard)
    {
        var (isFirst, hasUser) = (true, originalId.End == 0);
        Out.Write("{"u8);
        foreach (var member in _properties)
        {
            if (member.Kind is Kind.Added || (isOfHotShard && member.Kind is Kind.OriginalName or Kind.OriginalId)) continue;
            if (member.Kind is Kind.DistinctId && originalId.End > 0)
            {
                if (!hasUser) WriteUser(record, originalId, ref isFirst);
                hasUser = true;
                continue;
            }

            Part(ref isFirst);
            if (member.Kind is Kind.Time && TryGetTime(record[member.ValueStart..member.End], out var time))
            {
                Out.Write("\"time\":"u8);
                WriteNumber(time);
            }
            else
            {
                Out.Write(record[member.Start..member.End]);
            }
        }

        if (!hasUser) WriteUser(record, originalId, ref isFirst);
        Out.Write("}"u8);
    }

    void WriteUser(ReadOnlySpan<byte> record, Member id, ref bool isFirst)
    {
        Part(ref isFirst);
        Out.Write("\"distinct_id\":"u8);
        Out.Write(record[id.ValueStart..id.End]);
    }

    /// <summary>Returns the true time, where it differs, or its notation would be read differently.</summary>
    bool TryGetTime(ReadOnlySpan<byte> json, out long time)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (!ExportedTime.TryGet(ref reader, out time)) return false;
        var written = time;
        if (zone is not null && TimeReader.InZone(zone, movesOverGaps: true, ref time, out var isTwice) is TimeReading.Read && isTwice) _isAmbiguous = true;
        time = TimeReader.OfEvent(time);
        return time != written;
    }

    void Read(ReadOnlySpan<byte> record)
    {
        _root.Clear();
        _properties.Clear();
        var reader = new Utf8JsonReader(record, Options);
        if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject) throw new JsonException();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var start = (int)reader.TokenStartIndex;
            var kind = reader.ValueTextEquals("event"u8) ? Kind.Event : reader.ValueTextEquals("properties"u8) ? Kind.Properties : Kind.Other;
            reader.Read();
            var value = (int)reader.TokenStartIndex;
            if (kind is Kind.Event && reader.TokenType is not JsonTokenType.String) kind = Kind.Other;
            if (kind is Kind.Properties && reader.TokenType is not JsonTokenType.StartObject) kind = Kind.Other;
            if (kind is Kind.Properties) ReadProperties(ref reader);
            else reader.Skip();
            _root.Add(new(start, value, (int)reader.BytesConsumed, kind));
        }

        while (reader.Read()) { } // trailing content throws
    }

    void ReadProperties(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var start = (int)reader.TokenStartIndex;
            var kind = KindOf(NameOf(ref reader));
            reader.Read();
            var value = (int)reader.TokenStartIndex;
            if (kind is Kind.ProcessedAt)
            {
                ProcessedAt = ExportedTime.TryGet(ref reader, out var time) ? time : 0;
                kind = Kind.Added;
            }
            else if (kind is Kind.OriginalName or Kind.OriginalId && reader.TokenType is not JsonTokenType.String)
            {
                kind = Kind.Other;
            }

            reader.Skip();
            _properties.Add(new(start, value, (int)reader.BytesConsumed, kind));
        }
    }

    ReadOnlySpan<byte> NameOf(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped) return reader.ValueSpan;
        if (_name.Length < reader.ValueSpan.Length) _name = new byte[reader.ValueSpan.Length];
        return _name.AsSpan(0, reader.CopyString(_name));
    }

    Member Find(Kind kind) => _properties.Find(member => member.Kind == kind);

    static bool Is(ReadOnlySpan<byte> json, ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(json);
        return reader.Read() && reader.ValueTextEquals(text);
    }

    static Kind KindOf(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("time"u8)) return Kind.Time;
        if (name.SequenceEqual("distinct_id"u8)) return Kind.DistinctId;
        if (name.StartsWith("mp_"u8))
            return name.SequenceEqual("mp_processing_time_ms"u8) ? Kind.ProcessedAt
                : name.SequenceEqual("mp_original_event_name"u8) ? Kind.OriginalName
                : name.SequenceEqual("mp_original_distinct_id"u8) ? Kind.OriginalId
                : Kind.Other;
        return name is [(byte)'$', ..] && IsAdded(name) ? Kind.Added : Kind.Other;
    }

    /// <summary>Whether Mixpanel has added a property of the name.</summary>
    static bool IsAdded(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("$import"u8) || name.SequenceEqual("$mp_api_timestamp_ms"u8) || name.SequenceEqual("$mp_api_endpoint"u8)
            || name.SequenceEqual("$mp_event_size"u8)
        || name.SequenceEqual("$is_reshuffled"u8) || name.SequenceEqual("$preshuffle_distinct_id"u8) || name.SequenceEqual("$identity_failure_reason"u8)
        || name.StartsWith("$warehouse_"u8) || name.StartsWith("$failure_"u8);

    void WriteNumber(long number)
    {
        number.TryFormat(Out.GetSpan(24), out var length, provider: CultureInfo.InvariantCulture);
        Out.Advance(length);
    }

    enum Kind
    {
        Other,
        Event,
        Properties,
        Time,
        DistinctId,
        OriginalName,
        OriginalId,
        ProcessedAt,
        Added,
    }

    /// <summary>A member of an object: its start, and the start and end of its value.</summary>
    [StructLayout(LayoutKind.Auto)]
    readonly record struct Member(int Start, int ValueStart, int End, Kind Kind);
}

/// <summary>Prepares the events of a day with an <see cref="EventMapper"/>.</summary>
/// <param name="zone">The time zone in which their times were written; null for UTC.</param>
/// <param name="duplicates">The duplicates, by line; null for none.</param>
/// <param name="ofFile">The file that these lines belong to, by its id as an input.</param>
sealed class EventPreparation(TimeZoneInfo? zone, BitArray? duplicates, string ofFile)
    : RecordPreparation($"migrated events{(zone is null ? "" : $", from {zone.Id}")}")
{
    public override IRecordMapper NewMapper() => new EventMapper(zone, duplicates, ofFile);
}

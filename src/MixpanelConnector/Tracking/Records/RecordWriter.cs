using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Tracking.Values;

namespace MixpanelConnector.Tracking.Records;

/// <summary>Writes a record as the JSON to send, into a buffer that each thread reuses.</summary>
[SuppressMessage("Design", "CA1001", Justification = "It lives as long as its thread; the JSON writer holds nothing but its buffer.")]
sealed class RecordWriter : IBufferWriter<byte>
{
    /// <summary>Mixpanel's limit for one event or one update.</summary>
    public const int MostRecordBytes = 1 << 20;

    const int LargestKept = 64 << 10;

    [ThreadStatic]
    static RecordWriter? _ofThread;

    readonly Utf8JsonWriter _json;
    byte[] _buffer = new byte[2048];
    int _length;

    RecordWriter() => _json = new Utf8JsonWriter(this, WellFormedEncoder.WriterOptions);

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>The position of the <c>$insert_id</c> in an event; length 0 when the properties set their own.</summary>
    public (int At, int Length) InsertId { get; private set; }

    /// <summary>Whether an event set ids of its own, which identify the user.</summary>
    public bool HasOwnIds { get; private set; }

    /// <summary>Rents the thread's writer. It is not reentrant: a converter that tracks gets another.</summary>
    public static RecordWriter Rent()
    {
        var writer = _ofThread ?? new RecordWriter();
        _ofThread = null;
        return writer;
    }

    public void Return()
    {
        if (_buffer.Length <= LargestKept) _ofThread = this;
    }

    /// <summary>Writes only the payload.</summary>
    /// <exception cref="UnwritableValueException">The properties of an event are not an object, or a value cannot be expressed in JSON.</exception>
    public void WritePayload(in TrackedRecord record)
    {
        _length = 0;
        Append(record.Payload, record.Kind is TrackedKind.Event);
        if (record.Kind is TrackedKind.Event && !Written.SequenceEqual("null"u8)) EnsureObject(Written);
    }

    /// <summary>Writes an event. Its own properties take precedence over those that would be added.</summary>
    /// <exception cref="UnwritableValueException">The properties are not an object, or one of them cannot be expressed in JSON.</exception>
    public void WriteEvent(in TrackedRecord record, long milliseconds, ReadOnlySpan<byte> insertId, EventAdditions additions)
    {
        HasOwnIds = false;
        BeginEvent(in record, milliseconds, insertId, additions, own: null);
        var payloadAt = _length;
        Append(record.Payload, ofEvent: true);
        var payload = _buffer.AsSpan(payloadAt, _length - payloadAt);
        if (payload.SequenceEqual("null"u8) || payload.SequenceEqual("{}"u8))
        {
            _length = payloadAt;
            Append("}}"u8);
            return;
        }

        EnsureObject(payload);
        if (additions.OwnOf(payload) is { } own)
        {
            HasOwnIds = own.DistinctId || own.UserId || own.DeviceId;
            // Rare: one of the event's own properties replaces one that was already written.
            var kept = payload.ToArray();
            BeginEvent(in record, milliseconds, insertId, additions, own);
            payloadAt = _length;
            Append(kept);
        }

        // The opening brace of the event's own properties becomes the comma between them and the added ones.
        _buffer[payloadAt] = _buffer[payloadAt - 1] is (byte)'{' ? (byte)' ' : (byte)',';
        Append("}"u8);
    }

    /// <summary>Writes an event again that was changed after it had been written here.</summary>
    /// <exception cref="UnwritableValueException">A property cannot be expressed in JSON.</exception>
    public void WriteEvent(OutgoingRecord record)
    {
        var hasIdOfOurs = InsertId.Length > 0;
        BeginEvent(record.Name);
        if (!record.Envelope.ContainsKey("distinct_id")) Text("distinct_id"u8, record.User.DistinctId);
        if (record.User.UserId is { } userId && !record.Envelope.ContainsKey("$user_id")) Text("$user_id"u8, userId);
        if (record.User.DeviceId is { } deviceId && !record.Envelope.ContainsKey("$device_id")) Text("$device_id"u8, deviceId);
        foreach (var (name, value) in record.Envelope)
        {
            TrackedValue.WriteMember(_json, name, value, "");
            if (!hasIdOfOurs || name != "$insert_id") continue;
            var length = value!.GetValue<string>().Length; // hexadecimal
            InsertId = ((int)(_json.BytesCommitted + _json.BytesPending) - length - 1, length);
        }

        if (record.Properties["ip"] is null) _json.WriteNumber("ip"u8, 0); // without it, Mixpanel would place the user where this server is
        foreach (var (name, value) in record.Properties) TrackedValue.WriteMember(_json, name, value, "");
        _json.WriteEndObject();
        _json.WriteEndObject();
        _json.Flush();
    }

    /// <summary>Writes an update of a profile.</summary>
    public void WriteUpdate(in TrackedRecord record, string token)
    {
        _length = 0;
        HasOwnIds = false;
        InsertId = default;
        _json.Reset(this);
        _json.WriteStartObject();
        Text("$token"u8, token);
        if (record.Kind is TrackedKind.Group)
        {
            Text("$group_key"u8, record.GroupKey!);
            Text("$group_id"u8, record.GroupId!);
        }
        else
        {
            Text("$distinct_id"u8, record.User.DistinctId);
        }

        if (record.Settings is { } settings)
        {
            if (settings.Ip is { } ip) Text("$ip"u8, ip);
            if (settings.Time is { } time) _json.WriteNumber("$time"u8, time.ToUnixTimeSeconds());
            if (settings.IgnoreTime) _json.WriteBoolean("$ignore_time"u8, value: true);
            if (settings.IgnoreAlias) _json.WriteBoolean("$ignore_alias"u8, value: true);
        }

        _json.WritePropertyName(record.Name);
        record.Payload.WriteTo(_json, ofEvent: false);
        _json.WriteEndObject();
        _json.Flush();
    }

    /// <exception cref="UnwritableValueException">The text is not valid Unicode.</exception>
    void Text(ReadOnlySpan<byte> name, string value)
    {
        try
        {
            _json.WriteString(name, value);
        }
        catch (UnwritableValueException e)
        {
            throw new UnwritableValueException(Encoding.UTF8.GetString(name), e.Reason);
        }
    }

    static void EnsureObject(ReadOnlySpan<byte> payload)
    {
        if (payload is not [(byte)'{', ..]) throw new UnwritableValueException("", "those of an event must be an object");
    }

    void BeginEvent(string name)
    {
        _length = 0;
        InsertId = default;
        _json.Reset(this);
        _json.WriteStartObject();
        Text("event"u8, name);
        _json.WriteStartObject("properties"u8);
    }

    void BeginEvent(in TrackedRecord record, long milliseconds, ReadOnlySpan<byte> insertId, EventAdditions additions, OwnProperties? own)
    {
        BeginEvent(record.Name);
        var user = record.User;
        if (own is not { DistinctId: true }) Text("distinct_id"u8, user.DistinctId);
        if (user.UserId is { } userId && own is not { UserId: true }) Text("$user_id"u8, userId);
        if (user.DeviceId is { } deviceId && own is not { DeviceId: true }) Text("$device_id"u8, deviceId);
        if (own is not { Time: true }) _json.WriteNumber("time"u8, milliseconds);
        if (own is not { InsertId: true })
        {
            _json.WriteString("$insert_id"u8, insertId);
            InsertId = ((int)(_json.BytesCommitted + _json.BytesPending) - insertId.Length - 1, insertId.Length);
        }

        _json.Flush();
        additions.AppendTo(this, own);
    }

    public void Append(ReadOnlySpan<byte> text)
    {
        text.CopyTo(GetSpan(text.Length));
        _length += text.Length;
    }

    /// <summary>Appends a member, which includes the comma before it; without the comma if it is the first.</summary>
    public void AppendMember(ReadOnlySpan<byte> member) => Append(_buffer[_length - 1] is (byte)'{' ? member[1..] : member);

    void Append(in Payload payload, bool ofEvent)
    {
        _json.Reset(this);
        payload.WriteTo(_json, ofEvent);
        _json.Flush();
    }

    void IBufferWriter<byte>.Advance(int count) => _length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsSpan(_length);
    }

    void Reserve(int size)
    {
        size = Math.Max(size, 256);
        if (_buffer.Length - _length < size) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + size));
    }
}

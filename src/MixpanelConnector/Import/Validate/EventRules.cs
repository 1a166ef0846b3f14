using System.Buffers.Text;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Values;

namespace MixpanelConnector.Import.Validate;

/// <summary>
/// Mixpanel's rules for events, and what is needed to complete an event. They also apply with <c>strict=0</c>: events that Mixpanel
/// would silently drop are rejected here instead. Where Mixpanel's documentation is ambiguous, the decision is left to Mixpanel.
/// </summary>
/// <param name="shared">The properties added to each event.</param>
/// <param name="asked">The repairs that were requested, so that others can be proposed; null where none can be.</param>
/// <param name="predicts">Whether nothing is sent to Mixpanel: then anything that it may reject is rejected where its documentation is ambiguous.</param>
sealed class EventRules(SharedProperties shared, ImportFixes? asked = null, bool predicts = false) : IRecordRules
{
    const long FirstOf1971 = 31_536_000;

    const long MostSecondsAhead = 3600;

    static readonly NestingLimits EventLimits = new(Properties: 255, Keys: 254, Elements: 254, Depth: 3, ContainerBytes: 8192);

    static readonly Rejection UnknownKey = new("unknown_key", null, "an event may contain only event and properties");
    static readonly Rejection EventMissing = new("event_missing", "event", "the event's name is missing or blank");
    static readonly Rejection EventInvalid = new("event_invalid", "event", "the event's name must be a string");
    static readonly Rejection PropertiesMissing = new("properties_missing", "properties", "the properties are missing");
    static readonly Rejection PropertiesInvalid = new("properties_invalid", "properties", "the properties must be an object");
    static readonly Rejection TimeMissing = new("time_missing", "properties.time", "the time is missing");
    static readonly Rejection TimeInvalid = new("time_invalid", "properties.time", "the time must be an integer: seconds or milliseconds since 1970");
    static readonly Rejection TimeHasDecimals =
        TimeInvalid with { Message = $"{TimeInvalid.Message}, without decimals or an exponent. {Setting.FixTime} converts such numbers" };
    static readonly Rejection TimeMayBeDays =
        TimeInvalid with { Message = $"{TimeInvalid.Message}. It may be days since 1900, as spreadsheets count them: write it as a date in text" };
    static readonly Rejection TimeMayBeExtended = TimeInvalid with { Message = $"{TimeInvalid.Message}. {Setting.FixTime} converts MongoDB's {{\"$date\":…}}" };
    static readonly Rejection TimeIsText = TimeInvalid with { Message = "the time is text; it must be an integer: seconds or milliseconds since 1970" };
    static readonly Rejection TimeMayBeIso =
        TimeIsText with { Message = $"{TimeIsText.Message}. {Setting.FixTime} converts ISO 8601 text; {Setting.TimeFormat}, such as '%d.%m.%Y %H:%M', converts other text" };
    static readonly Rejection TimeIsNotIso = TimeIsText with
    {
        Message = $"the time is text that cannot be read unambiguously: it must be an ISO 8601 date with a time of day, "
            + $"and with UTC or an offset if it has a zone. {Setting.TimeFormat} sets its format, {Setting.TimeZone} its zone",
    };
    static readonly Rejection TimeMayBeDate = TimeInvalid with
    {
        Message = $"the time has twelve digits, and may be a date or milliseconds of long ago. Set {Setting.TimeFormat}: %Y%m%d%H%M, %y%m%d%H%M%S, "
            + $"or %Q for milliseconds",
    };
    static readonly Rejection TimeTooOld = new("time_too_old", "properties.time", "the time is before 1971");
    static readonly Rejection TimeInFuture = new("time_in_future", "properties.time", "the time is more than an hour ahead");
    static readonly Rejection DistinctIdMissing =
        new("distinct_id_missing", "properties.distinct_id", "distinct_id is missing, and so are $user_id and $device_id");
    static readonly Rejection DistinctIdMayBeMade =
        DistinctIdMissing with { Message = $"{DistinctIdMissing.Message}. {Setting.FixIds} makes it empty, which assigns the event to no user" };
    static readonly Rejection DistinctIdInvalid =
        new("distinct_id_invalid", "properties.distinct_id", "distinct_id must be a string of at most 255 characters");
    static readonly Rejection DistinctIdMayBeText = DistinctIdInvalid with { Message = $"{DistinctIdInvalid.Message}. {Setting.FixIds} converts a number to text" };
    static readonly Rejection DistinctIdMayBeExtended =
        DistinctIdInvalid with { Message = $"{DistinctIdInvalid.Message}. {Setting.FixIds} converts MongoDB's {{\"$oid\":…}} to text" };
    static readonly Rejection DistinctIdBanned =
        new("distinct_id_banned", "properties.distinct_id", "Mixpanel does not accept this distinct_id: it is a placeholder for no user");
    public static readonly Rejection InsertIdInvalid =
        new("insert_id_invalid", "properties.$insert_id", "$insert_id must be 1 to 36 letters, digits and hyphens");
    static readonly Rejection InsertIdBanned =
        new("insert_id_banned", "properties.$insert_id", "Mixpanel does not accept this $insert_id: it is a placeholder for no id");
    public static readonly Rejection WhoIsWho = new("identity_event", "event",
        "Mixpanel rejects $identify, $create_alias and $merge in projects with the simplified identity, the default of new projects. Remove such events, "
        + "for example with jq -c 'select(.event | IN(\"$identify\", \"$create_alias\", \"$merge\") | not)' of jq 1.7 or newer, "
            + "because older ones round large numbers; a project with the original identity accepts them");
    static readonly Rejection Ignored = new("ignored", "properties.$ignore", "Mixpanel silently drops events with $ignore");

    enum Property
    {
        Other,
        Time,
        DistinctId,
        UserId,
        DeviceId,
        InsertId,
    }

    readonly bool[] _overridden = new bool[shared.Count];
    readonly bool _sharesTime = shared.IndexOf("time"u8) >= 0;
    readonly bool _sharesUser = shared.IndexOf("distinct_id"u8) >= 0 || shared.IndexOf("$user_id"u8) >= 0 || shared.IndexOf("$device_id"u8) >= 0;
    long _now;
    bool _isEvent;
    bool _hasEvent;
    bool _hasTime;
    bool _hasUser;
    bool _isAhead;
    Property _property;

    // The fields that identify an event, and their shared values.
    Scalar _event;
    Scalar _insertId;
    Scalar _distinctId;
    Scalar _userId;
    Scalar _deviceId;
    long _milliseconds;
    (long Milliseconds, byte[]? DistinctId, byte[]? UserId, byte[]? DeviceId) _shared;

    public NestingLimits Limits => EventLimits;

    /// <summary>The position in the record of the first byte after the brace of the properties.</summary>
    public int PropertiesAt { get; private set; }

    public bool HasInsertId { get; private set; }

    /// <summary>Whether it is an event that links the ids of a user.</summary>
    public bool SaysWhoIsWho { get; private set; }

    /// <summary>The position of the <c>$insert_id</c> in the record; length 0 when there is none or it contains escapes.</summary>
    public (int At, int Length) InsertId { get; private set; }

    /// <summary>The number of properties in the record itself.</summary>
    public int Properties { get; private set; }

    public bool Overrides(int sharedProperty) => _overridden[sharedProperty];

    public void Reset(long nowSeconds)
    {
        _now = nowSeconds;
        (_hasEvent, _hasTime, _hasUser, HasInsertId) = (false, false, false, false);
        (PropertiesAt, Properties, InsertId) = (0, 0, default);
        (SaysWhoIsWho, _isAhead) = (false, false);
        (_distinctId, _userId, _deviceId, _milliseconds) = (default, default, default, _shared.Milliseconds);
        _overridden.AsSpan().Clear();
    }

    public Rejection? Key(in JsonToken key, int level)
    {
        if (level == 1)
        {
            _isEvent = key.Is("event"u8);
            return _isEvent || key.Is("properties"u8) ? null : UnknownKey;
        }

        Properties++;
        if (shared.Count > 0 && shared.IndexOf(key.Text) is var index and >= 0) _overridden[index] = true;
        _property = Property.Other;
        var name = key.Text;
        switch (name.Length)
        {
            case 4 when name.SequenceEqual("time"u8):
                _property = Property.Time;
                break;
            case 7 when name.SequenceEqual("$ignore"u8):
                return Ignored;
            case 8 when name.SequenceEqual("$user_id"u8):
                (_hasUser, _property) = (true, Property.UserId);
                break;
            case 10 when name.SequenceEqual("$device_id"u8):
                (_hasUser, _property) = (true, Property.DeviceId);
                break;
            case 10 when name.SequenceEqual("$insert_id"u8):
                _property = Property.InsertId;
                break;
            case 11 when name.SequenceEqual("distinct_id"u8):
                _property = Property.DistinctId;
                break;
        }

        return null;
    }

    public Rejection? Value(in JsonToken value, int level)
    {
        if (level == 2)
        {
            return _property switch
            {
                Property.Time => Time(in value),
                Property.DistinctId => DistinctId(in value),
                Property.InsertId => TakeInsertId(in value),
                Property.UserId => Keep(in value, out _userId),
                Property.DeviceId => Keep(in value, out _deviceId),
                _ => null,
            };
        }

        if (_isEvent) return Event(in value);

        if (value.Type is not JsonTokenType.StartObject) return PropertiesInvalid;
        PropertiesAt = value.At + 1;
        return null;
    }

    /// <summary>Reports what is missing, after the whole record was checked.</summary>
    public Rejection? Missing()
    {
        if (!_hasEvent) return EventMissing;
        if (PropertiesAt == 0) return PropertiesMissing;
        if (!_hasTime && !_sharesTime) return TimeMissing;
        if (!_hasUser && !_sharesUser) return asked is { } fixes && !fixes.HasFlag(ImportFixes.Ids) ? DistinctIdMayBeMade : DistinctIdMissing;
        return _isAhead ? TimeInFuture : predicts && SaysWhoIsWho ? WhoIsWho : null;
    }

    /// <summary>Keeps the values of the last record as the shared ones.</summary>
    public void KeepShared(ReadOnlySpan<byte> record) =>
        _shared = (_milliseconds, Kept(_distinctId, record), Kept(_userId, record), Kept(_deviceId, record));

    /// <summary>A hash of the fields by which Mixpanel identifies an event.</summary>
    /// <param name="record">The last record.</param>
    /// <param name="insertId">The id that it gets if it has none.</param>
    public ulong Identity(ReadOnlySpan<byte> record, string? insertId)
    {
        var hash = Hash(_event.In(record), (ulong)_milliseconds);
        hash = Hash(HasInsertId ? _insertId.In(record) : Encoding.UTF8.GetBytes(insertId!), hash);
        return Hash(User(record), hash);
    }

    ReadOnlySpan<byte> User(ReadOnlySpan<byte> record)
    {
        if (_distinctId.IsThere) return _distinctId.In(record);
        if (!_distinctId.IsOther && _shared.DistinctId is { } distinctId) return distinctId;
        if (_userId.IsThere) return _userId.In(record);
        if (!_userId.IsOther && _shared.UserId is { } userId) return userId;
        if (_deviceId.IsThere) return _deviceId.In(record);
        return _deviceId.IsOther ? [] : _shared.DeviceId;
    }

    static byte[]? Kept(Scalar value, ReadOnlySpan<byte> record) => value.IsThere ? value.In(record).ToArray() : null;

    static ulong Hash(ReadOnlySpan<byte> text, ulong seed) => XxHash3.HashToUInt64(text, (long)seed);

    Rejection? Event(in JsonToken value)
    {
        _hasEvent = true;
        if (value.Type is not JsonTokenType.String) return EventInvalid;
        if (MixpanelValues.IsBlank(in value)) return EventMissing;
        if (value.Text is [(byte)'$' or (byte)'\\', ..]) SaysWhoIsWho = value.Is("$identify"u8) || value.Is("$create_alias"u8) || value.Is("$merge"u8);
        return Keep(in value, out _event);
    }

    static Rejection? Keep(in JsonToken value, out Scalar kept)
    {
        kept = value.Type switch
        {
            JsonTokenType.String => new(value.At + 1, value.Text.Length, value.IsEscaped),
            JsonTokenType.Number => new(value.At, value.Text.Length, IsEscaped: false),
            _ => Scalar.Other,
        };
        return null;
    }

    Rejection? Time(in JsonToken value)
    {
        _hasTime = true;
        if (value.Type is JsonTokenType.String) return asked is null ? TimeIsText : asked.Value.HasFlag(ImportFixes.Time) ? TimeIsNotIso : TimeMayBeIso;
        if (value.Type is not JsonTokenType.Number)
            return value.Type is JsonTokenType.StartObject && asked is { } options && !options.HasFlag(ImportFixes.Time) ? TimeMayBeExtended : TimeInvalid;
        if (!Utf8Parser.TryParse(value.Text, out long time, out var used) || used != value.Text.Length)
            return asked is not { } made || made.HasFlag(ImportFixes.Time) ? TimeInvalid : MayBeDays(value.Text) ? TimeMayBeDays : TimeHasDecimals;
        if (asked is { } fixes && !fixes.HasFlag(ImportFixes.Time) && TimeReader.MayBeDate(time, isEventTime: true)) return TimeMayBeDate;
        var seconds = time > TimeReader.LargestSeconds ? time / 1000 : time;
        _milliseconds = time > TimeReader.LargestSeconds ? time : time * 1000;
        _isAhead = seconds > _now + MostSecondsAhead; // reported last: other results must not depend on the clock
        return seconds < FirstOf1971 ? TimeTooOld : null;
    }

    /// <summary>Whether a number with decimals may be a date in a spreadsheet, of the years 1927 to 2173, and is no time of an event.</summary>
    static bool MayBeDays(ReadOnlySpan<byte> number) =>
        Utf8Parser.TryParse(number, out decimal days, out var used) && used == number.Length && days is >= 10_000 and < 100_000;

    Rejection? DistinctId(in JsonToken value)
    {
        if (value.Type is JsonTokenType.Null) return null; // treated as missing; another property may serve instead
        _hasUser = true; // an empty text is allowed: there is no user
        if (value.Type is JsonTokenType.Number or JsonTokenType.StartObject && asked is { } fixes && !fixes.HasFlag(ImportFixes.Ids))
            return value.Type is JsonTokenType.Number ? DistinctIdMayBeText : DistinctIdMayBeExtended;
        if (value.Type is not JsonTokenType.String || MixpanelValues.IsTooLongForDistinctId(in value)) return DistinctIdInvalid;
        if (MixpanelValues.IsBanned(in value, ignoreCase: predicts)) return DistinctIdBanned;
        return Keep(in value, out _distinctId);
    }

    Rejection? TakeInsertId(in JsonToken value)
    {
        HasInsertId = true;
        if (value.Type is not JsonTokenType.String || !MixpanelValues.IsInsertId(in value)) return InsertIdInvalid;
        if (MixpanelValues.IsBanned(in value, ignoreCase: predicts)) return InsertIdBanned;
        if (!value.IsEscaped) InsertId = (value.At + 1, value.Text.Length);
        return Keep(in value, out _insertId);
    }

    /// <summary>The position of a text or number in the record, without its quotes; the default when the record does not have it.</summary>
    readonly record struct Scalar(int At, int Length, bool IsEscaped)
    {
        /// <summary>Neither a text nor a number.</summary>
        public static readonly Scalar Other = new(-1, 0, IsEscaped: false);

        public bool IsThere => At > 0;

        public bool IsOther => At < 0;

        public ReadOnlySpan<byte> In(ReadOnlySpan<byte> record)
        {
            var text = record.Slice(At, Length);
            return IsEscaped ? Encoding.UTF8.GetBytes(new JsonToken(JsonTokenType.String, text, At, isEscaped: true).Unescape()) : text;
        }
    }
}

using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Validate;
using MixpanelConnector.Import.Values;

namespace MixpanelConnector.Import.Clean;

/// <summary>
/// Makes the requested repairs, in this order: drop, rename, fix, time offset. Only the affected parts are rewritten; all other
/// bytes of the record are kept. Invalid JSON is left to the validation, which reports it.
/// </summary>
sealed class RecordCleaner
{
    static readonly Rejection TimeNotInFormat = new("time_invalid", "properties.time", $"the time does not match {Setting.TimeFormat}");
    static readonly Rejection TimeOfDigits = TimeNotInFormat with
    {
        Message = $"the time has an ambiguous number of digits and may be a date: seconds have up to 10, milliseconds 13, microseconds 16, nanoseconds 19. "
            + $"Set {Setting.TimeFormat}, such as %Y%m%d%H%M, or %Q for milliseconds",
    };
    static readonly Rejection TimeNotInCalendar =
        TimeNotInFormat with { Message = "the time is a date or a time of day that does not exist, such as February 30 or 24:00" };
    static readonly Rejection TimeNotThatWeekday =
        TimeNotInFormat with { Message = "the time has a day of the week that is not that of its date, such as Tuesday for Monday, November 30, 2026" };
    static readonly Rejection RenameCollision = new("rename_collision", null, "a property cannot be renamed to a name that the record already has");

    /// <summary>The objects of an update whose members are properties.</summary>
    static readonly string[] Updates = ["$properties", "$set", "$set_once", "$add", "$union", "$append", "$remove"];

    readonly string[] _objects;
    readonly string[] _rootIds;
    readonly bool _isNobodys;
    readonly ImportFixes _fixes;
    readonly TimeReader _times;
    readonly Rejection _notInZone;
    readonly long? _offsetSeconds;
    readonly List<Member> _members = [];
    readonly ArrayBufferWriter<byte> _text = new(); // replacements for parts of the record
    readonly List<Edit> _edits = [];
    byte[] _result = [];
    Rejection? _fault;

    RecordCleaner(ImportRequest request)
    {
        _objects = request.Type is ImportType.Events ? ["properties"] : Updates;
        _rootIds = request.Type switch
        {
            ImportType.Profiles => ["$distinct_id"],
            ImportType.Groups => ["$group_id", "$distinct_id"],
            _ => [],
        };
        var shared = SharedProperties.Parse(request.Properties);
        _isNobodys = request.Type is ImportType.Events && shared.IndexOf("distinct_id"u8) < 0 && shared.IndexOf("$user_id"u8) < 0
            && shared.IndexOf("$device_id"u8) < 0;
        Names = new NameChanges(request);
        _fixes = request.Fixes;
        _times = new TimeReader(request);
        _notInZone = TimeNotInFormat with { Message = $"the time does not exist in {request.TimeZone}: clocks were set forward over it" };
        _offsetSeconds = (long?)request.TimeOffset?.TotalSeconds;
    }

    enum Role
    {
        Other,
        Time,
        DistinctId,
        UserId,
        DeviceId,
        InsertId,
    }

    /// <summary>The number of times parsed that occur twice because clocks went back.</summary>
    public long TimesTwice => _times.Twice;

    /// <summary>The names to drop and to rename, and which of them there were.</summary>
    public NameChanges Names { get; }

    /// <summary>The changes made to the last record.</summary>
    public Cleaned Made { get; private set; }

    /// <summary>Creates a cleaner; null when no cleaning was requested, so that it costs nothing.</summary>
    public static RecordCleaner? For(ImportRequest request) =>
        request.Fixes is ImportFixes.None && request.Rename.Count == 0 && request.Drop.Count == 0 && request.TimeOffset is null
            ? null
            : new RecordCleaner(request);

    /// <summary>Zero for each requested kind of cleaning; null when none was requested.</summary>
    public static ImportFixed? NoneYet(ImportRequest request)
    {
        if (For(request) is null) return null;
        static long? Zero(bool asked) => asked ? 0 : null;
        return new ImportFixed
        {
            Time = Zero(request.Fixes.HasFlag(ImportFixes.Time)),
            Ids = Zero(request.Fix.HasFlag(ImportFixes.Ids)),
            Nulls = Zero(request.Fix.HasFlag(ImportFixes.Nulls)),
            InsertIds = Zero(request.Fix.HasFlag(ImportFixes.InsertIds)),
            Renamed = Zero(request.Rename.Count > 0),
            Dropped = Zero(request.Drop.Count > 0),
            TimeOffset = Zero(request.TimeOffset is not null),
        };
    }

    /// <exception cref="MixpanelException">The options contradict each other or the type of the records.</exception>
    public static void EnsureSense(ImportRequest request)
    {
        if ((request.Fix & ~(ImportFixes.Time | ImportFixes.Ids | ImportFixes.Nulls | ImportFixes.InsertIds)) is not ImportFixes.None)
            throw MixpanelException.Invalid("fix", "The fixes must be time, ids, nulls or insert-ids.");
        if (request.Type is not ImportType.Events && request.Fix.HasFlag(ImportFixes.Time))
            throw MixpanelException.Invalid("fix", "Times are fixed in events only.");
        if (request.Type is not ImportType.Events && request.Fix.HasFlag(ImportFixes.InsertIds))
            throw MixpanelException.Invalid("fix", "Only events have an $insert_id to be fixed.");
        if (request.TimeOffset is { } offset)
        {
            if (request.Type is not ImportType.Events) throw MixpanelException.Invalid("time_offset", "The time offset is for events only.");
            if (offset.Ticks % TimeSpan.TicksPerSecond != 0 || offset.Duration() > TimeSpan.FromDays(36_500))
                throw MixpanelException.Invalid("time_offset", "The time offset must be whole seconds, and at most 100 years.");
        }

        if (request.Drop.Any(string.IsNullOrEmpty)) throw MixpanelException.Invalid("drop", "Name the property to drop.");
        var reserved = request.Type is ImportType.Events
            ? ["event", "properties"]
            : (string[])["$token", "$distinct_id", "$group_key", "$group_id", "$unset", "$delete", .. Updates];
        foreach (var (from, to) in request.Rename)
        {
            if (from.Length == 0 || string.IsNullOrEmpty(to))
                throw MixpanelException.Invalid("rename", "Name the property to rename and its new name: OLD=NEW.");
            if (from == to) throw MixpanelException.Invalid("rename", $"{from} cannot be renamed to itself.");
            if (reserved.Contains(to, StringComparer.Ordinal))
                throw MixpanelException.Invalid("rename", $"{to} is a field of the record itself: no property can be renamed to it.");
            if (request.Drop.Contains(from, StringComparer.Ordinal))
                throw MixpanelException.Invalid("rename", $"{from} cannot be both dropped and renamed: choose one.");
            if (request.Rename.Values.Count(name => name == to) > 1)
                throw MixpanelException.Invalid("rename", $"Two properties cannot both be renamed to {to}.");
        }
    }

    /// <summary>Returns the record as it is to be imported, valid until the next call. The original is kept with it.</summary>
    public Record Clean(scoped in Record record)
    {
        Made = Cleaned.Nothing;
        if (record is not { Kind: RecordKind.Json, Rejection: null } || !Utf8.IsValid(record.Bytes)) return record;
        var left = record.LacksDropped ? Cleaned.Dropped : Cleaned.Nothing;
        _edits.Clear();
        _text.ResetWrittenCount();
        try
        {
            if (FindEdits(record.Bytes) is { } fault) return record with { Rejection = fault };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            _edits.Clear(); // not JSON, or an unpaired surrogate
        }

        Made = _edits.Count > 0 ? Made | left : left;
        return _edits.Count > 0 ? record with { Bytes = Apply(record.Bytes), Original = record.Raw } : record;
    }

    /// <summary>Collects the edits. Returns why the record cannot be cleaned; null when it can.</summary>
    Rejection? FindEdits(ReadOnlySpan<byte> record)
    {
        _fault = null;
        var made = Cleaned.Nothing;
        var reader = new Utf8JsonReader(record);
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartObject) return null;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var holdsProperties = HoldsProperties(in reader);
            var isId = IsOneOf(_rootIds, in reader);
            reader.Read();
            if (isId && IdAsText(in reader, record) is { } id)
            {
                made |= Cleaned.Ids;
                Put((int)reader.TokenStartIndex, (int)reader.TokenStartIndex + WholeValue(in reader, record).Length, id);
            }

            if (!holdsProperties || reader.TokenType is not JsonTokenType.StartObject)
            {
                reader.Skip();
                continue;
            }

            var start = (int)reader.BytesConsumed;
            if (!ReadMembers(ref reader, record)) return RenameCollision;
            made |= EditMembers(record, start);
        }

        reader.Read(); // text after the record makes it invalid
        if (_fault is null) Made = made;
        return _fault;
    }

    bool HoldsProperties(ref readonly Utf8JsonReader name) => IsOneOf(_objects, in name);

    static bool IsOneOf(string[] names, ref readonly Utf8JsonReader name)
    {
        foreach (var known in names)
            if (name.ValueTextEquals(known)) return true;
        return false;
    }

    /// <summary>Lists the members of an object, and their state after dropping and renaming. False on a name collision.</summary>
    bool ReadMembers(ref Utf8JsonReader reader, ReadOnlySpan<byte> record)
    {
        _members.Clear();
        Names.Begin();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var member = new Member
            {
                Start = (int)reader.TokenStartIndex,
                NameEnd = (int)reader.TokenStartIndex + reader.ValueSpan.Length + 2,
                Dropped = Names.Drops(in reader),
            };
            if (!member.Dropped && Names.Renames(in reader, out var newName, out var json)) (member.NewName, member.Role) = (json, RoleOf(newName));
            else if (!member.Dropped) member.Role = RoleOf(in reader);

            reader.Read();
            member.ValueStart = (int)reader.TokenStartIndex;
            member.Type = reader.TokenType;
            if (_rootIds is [] && member.Role is Role.DistinctId or Role.UserId or Role.DeviceId) member.IdAsText = IdAsText(in reader, record);
            member.Id = member.Role is Role.UserId or Role.DeviceId
                && (IsUsableId(in reader) || (reader.TokenType is JsonTokenType.StartObject && member.IdAsText is not null));
            if (member.Role is Role.Time && _rootIds is []) ReadTime(ref member, in reader, record);
            if (member.Role is Role.InsertId && _fixes.HasFlag(ImportFixes.InsertIds)) member.InsertId = ReadInsertId(in reader, record);
            reader.Skip();
            member.End = (int)reader.BytesConsumed;
            _members.Add(member);
        }

        return !Names.Collide;
    }

    /// <summary>Collects the edits of one object, in the order of its text.</summary>
    Cleaned EditMembers(ReadOnlySpan<byte> record, int start)
    {
        var made = Cleaned.Nothing;
        var id = _fixes.HasFlag(ImportFixes.Ids) && !_members.Exists(member => member.Role is Role.DistinctId && member.Type is not JsonTokenType.Null)
            ? IndexOfId(Role.UserId) ?? IndexOfId(Role.DeviceId)
            : null;
        var hasNullId = _members.Exists(member => member.Role is Role.DistinctId);
        var isNobodys = id is null && IsNobodys();
        if (id is not null || isNobodys)
        {
            made |= Cleaned.Ids;
            if (!hasNullId) PutId(record, start, start, "\"distinct_id\":"u8, id, _members.Exists(member => !WillBeGone(in member)) ? ","u8 : default);
        }

        var kept = false;
        Span<byte> digits = stackalloc byte[20];
        for (var i = 0; i < _members.Count; i++)
        {
            var member = _members[i];
            var isGiven = member.Role is Role.DistinctId && (id is not null || isNobodys);
            if (!isGiven && WillBeGone(in member))
            {
                made |= member.Dropped ? Cleaned.Dropped : member.InsertId is { Length: 0 } ? Cleaned.InsertIds : Cleaned.Nulls;
                // Remove the comma before it, or the one after it when no remaining member precedes it.
                if (kept) Put(_members[i - 1].End, member.End);
                else Put(member.Start, i + 1 < _members.Count ? _members[i + 1].Start : member.End);
                continue;
            }

            kept = true;
            if (member.NewName is { } name)
            {
                made |= Cleaned.Renamed;
                Put(member.Start, member.NameEnd, name);
            }

            made |= member.Made;
            if (member.Made is not Cleaned.Nothing)
            {
                member.Time.TryFormat(digits, out var length, provider: CultureInfo.InvariantCulture);
                Put(member.ValueStart, member.End, digits[..length]);
            }
            else if (isGiven)
            {
                PutId(record, member.ValueStart, member.End, default, id, default);
            }
            else if (member.InsertId is { } insertId)
            {
                made |= Cleaned.InsertIds;
                Put(member.ValueStart, member.End, "\""u8, insertId, "\""u8);
            }
            else if (member.IdAsText is { } text)
            {
                made |= Cleaned.Ids;
                Put(member.ValueStart, member.End, text);
            }
        }

        return made;
    }

    /// <summary>Whether the event has neither a user nor a device, and shared properties supply none.</summary>
    bool IsNobodys() => _isNobodys && _fixes.HasFlag(ImportFixes.Ids)
        && !_members.Exists(member => !member.Dropped && member.Role is Role.DistinctId or Role.UserId or Role.DeviceId
            && member.Type is not JsonTokenType.Null);

    bool WillBeGone(in Member member) =>
        member.Dropped || member.InsertId is { Length: 0 } || (member.Type is JsonTokenType.Null && _fixes.HasFlag(ImportFixes.Nulls));

    /// <summary>Writes a <c>distinct_id</c>: that of another member, or an empty one.</summary>
    void PutId(ReadOnlySpan<byte> record, int start, int end, ReadOnlySpan<byte> name, int? from, ReadOnlySpan<byte> comma)
    {
        var value = from is not { } source ? "\"\""u8 : _members[source].IdAsText is { } text ? text : ValueOf(record, source);
        Put(start, end, name, value, comma);
    }

    /// <summary>Determines the new time, if it changes.</summary>
    void ReadTime(ref Member member, ref readonly Utf8JsonReader reader, ReadOnlySpan<byte> record)
    {
        long time;
        if (reader.TokenType is JsonTokenType.String)
        {
            if (!_fixes.HasFlag(ImportFixes.Time) || reader.ValueSpan.Length is 0 or > TimeText.Longest) return;
            Span<byte> text = stackalloc byte[TimeText.Longest];
            if (!IsRead(_times.Read(text[..reader.CopyString(text)], out time, out var isCount))) return;
            if (!isCount) time = TimeReader.OfEvent(time);
            member.Made = Cleaned.Time;
        }
        else if (reader.TokenType is JsonTokenType.StartObject)
        {
            if (!_fixes.HasFlag(ImportFixes.Time) || !IsRead(_times.ReadExtended(WholeValue(in reader, record), out time, out var isCount))) return;
            if (!isCount) time = TimeReader.OfEvent(time);
            member.Made = Cleaned.Time;
        }
        else if (reader.TokenType is not JsonTokenType.Number)
        {
            return;
        }
        else if (!reader.TryGetInt64(out time))
        {
            if (!_fixes.HasFlag(ImportFixes.Time) || !IsRead(_times.ReadDecimal(reader.ValueSpan, out time, out var isCount))) return;
            if (!isCount) time = TimeReader.OfEvent(time);
            member.Made = Cleaned.Time;
        }
        else if (_times.HasPattern)
        {
            // A date in digits may be a JSON number; a number that is not a date is a count, if its digits determine the unit.
            if (_times.Read(reader.ValueSpan, out var read, out _) is TimeReading.Read) (time, member.Made) = (TimeReader.OfEvent(read), Cleaned.Time);
            else if (!IsRead(_times.Scale(ref time))) return;
        }
        else if (_fixes.HasFlag(ImportFixes.Time))
        {
            var count = time;
            if (!IsRead(_times.Scale(ref time))) return;
            if (count != time) member.Made = Cleaned.Time;
        }

        if (_offsetSeconds is { } offset)
        {
            var moved = (Int128)time + (time > TimeReader.LargestSeconds ? offset * 1000 : offset);
            if (moved < long.MinValue || moved > long.MaxValue) return;
            time = (long)moved;
            member.Made |= Cleaned.TimeOffset;
        }

        member.Time = time;
    }

    bool IsRead(TimeReading reading)
    {
        _fault ??= reading switch
        {
            TimeReading.OnlyDigits => TimeOfDigits,
            TimeReading.NotInZone => _notInZone,
            TimeReading.NotInCalendar => TimeNotInCalendar,
            TimeReading.NotThatWeekday => TimeNotThatWeekday,
            TimeReading.NotATime when _times.HasPattern => TimeNotInFormat,
            _ => null, // the event rules report what it is
        };
        return reading is TimeReading.Read;
    }

    /// <summary>The replacement for an id that Mixpanel does not accept: empty to remove it; null to keep it.</summary>
    static byte[]? ReadInsertId(ref readonly Utf8JsonReader reader, ReadOnlySpan<byte> record)
    {
        if (reader.TokenType is JsonTokenType.Null) return [];
        if (reader.TokenType is JsonTokenType.StartObject
            && ExtendedJson.Read(WholeValue(in reader, record), out var id) is ExtendedKind.Text or ExtendedKind.Number
            && MixpanelValues.IsInsertId(new JsonToken(JsonTokenType.String, id, 0, isEscaped: false)))
            return id.ToArray();
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.Number)) return null;
        var token = new JsonToken(JsonTokenType.String, reader.ValueSpan, (int)reader.TokenStartIndex, reader.ValueIsEscaped);
        if (MixpanelValues.IsBlank(in token) || MixpanelValues.IsBanned(in token, ignoreCase: true)) return [];
        if (MixpanelValues.IsInsertId(in token)) return reader.TokenType is JsonTokenType.Number ? reader.ValueSpan.ToArray() : null;
        var text = new byte[reader.ValueSpan.Length];
        var length = text.Length;
        if (reader.TokenType is JsonTokenType.String) length = reader.CopyString(text);
        else reader.ValueSpan.CopyTo(text);
        return Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(text.AsSpan(0, length)))[..MixpanelValues.LongestInsertId]);
    }

    /// <summary>An id that is not text as the JSON of its text: a number, or an id in MongoDB's extended JSON; null for any other, which is kept.</summary>
    byte[]? IdAsText(ref readonly Utf8JsonReader reader, ReadOnlySpan<byte> record)
    {
        if (!_fixes.HasFlag(ImportFixes.Ids)) return null;
        if (reader.TokenType is JsonTokenType.Number && reader.ValueSpan.Length <= MixpanelValues.LongestDistinctId)
            return [(byte)'"', .. reader.ValueSpan, (byte)'"'];
        return reader.TokenType is JsonTokenType.StartObject
            && ExtendedJson.Read(WholeValue(in reader, record), out var id) is ExtendedKind.Text or ExtendedKind.Number
            ? [(byte)'"', .. id, (byte)'"']
            : null;
    }

    /// <summary>The text of the value that a reader is at the beginning of.</summary>
    static ReadOnlySpan<byte> WholeValue(ref readonly Utf8JsonReader reader, ReadOnlySpan<byte> record)
    {
        var rest = reader;
        rest.Skip();
        return record[(int)reader.TokenStartIndex..(int)rest.BytesConsumed];
    }

    static bool IsUsableId(ref readonly Utf8JsonReader reader)
    {
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.Number)) return false;
        var text = new JsonToken(JsonTokenType.String, reader.ValueSpan, (int)reader.TokenStartIndex, reader.ValueIsEscaped);
        return !MixpanelValues.IsBlank(in text) && !MixpanelValues.IsTooLongForDistinctId(in text) && !MixpanelValues.IsBanned(in text);
    }

    int? IndexOfId(Role role) => _members.FindIndex(member => member.Role == role && member.Id) is var index and >= 0 ? index : null;

    ReadOnlySpan<byte> ValueOf(ReadOnlySpan<byte> record, int member) => record[_members[member].ValueStart.._members[member].End];

    static Role RoleOf(ref readonly Utf8JsonReader name)
    {
        if (name.ValueTextEquals("time"u8)) return Role.Time;
        if (name.ValueTextEquals("distinct_id"u8)) return Role.DistinctId;
        if (name.ValueTextEquals("$user_id"u8)) return Role.UserId;
        if (name.ValueTextEquals("$insert_id"u8)) return Role.InsertId;
        return name.ValueTextEquals("$device_id"u8) ? Role.DeviceId : Role.Other;
    }

    static Role RoleOf(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("time"u8) ? Role.Time
        : name.SequenceEqual("distinct_id"u8) ? Role.DistinctId
        : name.SequenceEqual("$user_id"u8) ? Role.UserId
        : name.SequenceEqual("$device_id"u8) ? Role.DeviceId
        : name.SequenceEqual("$insert_id"u8) ? Role.InsertId
        : Role.Other;

    void Put(int start, int end, ReadOnlySpan<byte> text = default, ReadOnlySpan<byte> more = default, ReadOnlySpan<byte> last = default)
    {
        _edits.Add(new Edit(start, end, _text.WrittenCount, text.Length + more.Length + last.Length));
        _text.Write(text);
        _text.Write(more);
        _text.Write(last);
    }

    ReadOnlySpan<byte> Apply(ReadOnlySpan<byte> record)
    {
        if (_result.Length < record.Length + _text.WrittenCount) _result = new byte[(record.Length + _text.WrittenCount) * 2];
        var (length, at) = (0, 0);
        foreach (var edit in _edits)
        {
            record[at..edit.Start].CopyTo(_result.AsSpan(length));
            length += edit.Start - at;
            _text.WrittenSpan.Slice(edit.TextAt, edit.TextLength).CopyTo(_result.AsSpan(length));
            length += edit.TextLength;
            at = edit.End;
        }

        record[at..].CopyTo(_result.AsSpan(length));
        return _result.AsSpan(0, length + record.Length - at);
    }

    /// <summary>A property, by its positions in the record.</summary>
    [StructLayout(LayoutKind.Auto)]
    struct Member
    {
        public int Start;
        public int NameEnd;
        public int ValueStart;
        public int End;
        public JsonTokenType Type;
        public Role Role;
        public bool Dropped;
        public byte[]? NewName;

        /// <summary>Whether it can serve as the <c>distinct_id</c>.</summary>
        public bool Id;

        /// <summary>The text to write for an id that is none; null to keep it.</summary>
        public byte[]? IdAsText;

        /// <summary>The <c>$insert_id</c> to write; empty to remove it.</summary>
        public byte[]? InsertId;

        /// <summary>The time to write, and why.</summary>
        public long Time;
        public Cleaned Made;
    }

    /// <summary>A range of the record, and the text that replaces it.</summary>
    [StructLayout(LayoutKind.Auto)]
    readonly record struct Edit(int Start, int End, int TextAt, int TextLength);
}

using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Validate;
using MixpanelConnector.Import.Values;

namespace MixpanelConnector.Import.Map;

/// <summary>
/// Converts another tool's records to Mixpanel records with a mapping. One record yields several if it contains several, or none: then it is
/// left out, with a reason. Results are valid until the next record is mapped. Each keeps the record that it was made from, without
/// the other records in it.
/// </summary>
sealed partial class RecordMapper : IRecordMapper
{
    static readonly Rejection NoJson = new("invalid_json", null, "the record is not a JSON object");
    static readonly Rejection NotUtf8 = JsonScanner.InvalidUtf8;
    static readonly Rejection HalfOfAPair = NotUtf8 with { Message = "a \\u escape is half of a surrogate pair" };
    static readonly Rejection NotLookedUp = new("not_mapped", null,
        "it says something about other records, which can only be looked up in a file that can be read twice: save the input to a file, and import that");
    static readonly FrozenSet<ulong> Reserved = "time distinct_id token ip event alias bucket"
        .Split(' ')
        .Select(name => HashOf(Encoding.UTF8.GetBytes(name))).ToFrozenSet();

    readonly MappingSection _section;
    readonly string _vendor;
    readonly byte[] _name;
    readonly byte[] _prefix;
    readonly byte[] _source;
    readonly string? _groupKey;
    readonly bool _isOriginal;
    readonly bool _isReplay;
    readonly bool _namesAreTexts; // in the exports of a vendor, a number or a truth value is no name
    readonly RecordView _view = new();
    readonly LatestValues _latest = new();
    readonly Occurrences _occurrences = new();
    readonly XxHash128 _hash = new();
    readonly ArrayBufferWriter<byte> _out = new(4096);
    readonly List<Output> _outputs = [];
    readonly WrittenNames _names = new();
    readonly ExportTables? _tables; // of replayed records
    RecordPlace _place;
    int _container;
    int _repeated; // a member next to the values that are mapped whose object already has its name
    int _at;
    int _index;
    int _given;
    bool _isSingle;
    bool _tellsNames;
    bool _lacksLookups; // whether no lookup could read the source
    long _source64;
    int _prefixed;
    int _stale;
    int _unconverted; // in the results that follow
    string? _firstUnconverted; // to be said
    bool _saidUnconverted;
    ProfileChange _change;

    /// <exception cref="MixpanelException">The mapping has no rules for the type of record.</exception>
    public RecordMapper(ImportRequest request, MappingLookups? lookups = null)
    {
        _view.Lookups = lookups ?? MappingLookups.None;
        var mapping = request.Mapping!;
        _vendor = mapping.Name;
        _groupKey = request.GroupKey;
        _tables = mapping.Tables is { } tables ? new ExportTables(tables) : null;
        _namesAreTexts = mapping.Vendor is not null;
        _isReplay = request.Replay is not null;
        _isOriginal = request.Identity is ImportIdentity.Original;
        _section = mapping.Section(request.Type, request.GroupKey)
            ?? throw MixpanelException.Invalid("type", $"The mapping of {mapping.Name} creates no {request.Type.ToString().ToLowerInvariant()}.");
        (_name, _prefix, _source) =
            (Encoding.UTF8.GetBytes(_vendor), Encoding.UTF8.GetBytes($"{_vendor}_"), Encoding.UTF8.GetBytes($"\"$source\":\"{_vendor}-to-mixpanel\""));
    }

    /// <summary>Whether the results depend on earlier records of the source.</summary>
    public bool Recalls => _section is EventSection events && events.InsertId.Any(form => form.Counted);

    /// <summary>Whether the results depend on earlier records of this source and of those before it.</summary>
    public bool RecallsAll =>
        _section is UpdateSection update
            && (update.Time is not null || update.Operations.Any(operation => operation.Spread.Any(spread => spread.Time is not null)));

    /// <summary>Creates a mapper; null when no mapping was requested, so that it costs nothing.</summary>
    public static IRecordMapper? For(ImportRequest request, MappingLookups lookups) =>
        request.Preparation?.NewMapper() ?? (request.Mapping is null ? null : new RecordMapper(request, lookups));

    /// <summary>The hash of a name.</summary>
    public static ulong HashOf(ReadOnlySpan<byte> name) => XxHash3.HashToUInt64(name);

    /// <summary>The hash of a name as written in JSON: the same regardless of escapes.</summary>
    public static ulong HashOfRaw(ReadOnlySpan<byte> name) => HashOf(name.Contains((byte)'\\') ? JsonValues.Unescaped(name) : name);

    /// <summary>Begins a source.</summary>
    public void Begin(string sourceId, string table, bool lacksLookups = false)
    {
        _lacksLookups = lacksLookups || _isReplay;
        _occurrences.Clear();
        _source64 = ComputedInsertIds.HashOf(sourceId);
        SetTable(table);
    }

    void SetTable(string? table) => _view.File = table is null or "" or "<stdin>" ? Found.Nothing : MadeName(table);

    /// <summary>The table that an input belongs to, or the name of its file without folders and extensions.</summary>
    public static string TableOf(InputFile input) => input.Table ?? NameOf(input.FileName);

    /// <summary>The name of a file without folders and extensions.</summary>
    public static string NameOf(string path)
    {
        var name = Path.GetFileName(path.TrimEnd('/'));
        while (Path.GetExtension(name) is { Length: > 1 and <= 8 } extension && name.Length > extension.Length
            && !extension.AsSpan(1).ContainsAnyExceptInRange('0', 'z'))
            name = name[..^extension.Length];
        return name;
    }

    /// <summary>
    /// Begins a record, whose results <see cref="TryNext"/> returns. False when it is to be used as read: a blank line, or one that was already rejected.
    /// </summary>
    public bool Begin(scoped in Record record)
    {
        Clear();
        (_container, _at, _repeated, _isSingle) = (JsonTree.None, JsonTree.None, JsonTree.None, false);
        if (record is not { Kind: RecordKind.Json, Rejection: null, Oversized: null }) return false;
        if (record.Origin is { } origin && origin != _place.Origin) SetTable(_tables is null ? NameOf(origin) : _tables.TableOf(origin)); // it is replayed
        _place = new(record.Offset, record.Line, record.Origin, record.InsertId);
        try
        {
            if (!_view.TryTake(record.Raw)) Add(in Scope.Record, whole: record.Raw, rejection: System.Text.Unicode.Utf8.IsValid(record.Raw) ? NoJson : NotUtf8);
            else if (_section.Each is { } each) BeginEach(each);
            else _isSingle = true;
        }
        catch (InvalidOperationException)
        {
            Add(in Scope.Record, rejection: HalfOfAPair);
        }

        return true;
    }

    /// <summary>
    /// Returns the next result of the record, valid until the following one; for one that is left out, the reason. False when there are no more.
    /// </summary>
    public bool TryNext(out Record record, out MapOutput mapped)
    {
        while (_given == _outputs.Count && (_isSingle || _at >= 0))
        {
            Clear();
            _view.Reuse();
            var scope = _isSingle ? Scope.Record : new Scope(_at, _tellsNames ? _at : JsonTree.None, _index++);
            if (!_isSingle) _at = _container < 0 ? JsonTree.None : _view.Tree.After(_at, _container);
            _isSingle = false;
            try
            {
                MapOne(in scope);
            }
            catch (InvalidOperationException)
            {
                Clear();
                Add(in scope, rejection: HalfOfAPair);
            }
        }

        if (_given == _outputs.Count)
        {
            record = default;
            mapped = default;
            return false;
        }

        var output = _outputs[_given++];
        mapped = new(output.LeftOut, output.Prefixed, output.IsNobodys);
        if (_unconverted > 0)
        {
            mapped = mapped with { Unconverted = _unconverted, FirstUnconverted = _firstUnconverted };
            (_unconverted, _firstUnconverted) = (0, null);
        }

        record = new Record
        {
            Kind = RecordKind.Json,
            Bytes = _out.WrittenSpan.Slice(output.Start, output.Length),
            Original = _out.WrittenSpan.Slice(output.RawStart, output.RawLength),
            Offset = _place.Offset,
            Line = _place.Line,
            Origin = _place.Origin,
            InsertId = output.InsertId,
            Rejection = output.Rejection,
        };
        return true;
    }

    void Clear()
    {
        _given = 0;
        _outputs.Clear();
        _out.ResetWrittenCount();
    }

    void BeginEach(MappingValue each)
    {
        var tree = _view.Tree;
        var list = each.Read(_view, in Scope.Record);
        _container = list.Node < 0 ? JsonTree.None : tree.ContainerOf(list.Node);
        _tellsNames = _container >= 0 && tree[_container].Type is JsonTokenType.StartObject;
        _at = _container < 0 ? list.Node : tree.FirstOf(_container);
        _index = 0;
        if (tree.Repeated.Length > 0 && RefuseRepeated()) return;
        if (list.Node >= 0 && IsNoListOfValues(list.Node)) tree.Lose(list.Node, NeededShape.List);
        else if (_container >= 0) tree.Open(list.Node, _container);
        if (_at < 0 && !IsExcluded(in Scope.Record)) LeaveOut(in Scope.Record, "empty");
        if (RefuseLost(in Scope.Record)) _at = JsonTree.None;
    }

    /// <summary>
    /// Looks for members next to the values that are mapped whose objects already have their names. If one of them may lead to other values,
    /// or there are no values, the record is rejected; otherwise each of these is.
    /// </summary>
    bool RefuseRepeated()
    {
        var tree = _view.Tree;
        foreach (var repeated in tree.Repeated)
        {
            if (_container >= 0 && repeated > _container && repeated < tree[_container].Next && tree[repeated].Parent != _container) continue; // in one of them
            if (_repeated < 0) _repeated = repeated;
            if (_at >= 0 && tree[repeated].Parent != _container && !LeadsTo(repeated)) continue;
            _at = JsonTree.None;
            Add(in Scope.Record, rejection: RepeatedAt(repeated), insertId: _place.InsertId);
            return true;
        }

        return false;
    }

    /// <summary>Whether another member with the name of this one leads to the values that are mapped.</summary>
    bool LeadsTo(int repeated)
    {
        for (var at = _container < 0 ? _at : _container; at > 0; at = _view.Tree[at].Parent)
            if (_view.Tree.AreNamesakes(at, repeated)) return true;
        return false;
    }

    /// <summary>Whether a value is not what each of several records is made from: one of them in place of a list of them, a scalar, or broken text.</summary>
    bool IsNoListOfValues(int value)
    {
        var tree = _view.Tree;
        if (_container < 0) return tree.HoldsBrokenJson(value) || (_section.EachHasMembers && !tree.IsNothing(value));
        if (!_tellsNames) return false;
        if (!_section.EachHasMembers) return !_section.EachHasKeys && !tree.IsEmpty(_container); // the names would be lost
        for (var at = tree.FirstOf(_container); at >= 0; at = tree.After(at, _container))
            if (!tree.IsNothing(at) && tree.ContainerOf(at, isNeeded: false) < 0) return true;
        return false;
    }

    bool IsExcluded(in Scope scope)
    {
        foreach (var exclusion in _section.LeaveOut)
        {
            var misses = _view.Tree.Misses;
            if (!exclusion.When.Holds(_view, in scope)) continue;
            if (RefuseLost(in scope, misses)) return true; // it holds only because a value has another shape
            if (exclusion.Refuses) Add(in scope, rejection: exclusion.Rejection);
            else if (exclusion.IsLookedUp && _lacksLookups) Add(in scope, rejection: NotLookedUp);
            else LeaveOut(in scope, exclusion.Reason);
            return true;
        }

        return false;
    }

    void MapOne(in Scope scope)
    {
        _view.Tree.ForgetMisses();
        if (_view.Tree.Repeated.Length > 0 && RefuseRepeated(in scope)) return;
        if (IsExcluded(in scope)) return;
        if (_section is EventSection events) MapEvent(events, in scope);
        else MapUpdates((UpdateSection)_section, in scope);
        if (_view.Tree.Misses > 0 && !RefuseLost(in scope)) CountUnconverted();
    }

    /// <summary>Rejects a record in which a member has the name of another in its object, of which a mapping would read only one.</summary>
    bool RefuseRepeated(in Scope scope)
    {
        var repeated = _repeated >= 0 ? _repeated : _view.Tree.RepeatedIn(scope.Element);
        if (repeated < 0) return false;
        // As any other event that is rejected, it has an id, and counts as an occurrence.
        var insertId = _section is EventSection events && !IsExcluded(in scope) ? InsertId(events, in scope) : Found.Nothing;
        Clear();
        Add(in scope, rejection: RepeatedAt(repeated), insertId: insertId.IsThere ? Encoding.UTF8.GetString(_view.TextOf(in insertId)) : _place.InsertId);
        return true;
    }

    /// <summary>Counts the values that the result lacks because they could not be converted.</summary>
    void CountUnconverted()
    {
        if (_outputs is [{ Rejection: not null }, ..]) return;
        _unconverted = _view.Tree.CountUnconverted(out var first);
        if (_unconverted == 0 || _saidUnconverted) return;
        _saidUnconverted = true;
        _firstUnconverted = Shown(_view.PathOf(first));
    }

    /// <summary>Rejects a record that would be sent without the content of a value, because that has another shape than the mapping reads.</summary>
    /// <param name="scope">The value that is mapped.</param>
    /// <param name="from">The number of earlier values to disregard that were needed in another shape.</param>
    bool RefuseLost(in Scope scope, int from = 0)
    {
        if (!_view.Tree.TryFindLost(from, out var lost, out var needed)) return false;
        var insertId = _outputs is [{ Rejection: not null } refused, ..] ? refused.InsertId : null;
        Clear();
        Add(in scope, rejection: _repeated >= 0 ? RepeatedAt(_repeated) : LostBy(lost, needed), insertId: insertId ?? _place.InsertId);
        return true;
    }

    void MapEvent(EventSection section, in Scope scope)
    {
        var start = _out.WrittenCount;
        (_prefixed, var rejection) = (0, default(Rejection));
        var insertId = InsertId(section, in scope);
        var (misses, taken) = (_view.Tree.Misses, _view.Tree.Takes);
        var name = section.Event.Read(_view, in scope);
        if (!name.IsThere) rejection = NoName(section, misses, in scope);
        else if (name.IsContainer || (_namesAreTexts && !name.IsText && name.Node >= 0)) rejection = BadName(in name, taken);
        else if (_view.TextOf(in name) is var text
            && (text.SequenceEqual("$identify"u8) || text.SequenceEqual("$create_alias"u8) || text.SequenceEqual("$merge"u8)))
        {
            LeaveOut(in scope, "identity_event");
            _view.Tree.ForgetMisses(); // nothing is lost
            return;
        }

        var isTimed = TryReadTime(section.Time, section.TimeUnit, in scope, out var time, out var badTime);
        if (!isTimed) rejection ??= badTime is { } bad ? BadTime(bad) : NoTime(section, in scope);
        if (rejection is not null)
        {
            Add(in scope, rejection: rejection, insertId: insertId.IsThere ? Encoding.UTF8.GetString(_view.TextOf(in insertId)) : _place.InsertId);
            return;
        }

        _names.Clear();
        Write("{\"event\":"u8);
        WriteText(in name);
        Write(",\"properties\":{\"time\":"u8);
        Span<byte> digits = stackalloc byte[24];
        TimeReader.OfEvent(time).TryFormat(digits, out var length, provider: CultureInfo.InvariantCulture);
        Write(digits[..length]);
        var isNobodys = WriteIdentity(section, in scope);
        if (insertId.IsThere) WriteMember(",\"$insert_id\":"u8, in insertId);
        Write(","u8);
        Write(_source);
        _names.Add(HashOf("$source"u8), 0, 0);
        var isFirst = false;
        WriteProperties(section.Properties, in scope, ref isFirst, default, null);
        foreach (var spread in section.Spread) WriteSpread(spread, in scope, ref isFirst, default, null);
        Write("}}"u8);
        // The original id of a replayed record is already in the event.
        Add(in scope, start: start, isNobodys: isNobodys);
    }

    void MapUpdates(UpdateSection section, in Scope scope)
    {
        var isGroup = _groupKey is not null;
        var id = IdOf(section.Id, in scope);
        if (!id.IsThere && IdOf(section.DeviceId, in scope) is { IsThere: true } device)
            id = _isOriginal ? device : _view.MadeText([.. "$device:"u8, .. _view.TextOf(in device)]);
        if (!id.IsThere)
        {
            LeaveOut(in scope, isGroup ? "no_group" : "no_user");
            return;
        }

        long? time = null;
        var badTime = default(int?);
        if (section.Time is { } when && TryReadTime(when, section.TimeUnit, in scope, out var read, out badTime)) time = read;
        var stale = 0; // the number of operations of which nothing remains
        foreach (var operation in section.Operations)
        {
            var start = _out.WrittenCount;
            WriteHead(isGroup, in id);
            Write(operation.Name);
            Write("\":{"u8);
            var isFirst = true;
            (_prefixed, _stale) = (0, 0);
            _names.Clear();
            _change = operation.Name.AsSpan().SequenceEqual("$set"u8) ? ProfileChange.Set : ProfileChange.SetOnce;
            var since = _change is ProfileChange.SetOnce && section.Unset is null ? null : time; // then the order does not depend on it
            WriteProperties(operation.Properties, in scope, ref isFirst, _view.TextOf(in id), since);
            foreach (var spread in operation.Spread) WriteSpread(spread, in scope, ref isFirst, _view.TextOf(in id), since);
            Write("}}"u8);
            if (!isFirst) Add(in scope, start: start);
            else if (_stale > 0) stale++;
        }

        if (section.Unset?.Read(_view, in scope) is { IsThere: true } unset)
        {
            var start = _out.WrittenCount;
            WriteHead(isGroup, in id);
            Write("$unset\":["u8);
            var isFirst = true;
            (_prefixed, _stale, _change) = (0, 0, ProfileChange.Unset);
            _names.Clear();
            WriteUnset(section, in unset, ref isFirst, _view.TextOf(in id), time);
            Write("]}"u8);
            if (!isFirst) Add(in scope, start: start);
            else if (_stale > 0) stale++;
        }

        if (_outputs.Count == 0)
        {
            LeaveOut(in scope, stale > 0 ? "older" : "nothing_set");
        }
        else if (badTime is { } bad)
        {
            _outputs.Clear(); // it is unknown whether it is the newest
            Add(in scope, rejection: BadTime(bad));
        }
        else
        {
            for (; stale > 0; stale--) LeaveOut(in scope, "older");
        }
    }

    void WriteHead(bool isGroup, in Found id)
    {
        Write(isGroup ? "{\"$group_id\":\""u8 : "{\"$distinct_id\":\""u8);
        WriteRaw(in id);
        Write(isGroup ? "\",\""u8 : "\",\"$ignore_time\":true,\"$ip\":\"0\",\""u8);
    }

    void LeaveOut(in Scope scope, string reason) => Add(in scope, leftOut: reason);

    /// <param name="scope">The value that it was made from.</param>
    /// <param name="whole">The record as read, if it could not be parsed.</param>
    /// <param name="rejection">Why it is rejected.</param>
    /// <param name="start">The start of what was made.</param>
    /// <param name="insertId">The id that it would have.</param>
    /// <param name="leftOut">Why it is left out.</param>
    /// <param name="isNobodys">Whether it is an event without a user.</param>
    void Add(in Scope scope, ReadOnlySpan<byte> whole = default, Rejection? rejection = null, int start = -1, string? insertId = null, string? leftOut = null,
        bool isNobodys = false)
    {
        var (made, rawStart) = (_out.WrittenCount - (start < 0 ? _out.WrittenCount : start), _out.WrittenCount);
        if (leftOut is null)
        {
            if (!whole.IsEmpty) Write(whole);
            else WriteOwn(in scope);
        }

        var rawLength = _out.WrittenCount - rawStart;
        _outputs.Add(start < 0
            ? new Output(rawStart, rawLength, rawStart, rawLength, rejection, leftOut, insertId, 0, IsNobodys: false)
            : new Output(start, made, rawStart, rawLength, rejection, leftOut, insertId, _prefixed, isNobodys));
    }

    /// <summary>Writes the record with only this one of several records in it; all of it if there are no others, or if these are in a text.</summary>
    void WriteOwn(in Scope scope)
    {
        var root = _view.Tree[0];
        if (_container < 0 || scope.Element == 0 || !ReferenceEquals(_view.Tree[_container].Text, root.Text))
        {
            Write(root.Json);
            return;
        }

        var (list, one) = (_view.Tree[_container], _view.Tree[scope.Element]);
        Write(root.Text.AsSpan(root.Start, list.Start + 1 - root.Start));
        if (scope.Name >= 0)
        {
            Write("\""u8);
            Write(one.RawName);
            Write("\":"u8);
        }

        Write(one.Json);
        Write(root.Text.AsSpan(list.End - 1, root.End - list.End + 1));
    }

    static Found MadeName(string name)
    {
        var text = JsonEncodedText.Encode(name, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes.ToArray();
        return new(JsonTokenType.String, text, 0, text.Length, IsEscaped: text.AsSpan().Contains((byte)'\\'), JsonTree.None);
    }

    /// <summary>A result of mapping a record, by its position in the text of all results.</summary>
    /// <param name="Start">Its start.</param>
    /// <param name="Length">Its length in bytes.</param>
    /// <param name="RawStart">The start of the record that it was made from.</param>
    /// <param name="RawLength">The length of that record in bytes.</param>
    /// <param name="Rejection">Why it is rejected.</param>
    /// <param name="LeftOut">Why it is left out.</param>
    /// <param name="InsertId">The id that it would have, if it is rejected.</param>
    /// <param name="Prefixed">The number of its properties that were prefixed with the vendor's name.</param>
    /// <param name="IsNobodys">Whether it is an event without a user.</param>
    [StructLayout(LayoutKind.Auto)]
    readonly record struct Output(int Start, int Length, int RawStart, int RawLength, Rejection? Rejection, string? LeftOut, string? InsertId, int Prefixed,
        bool IsNobodys);

    readonly record struct RecordPlace(long Offset, long Line, string? Origin, string? InsertId);
}

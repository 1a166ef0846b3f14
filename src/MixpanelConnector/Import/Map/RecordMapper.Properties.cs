using System.Buffers;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Import.Map;

/// <content>The properties, from rules and under their own names.</content>
sealed partial class RecordMapper
{
    void WriteProperties(IReadOnlyList<MappedProperty> properties, in Scope scope, ref bool isFirst, ReadOnlySpan<byte> owner, long? time)
    {
        for (var i = 0; i < properties.Count; i++)
        {
            var property = properties[i];
            var taken = _view.Tree.Takes;
            var found = Whole(property.Value, in scope);
            if (!found.IsThere)
            {
                _view.Tree.GiveBack(taken);
                continue;
            }

            _view.Tree.Take(found.Node);
            if (time is { } since && IsStale(owner, property.Name, since)) continue;
            if (!isFirst) Write(","u8);
            isFirst = false;
            _names.Add(property.Hash, _out.WrittenCount + property.Name.Length + 3, found.Length);
            Write("\""u8);
            Write(property.Name);
            Write("\":"u8);
            WriteValue(in found);
        }
    }

    /// <summary>
    /// Writes members or elements as properties under their own names. Names that Mixpanel
    /// reserves, or that a rule has already set, are prefixed with the vendor's name.
    /// </summary>
    void WriteSpread(Spread spread, in Scope scope, ref bool isFirst, ReadOnlySpan<byte> owner, long? time)
    {
        var from = Whole(spread.From, in scope);
        var container = ContainerOf(in from, spread.Key is null ? NeededShape.Members : NeededShape.Entries);
        if (container < 0) return;
        if (spread.Groups)
        {
            WriteGroups(spread, from.Node, container, ref isFirst, owner, time);
            return;
        }

        var isObject = _view.Tree[container].Type is JsonTokenType.StartObject;
        var index = 0;
        for (var at = _view.Tree.FirstOf(container); at >= 0; at = _view.Tree.After(at, container), index++)
        {
            var inner = new Scope(at, isObject ? at : JsonTree.None, index);
            if (spread.Keep.Count > 0 && isObject && !IsKept(spread, _view.TextOf(Found.NameOf(in _view.Tree[at])))) continue;
            var key = spread.Key is { } named ? named.Read(_view, in inner) : isObject ? Found.NameOf(in _view.Tree[at]) : Found.Nothing;
            if (!IsNamed(spread, in key, at, from.Node) || IsDropped(spread, in key) || IsUsed(spread, in key, at)) continue;
            var taken = _view.Tree.Takes;
            var found = spread.Value is { } value ? ValueOf(value, in inner) : Found.Of(in _view.Tree[at], at);
            if (!HasValue(spread, in found, in inner, from.Node, taken)) continue;
            var since = spread.Time is { } when && owner.Length > 0 ? TimeOf(when, in inner) ?? time : time;
            if (spread.NeedsValues && !IsRead(spread, in found, in inner, from.Node)) continue;
            WriteSpread(spread, in key, in found, ref isFirst, owner, since);
        }
    }

    /// <summary>A value that becomes a property, or whose members do: they are not changed, so what is blank or empty is not missing.</summary>
    Found Whole(MappingValue value, in Scope scope)
    {
        if (!value.IsCopied) return value.Read(_view, in scope);
        _view.KeepsEmpty = true;
        try
        {
            return value.Read(_view, in scope);
        }
        finally
        {
            _view.KeepsEmpty = false;
        }
    }

    /// <summary>The value of an entry. One whose only value is an empty text has that, as a member has.</summary>
    Found ValueOf(MappingValue value, in Scope entry)
    {
        if (Whole(value, in entry) is { IsThere: true } found) return found;
        _view.KeepsEmptyText = true;
        try
        {
            return Whole(value, in entry);
        }
        finally
        {
            _view.KeepsEmptyText = false;
        }
    }

    /// <summary>Writes elements as properties under their own names; several with the same name become a list.</summary>
    void WriteGroups(Spread spread, int from, int container, ref bool isFirst, ReadOnlySpan<byte> owner, long? time)
    {
        var groups = new OrderedDictionary<string, (Found Key, List<Found> Values)>(StringComparer.Ordinal);
        for (var at = _view.Tree.FirstOf(container); at >= 0; at = _view.Tree.After(at, container))
        {
            var inner = new Scope(at, JsonTree.None, 0);
            var key = spread.Key?.Read(_view, in inner) ?? Found.NameOf(in _view.Tree[at]);
            if (!IsNamed(spread, in key, at, from) || IsDropped(spread, in key) || IsUsed(spread, in key, at)) continue;
            var taken = _view.Tree.Takes;
            var found = spread.Value is { } value ? ValueOf(value, in inner) : Found.Of(in _view.Tree[at], at);
            if (!HasValue(spread, in found, in inner, from, taken) || (spread.NeedsValues && !IsRead(spread, in found, in inner, from))) continue;
            _view.Tree.Take(found.Node);
            var name = Encoding.UTF8.GetString(_view.TextOf(in key));
            if (groups.TryGetValue(name, out var known)) known.Values.Add(found);
            else groups.Add(name, (key, [found]));
        }

        foreach (var (key, values) in groups.Values)
        {
            var found = values is [var only]
                ? only
                : _view.Made(JsonTokenType.StartArray, [(byte)'[', .. values.SelectMany((value, i) => JsonOf(in value, i > 0)), (byte)']']);
            WriteSpread(spread, in key, in found, ref isFirst, owner, time);
        }

        static byte[] JsonOf(in Found value, bool follows) =>
            [.. follows ? ","u8 : [], .. value.IsText ? "\""u8 : [], .. value.Raw, .. value.IsText ? "\""u8 : []];
    }

    /// <summary>Whether an entry has a name. Without one its content would be lost, unless it has none.</summary>
    bool IsNamed(Spread spread, in Found key, int entry, int from)
    {
        if (key is { IsThere: true, IsContainer: false }) return true;
        if (!_view.Tree.IsEmpty(entry)) _view.Tree.Lose(from, spread.Key is null ? NeededShape.Members : NeededShape.Entries);
        return false;
    }

    /// <summary>Whether an entry is not to become a property.</summary>
    bool IsDropped(Spread spread, in Found key)
    {
        if (spread.Drop.Count == 0 && spread.DropPrefixes.Count == 0) return false;
        var text = _view.TextOf(in key);
        var named = HashOf(text);
        if (spread.Drop.Contains(named)) return true;
        foreach (var beginning in spread.DropPrefixes)
            if (text.StartsWith(beginning)) return !spread.Names.ContainsKey(named);
        return false;
    }

    /// <summary>Whether other rules have read all of an entry, so that it does not become a property again.</summary>
    bool IsUsed(Spread spread, in Found key, int entry) =>
        spread.Used.Count > 0 && spread.Used.Contains(HashOf(_view.TextOf(in key))) && !_view.Tree.HasUnread(entry);

    /// <summary>
    /// Whether an entry has a value. Where it must have one, its content would be lost without it, unless there is nothing but its name and time.
    /// </summary>
    bool HasValue(Spread spread, in Found value, in Scope entry, int from, int taken)
    {
        if (value.IsThere) return true;
        _view.Tree.GiveBack(taken);
        if (!spread.NeedsValues) return false;
        spread.Time?.Read(_view, in entry);
        if (_view.Tree.HasUnread(entry.Element)) _view.Tree.Lose(from, NeededShape.EntriesWithValues);
        return false;
    }

    /// <summary>Whether nothing of an entry would be lost but its value, its names and its time: a second value would.</summary>
    bool IsRead(Spread spread, in Found value, in Scope entry, int from)
    {
        _view.Tree.Take(value.Node);
        if (!_view.Tree.HasUnread(entry.Element, in value)) return true;
        spread.Key?.ReadAll(_view, in entry);
        spread.Time?.Read(_view, in entry);
        if (!_view.Tree.HasUnread(entry.Element, in value)) return true;
        _view.Tree.Lose(from, NeededShape.EntriesWithValues);
        return false;
    }

    /// <summary>When an entry was set; null when it does not say so. If that cannot be read, it is unknown whether it is the newest.</summary>
    long? TimeOf(MappingValue value, in Scope entry)
    {
        if (TryReadTime(value, TimeUnit.ByDigits, in entry, out var time, out var bad)) return time;
        if (bad is { } origin) _view.Tree.Lose(origin >= 0 ? origin : entry.Element, NeededShape.Time);
        return null;
    }

    void WriteSpread(Spread spread, in Found key, in Found found, ref bool isFirst, ReadOnlySpan<byte> owner, long? time)
    {
        var text = _view.TextOf(in key);
        var named = HashOf(text);
        var renamed = spread.Names.Count > 0 ? spread.Names.GetValueOrDefault(named) : null;
        _view.Tree.Take(found.Node);
        var raw = renamed is not null ? renamed : key.Raw;
        var hash = renamed is null ? named : HashOfRaw(raw);
        var isPrefixed = renamed is null && IsReserved(text, named);
        if (!isPrefixed && IsWritten(hash, in found)) return;
        if (isPrefixed || _names.Contains(hash))
        {
            raw = _names.Free([.. _prefix, .. raw], out hash);
            _prefixed++;
        }

        if (time is { } since && IsStale(owner, raw, since)) return;
        if (!isFirst) Write(","u8);
        isFirst = false;
        _names.Add(hash, _out.WrittenCount + raw.Length + 3, found.Length);
        Write("\""u8);
        Write(raw);
        Write("\":"u8);
        WriteValue(in found);
    }

    /// <summary>Writes the names of properties to remove, named as when they are set.</summary>
    void WriteUnset(UpdateSection section, in Found unset, ref bool isFirst, ReadOnlySpan<byte> owner, long? time)
    {
        var container = ContainerOf(in unset, NeededShape.Names);
        if (container < 0) return;
        var isObject = _view.Tree[container].Type is JsonTokenType.StartObject;
        for (var at = _view.Tree.FirstOf(container); at >= 0; at = _view.Tree.After(at, container))
        {
            var name = isObject ? Found.NameOf(in _view.Tree[at]) : Found.Of(in _view.Tree[at], at);
            if (!name.IsText)
            {
                if (!_view.Tree.IsEmpty(at)) _view.Tree.Lose(unset.Node, NeededShape.Names);
                continue;
            }

            var text = _view.TextOf(in name);
            var raw = NameOfSet(section, text, in name);
            if (raw.IsEmpty || !_names.TryAdd(HashOfRaw(raw)) || (time is { } since && IsStale(owner, raw, since))) continue;
            if (!isFirst) Write(","u8);
            isFirst = false;
            Write("\""u8);
            Write(raw);
            Write("\""u8);
        }
    }

    /// <summary>The name under which a property is set; empty when it is not.</summary>
    ReadOnlySpan<byte> NameOfSet(UpdateSection section, ReadOnlySpan<byte> text, in Found name)
    {
        var (hash, isDropped) = (HashOf(text), false);
        foreach (var operation in section.Operations)
            foreach (var spread in operation.Spread)
            {
                if (spread.Names.TryGetValue(hash, out var renamed)) return renamed;
                isDropped |= spread.Drop.Contains(hash);
            }

        if (isDropped) return default;
        return IsReserved(text, hash) ? (byte[])[.. _prefix, .. name.Raw] : name.Raw;
    }

    /// <summary>
    /// The object or list that a value is, or that its text holds. The content of a value that is neither would be lost, unless it counts as nothing.
    /// </summary>
    int ContainerOf(in Found found, NeededShape needed)
    {
        if (found.Node < 0) return JsonTree.None;
        var container = _view.Tree.ContainerOf(found.Node);
        if (container >= 0) _view.Tree.Open(found.Node, container);
        else if (!_view.Tree.IsNothing(found.Node)) _view.Tree.Lose(found.Node, needed);
        return container;
    }

    static bool IsKept(Spread spread, ReadOnlySpan<byte> name)
    {
        foreach (var kept in spread.Keep)
            if (kept is [.. var beginning, (byte)'*'] ? name.StartsWith(beginning) : name.SequenceEqual(kept)) return true;
        return false;
    }

    /// <summary>Whether a rule has set a property with this name to the same value.</summary>
    bool IsWritten(ulong name, in Found value)
    {
        if (!_names.TryGet(name, out var start, out var length)) return false;
        return length == value.Length && length > 0 && _out.WrittenSpan[(value.IsText ? start + 1 : start)..].StartsWith(value.Raw);
    }

    static bool IsReserved(ReadOnlySpan<byte> name, ulong hash) => name is [] or [(byte)'$', ..] || name.StartsWith("mp_"u8) || Reserved.Contains(hash);

    bool IsStale(ReadOnlySpan<byte> owner, ReadOnlySpan<byte> property, long time)
    {
        if (_latest.Take(HashOfRaw(property) ^ System.Numerics.BitOperations.RotateLeft(HashOf(owner) * 0x9E3779B97F4A7C15, 31), time, _change)) return false;
        _stale++;
        return true;
    }

    /// <summary>Writes a value as JSON: unchanged, except for numbers that a double would change, which become text.</summary>
    void WriteValue(in Found found)
    {
        switch (found.Type)
        {
            case JsonTokenType.String:
                WriteText(in found);
                break;
            case JsonTokenType.Number when JsonValues.IsInexact(found.Raw):
                WriteText(in found);
                break;
            case JsonTokenType.StartObject or JsonTokenType.StartArray when found.Node >= 0 && HoldsInexact(found.Node):
                WriteTree(found.Node);
                break;
            default:
                Write(found.Raw);
                break;
        }
    }

    bool HoldsInexact(int container)
    {
        for (var at = container + 1; at < _view.Tree[container].Next; at++)
            if (_view.Tree[at].Type is JsonTokenType.Number && JsonValues.IsInexact(_view.Tree[at].Json)) return true;
        return false;
    }

    void WriteTree(int container)
    {
        var tree = _view.Tree;
        var isObject = tree[container].Type is JsonTokenType.StartObject;
        Write(isObject ? "{"u8 : "["u8);
        for (var at = tree.FirstOf(container); at >= 0; at = tree.After(at, container))
        {
            if (at != container + 1) Write(","u8);
            if (isObject)
            {
                Write("\""u8);
                Write(tree[at].RawName);
                Write("\":"u8);
            }

            if (tree[at].Type is JsonTokenType.Null) Write("null"u8);
            else WriteValue(Found.Of(in tree[at], at));
        }

        Write(isObject ? "}"u8 : "]"u8);
    }

    void WriteMember(ReadOnlySpan<byte> name, in Found value)
    {
        Write(name);
        WriteText(in value);
    }

    void WriteText(in Found found)
    {
        Write("\""u8);
        WriteRaw(in found);
        Write("\""u8);
    }

    /// <summary>Writes the content of a text, without quotes; for an object or list, its JSON as text.</summary>
    void WriteRaw(in Found found)
    {
        if (found.Type is JsonTokenType.StartObject or JsonTokenType.StartArray) Write(_view.MadeText(found.Raw).Raw);
        else Write(found.Raw);
    }

    void Write(ReadOnlySpan<byte> text) => _out.Write(text);
}

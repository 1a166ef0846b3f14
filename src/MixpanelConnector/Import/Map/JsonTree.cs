using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace MixpanelConnector.Import.Map;

/// <summary>
/// The values of one record in document order, each with the index of the next, so that it can be searched
/// by paths without allocating an object per value. Text that holds a JSON object or list is parsed when a path enters it. Reused for one record
/// after the other.
/// </summary>
sealed partial class JsonTree
{
    /// <summary>No value.</summary>
    public const int None = -1;

    /// <summary>Anything nested deeper than Mixpanel accepts is reported when the result is checked.</summary>
    const int Deepest = 1000;

    const int IsBroken = -2; // for text that begins like a container but is none

    /// <summary>Records have many members, most of which are looked up. Up to this many members are indexed by name.</summary>
    const int MostIndexed = Slots / 2;

    const int Slots = 512;

    /// <summary>What the mapping has made of a value.</summary>
    [Flags]
    public enum Uses : byte
    {
        None = 0,

        /// <summary>A path leads through it.</summary>
        Entered = 1,

        /// <summary>All of it has been read.</summary>
        Taken = 2,

        /// <summary>Its content is lost.</summary>
        Lost = 4,

        /// <summary>It was counted as not converted.</summary>
        Counted = 8,
    }

    readonly int[] _slots = new int[Slots]; // the members of the record by a hash of their names; 0 is a free slot
    bool _isIndexed;
    readonly List<int> _open = [];
    readonly List<byte[]> _texts = [];
    readonly List<(int Value, NeededShape Needed)> _misses = [];
    Node[] _nodes = new Node[256];
    int[] _taken = new int[64]; // what was taken, in this order, so that it can be given back
    int _count;
    int _textsUsed;

    /// <summary>One value, by its position in its text.</summary>
    [StructLayout(LayoutKind.Auto)]
    public struct Node
    {
        public byte[] Text;
        public int NameStart;
        public int NameEnd;
        public int Start;
        public int End;

        /// <summary>The index of the value after it and everything in it.</summary>
        public int Next;

        /// <summary>The index of the JSON value in its text; 0 until that is known, <see cref="None"/> when there is none.</summary>
        public int Inner;

        /// <summary>The index of the container of the value, or of the text that holds it; <see cref="None"/> for the record.</summary>
        public int Parent;
        public JsonTokenType Type;
        public bool NameIsEscaped;
        public bool IsEscaped;
        public Uses Uses;

        /// <summary>The value as JSON.</summary>
        public readonly ReadOnlySpan<byte> Json => Text.AsSpan(Start, End - Start);

        /// <summary>The name as written in JSON, without its quotes.</summary>
        public readonly ReadOnlySpan<byte> RawName => Text.AsSpan(NameStart, NameEnd - NameStart);
    }

    public ref readonly Node this[int index] => ref _nodes[index];

    /// <summary>Parses a copy of a record; false when it is not a JSON object.</summary>
    public bool TryParse(ReadOnlySpan<byte> record)
    {
        (_count, _textsUsed, Takes, IsTest) = (0, 0, 0, false);
        _misses.Clear();
        _repeated.Clear();
        if (!Utf8.IsValid(record)) return false;
        var text = TextOf(record.Length);
        record.CopyTo(text);
        _isIndexed = false;
        if (!TryAdd(text, record.Length, None) || _nodes[0].Type is not JsonTokenType.StartObject) return false;
        Index();
        return true;
    }

    /// <summary>The first value in an object or list; <see cref="None"/> for none.</summary>
    public int FirstOf(int container)
    {
        ref readonly var node = ref _nodes[container];
        return node.Type is JsonTokenType.StartObject or JsonTokenType.StartArray && container + 1 < node.Next ? container + 1 : None;
    }

    /// <summary>The next value in a container; <see cref="None"/> for none.</summary>
    public int After(int value, int container) => _nodes[value].Next is var next && next < _nodes[container].Next ? next : None;

    /// <summary>Whether what is read is only tested or hashed, and does not become part of the result.</summary>
    public bool IsTest { get; set; }

    /// <summary>The number of values so far that were needed in another shape.</summary>
    public int Misses => _misses.Count;

    /// <summary>Notes that a path leads through a value.</summary>
    public void Enter(int value)
    {
        if (!IsTest) Note(value, Uses.Entered);
    }

    /// <summary>The number of values taken so far.</summary>
    public int Takes { get; private set; }

    /// <summary>Notes that all of a value is read.</summary>
    public void Take(int value)
    {
        if (value < 0 || IsTest || Has(value, Uses.Taken)) return;
        Note(value, Uses.Taken);
        if (Takes == _taken.Length) Array.Resize(ref _taken, Takes * 2);
        _taken[Takes++] = value;
    }

    /// <summary>Gives back what was taken by a rule that then made nothing of it.</summary>
    /// <param name="from">The number of values taken before.</param>
    public void GiveBack(int from)
    {
        while (Takes > from) _nodes[_taken[--Takes]].Uses &= ~Uses.Taken;
    }

    /// <summary>Keeps what was taken by a rule for which it counts as missing.</summary>
    /// <param name="from">The number of values taken before.</param>
    public void Keep(int from) => Takes = Math.Min(Takes, from);

    /// <summary>The last value taken; <see cref="None"/> for none.</summary>
    /// <param name="from">The number of earlier values to disregard.</param>
    public int LastTaken(int from) => Takes > from ? _taken[Takes - 1] : None;

    /// <summary>Notes that a value was needed in another shape. Unless something else reads it, its content would be lost.</summary>
    public void Miss(int value, NeededShape needed)
    {
        if (value >= 0) _misses.Add((value, needed));
    }

    /// <summary>Notes that the content of a value would be lost, whatever else reads it.</summary>
    public void Lose(int value, NeededShape needed)
    {
        Note(value, Uses.Lost);
        Miss(value, needed);
    }

    /// <summary>Notes that a rule could not convert a value. Unless another rule reads it, the result lacks it.</summary>
    public void Fail(int value)
    {
        if (!IsTest) Miss(value, NeededShape.Converted);
    }

    /// <summary>Whether a text begins like an object or a list, but is none.</summary>
    public bool HoldsBrokenJson(int value) => ContainerOf(value, isNeeded: false) < 0 && _nodes[value].Inner == IsBroken;

    /// <summary>Forgets which values were needed in another shape.</summary>
    public void ForgetMisses()
    {
        IsTest = false;
        foreach (var (value, _) in _misses) _nodes[value].Uses &= ~(Uses.Lost | Uses.Counted);
        _misses.Clear();
    }

    /// <summary>
    /// Finds the first value whose content would be lost, preferably one that nothing can read, or whose members are ambiguous: others are the consequence.
    /// </summary>
    /// <param name="from">The number of earlier values to disregard that were needed in another shape.</param>
    /// <param name="value">The value.</param>
    /// <param name="needed">What it should have been.</param>
    public bool TryFindLost(int from, out int value, out NeededShape needed)
    {
        (value, needed) = (None, default);
        for (var i = from; i < _misses.Count; i++)
        {
            var (missed, shape) = _misses[i];
            if (shape is NeededShape.Converted || !IsLost(missed, shape)) continue;
            if (value < 0) (value, needed) = (missed, shape);
            if (!Has(missed, Uses.Lost) && shape is not NeededShape.Unique) continue;
            (value, needed) = (missed, shape);
            break;
        }

        return value >= 0;
    }

    /// <summary>Finds the first value that a rule could not convert.</summary>
    /// <param name="from">The number of earlier values to disregard that were needed in another shape.</param>
    /// <param name="value">The value.</param>
    public bool TryFindFailed(int from, out int value)
    {
        for (var i = from; i < _misses.Count; i++)
        {
            (value, var needed) = _misses[i];
            if (needed is NeededShape.Converted) return true;
        }

        value = None;
        return false;
    }

    /// <summary>The number of values that a rule could not convert, and that nothing else has read.</summary>
    /// <param name="first">The first of them.</param>
    public int CountUnconverted(out int first)
    {
        var count = 0;
        first = None;
        foreach (var (value, needed) in _misses)
        {
            if (needed is not NeededShape.Converted || Has(value, Uses.Counted | Uses.Lost) || !IsUntaken(value)) continue;
            Note(value, Uses.Counted);
            if (count++ == 0) first = value;
        }

        return count;
    }

    /// <summary>Whether a value contains something that has not been read, and that is not the same as another value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="other">The other value.</param>
    public bool HasUnread(int value, in Found other = default)
    {
        for (var (at, end) = (value, _nodes[value].Next); at < end; at++)
        {
            ref readonly var node = ref _nodes[at];
            if (Has(at, Uses.Taken))
            {
                at = node.Next - 1; // with all that it contains
                continue;
            }

            if (node.Type is JsonTokenType.StartObject or JsonTokenType.StartArray || IsNothing(at)) continue;
            if (node.Inner > 0 ? HasUnread(node.Inner, in other) : !JsonValues.AreSame(Found.Of(in node, at).Raw, other.Raw)) return true;
        }

        return false;
    }

    void Note(int value, Uses use) => _nodes[value].Uses |= use;

    bool Has(int value, Uses uses) => (_nodes[value].Uses & uses) != Uses.None;

    /// <summary>
    /// Whether a value was needed in another shape, and nothing has read it: neither as a whole, nor with what contains it, nor, unless its members are
    /// ambiguous, by entering it.
    /// </summary>
    bool IsLost(int value, NeededShape needed)
    {
        if (Has(value, Uses.Lost)) return true;
        return (needed is NeededShape.Unique || !Has(value, Uses.Entered)) && IsUntaken(value);
    }

    bool IsUntaken(int value)
    {
        for (; value >= 0; value = _nodes[value].Parent)
            if (Has(value, Uses.Taken)) return false;
        return true;
    }

    /// <summary>Whether a value is null, the text "null" or blank.</summary>
    public bool IsNothing(int value)
    {
        ref readonly var node = ref _nodes[value];
        if (node.Type is not JsonTokenType.String) return node.Type is JsonTokenType.Null;
        var text = node.Json[1..^1].Trim(" \t\r\n"u8);
        return text.IsEmpty || text.SequenceEqual("null"u8);
    }

    /// <summary>
    /// Whether a value counts as missing where a rule reads it: null, blank text, or an object or a list, also as text, that contains nothing else.
    /// </summary>
    public bool IsMissing(int value)
    {
        for (var (at, end) = (value, _nodes[value].Next); at < end; at++)
        {
            ref readonly var node = ref _nodes[at];
            if (node.Type is JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.Null) continue;
            if (node.Type is not JsonTokenType.String || !JsonValues.IsBlank(node.Json[1..^1])) return false;
        }

        return true;
    }

    /// <summary>Whether a value is nothing, or contains nothing else.</summary>
    public bool IsEmpty(int value)
    {
        for (var (at, end) = (value, _nodes[value].Next); at < end; at++)
            if (_nodes[at].Type is not (JsonTokenType.StartObject or JsonTokenType.StartArray) && !IsNothing(at)) return false;
        return true;
    }

    /// <summary>The object or list that a value is, or that its text holds; <see cref="None"/> for neither.</summary>
    /// <param name="value">The value.</param>
    /// <param name="isNeeded">Whether the content of invalid text would be lost.</param>
    public int ContainerOf(int value, bool isNeeded = true)
    {
        if (value < 0) return None;
        ref var node = ref _nodes[value];
        if (node.Type is JsonTokenType.StartObject or JsonTokenType.StartArray) return value;
        if (node.Type is not JsonTokenType.String) return None;
        var inner = node.Inner;
        if (inner == 0)
        {
            inner = Read(value);
            _nodes[value].Inner = inner;
        }

        if (isNeeded && inner == IsBroken) Miss(value, NeededShape.Object);
        if (isNeeded && inner >= 0 && RepeatedIn(inner) >= 0) Miss(value, NeededShape.Unique);
        return inner == IsBroken ? None : inner;
    }

    /// <summary>Notes that values in a container are read. If that is in a text, nothing of it may be lost, either.</summary>
    public void Open(int value, int container)
    {
        Enter(value);
        if (container != value && !IsTest && RepeatedIn(container) >= 0) Lose(value, NeededShape.Unique);
    }

    /// <summary>The member of an object with a name; <see cref="None"/> for none.</summary>
    public int Member(int container, ReadOnlySpan<byte> name)
    {
        if (container < 0 || _nodes[container].Type is not JsonTokenType.StartObject) return None;
        var nodes = _nodes;
        if (container == 0 && _isIndexed)
        {
            for (var slot = SlotOf(name); _slots[slot] is var member and > 0; slot = (slot + 1) % Slots)
                if (HasName(member, name)) return member;
            return None;
        }

        var end = nodes[container].Next;
        for (var at = container + 1; at < end; at = nodes[at].Next)
            if ((nodes[at].NameEnd - nodes[at].NameStart == name.Length || nodes[at].NameIsEscaped) && HasName(at, name)) return at;
        return None;
    }

    void Index()
    {
        _slots.AsSpan().Clear();
        var (members, repeated) = (0, _repeated.Count);
        for (var at = FirstOf(0); at >= 0; at = After(at, 0))
        {
            if (++members > MostIndexed)
            {
                _repeated.RemoveRange(repeated, _repeated.Count - repeated);
                FindRepeated(0);
                _repeated.Sort();
                return;
            }

            var name = NameOf(at);
            var slot = SlotOf(name);
            for (; _slots[slot] is var other and > 0; slot = (slot + 1) % Slots)
                if (HasName(other, name)) break;
            if (_slots[slot] == 0) _slots[slot] = at;
            else _repeated.Add(at);
        }

        if (_repeated.Count > repeated) _repeated.Sort();
        _isIndexed = true;
    }

    static int SlotOf(ReadOnlySpan<byte> name) =>
        name.IsEmpty ? 0 : ((name.Length * 31) + (name[0] * 7) + (name[^1] * 13) + (name[name.Length / 2] * 3)) % Slots;

    /// <summary>Whether a member has a given name.</summary>
    bool HasName(int member, ReadOnlySpan<byte> name) => NameOf(member).SequenceEqual(name);

    ReadOnlySpan<byte> NameOf(int member)
    {
        ref readonly var node = ref _nodes[member];
        return node.NameIsEscaped ? JsonValues.Unescaped(node.RawName) : node.RawName;
    }

    int Read(int value)
    {
        var node = _nodes[value];
        var quoted = node.Text.AsSpan(node.Start + 1, node.End - node.Start - 2);
        var first = quoted.IndexOfAnyExcept(" \t\r\n"u8);
        if (first < 0 || quoted[first] is not ((byte)'{' or (byte)'[' or (byte)'\\')) return None;
        var (count, used) = (_count, _textsUsed);
        var text = TextOf(quoted.Length);
        var length = node.IsEscaped ? JsonValues.Unescape(quoted, text) : Copy(quoted, text);
        if (TryAdd(text, length, value) && _nodes[count].Type is JsonTokenType.StartObject or JsonTokenType.StartArray) return count;
        (_count, _textsUsed) = (count, used);
        _repeated.RemoveAll(member => member >= count);
        return text.AsSpan(0, length).TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..] ? IsBroken : None;
    }

    static int Copy(ReadOnlySpan<byte> from, byte[] to)
    {
        from.CopyTo(to);
        return from.Length;
    }

    /// <param name="text">The JSON.</param>
    /// <param name="length">Its length.</param>
    /// <param name="holder">The text that holds it; <see cref="None"/> for the record.</param>
    bool TryAdd(byte[] text, int length, int holder)
    {
        var (first, repeated) = (_count, _repeated.Count);
        _open.Clear();
        try
        {
            var reader = new Utf8JsonReader(text.AsSpan(0, length), new JsonReaderOptions { MaxDepth = Deepest });
            var (nameStart, nameEnd, nameIsEscaped) = (0, 0, false);
            while (reader.Read())
            {
                var type = reader.TokenType;
                switch (type)
                {
                    case JsonTokenType.PropertyName:
                        nameStart = (int)reader.TokenStartIndex + 1;
                        (nameEnd, nameIsEscaped) = (nameStart + reader.ValueSpan.Length, reader.ValueIsEscaped);
                        ref var seen = ref _seen[_open.Count];
                        var bit = nameIsEscaped ? MayRepeat : 1UL << (SlotOf(reader.ValueSpan) & 63);
                        seen |= (seen & bit) != 0 ? MayRepeat : bit;
                        continue;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        ref var container = ref _nodes[_open[^1]];
                        (container.End, container.Next) = ((int)reader.BytesConsumed, _count);
                        if ((_seen[_open.Count] & MayRepeat) != 0 && _open[^1] > 0) FindRepeated(_open[^1]);
                        _open.RemoveAt(_open.Count - 1);
                        continue;
                }

                if (_count == _nodes.Length) Array.Resize(ref _nodes, _count * 2);
                var parent = _open.Count > 0 ? _open[^1] : holder;
                if (type is JsonTokenType.StartObject or JsonTokenType.StartArray)
                {
                    _open.Add(_count);
                    if (_open.Count == _seen.Length) Array.Resize(ref _seen, _seen.Length * 2);
                    _seen[_open.Count] = 0;
                }

                _nodes[_count++] = new Node
                {
                    Text = text,
                    NameStart = nameStart,
                    NameEnd = nameEnd,
                    NameIsEscaped = nameIsEscaped,
                    Start = (int)reader.TokenStartIndex,
                    End = (int)reader.BytesConsumed,
                    Next = _count,
                    Parent = parent,
                    Type = type,
                    IsEscaped = type is JsonTokenType.String && reader.ValueIsEscaped,
                };
                (nameStart, nameEnd, nameIsEscaped) = (0, 0, false);
            }

            if (_repeated.Count > repeated) _repeated.Sort(); // those of an object are found after those in it
            return _count > first;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Returns a separate buffer for this record, with a minimum length. The buffers of one record are reused for the next.</summary>
    byte[] TextOf(int length)
    {
        if (_textsUsed == _texts.Count) _texts.Add([]);
        if (_texts[_textsUsed].Length < length) _texts[_textsUsed] = new byte[Math.Max(length + (length / 2), 1024)];
        return _texts[_textsUsed++];
    }
}

using System.Buffers.Text;
using System.IO.Hashing;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text.Json;
using System.Text.Unicode;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Validate;

/// <summary>
/// Validates a record in one pass: whether it is one JSON object in valid UTF-8, without duplicate keys, unpaired surrogates and numbers
/// beyond the range of a double, and whether it follows the rules of its type. Decodes only what is needed, and changes nothing.
/// It is twice as fast as <see cref="Utf8JsonReader"/>, and tests compare its results with that reader's.
/// </summary>
sealed class JsonScanner
{
    // Below the 64 levels at which Utf8JsonReader fails: others should be able to read what is sent.
    const int DeepestJson = 60;

    public static readonly Rejection InvalidUtf8 = new("invalid_utf8", null, "the record is not valid UTF-8");
    static readonly Rejection LoneSurrogate = new("invalid_utf8", null, "a \\u escape is half of a surrogate pair");
    static readonly Rejection InvalidJson = new("invalid_json", null, "the record is not valid JSON");
    static readonly Rejection Marked = InvalidJson with { Message = $"{InvalidJson.Message}: a byte order mark precedes it, as in concatenated files" };
    static readonly Rejection NotAnObject = new("not_an_object", null, "the record is not a JSON object");
    static readonly Rejection DuplicateKey = new("duplicate_key", null, "an object has the same key twice");
    static readonly Rejection NumberRange = new("number_range", null, "a number is beyond the range of a double");
    static readonly Rejection TooDeepForReaders = new("too_deep", null, $"objects and lists are nested {DeepestJson} deep, more than the JSON reader supports");
    static readonly Rejection TooDeep = new("too_deep", null, "objects are nested more than 3 deep below the properties");
    static readonly Rejection TooManyKeys = new("too_many_keys", null, "an object has more keys than Mixpanel accepts");
    static readonly Rejection TooManyElements = new("too_many_elements", null, "an array has more elements than Mixpanel accepts");

    static readonly Rejection ContainerTooLarge = new("property_too_large", null, "a list or object in one property has more than 8192 bytes");

    struct Container
    {
        public bool IsObject;

        /// <summary>The index of its first key among those of all open objects.</summary>
        public int FirstKey;

        /// <summary>The number of its keys or elements so far.</summary>
        public int Count;

        /// <summary>A bitmap of the last six bits of each key's hash: it alone shows that most keys are new.</summary>
        public ulong Seen;
    }

    /// <summary>The kind of escapes in a string.</summary>
    enum Escapes
    {
        None,
        Some,

        /// <summary>One of them is an unpaired surrogate.</summary>
        Lone,
    }

    readonly Container[] _containers = new Container[DeepestJson + 1];
    ulong[] _keys = new ulong[64];
    int _keyCount;
    byte[] _unescaped = [];

    /// <summary>Checks a record; returns null when it is valid.</summary>
    public Rejection? Check(ReadOnlySpan<byte> record, IRecordRules rules) => Utf8.IsValid(record) ? Walk(record, rules) : InvalidUtf8;

    Rejection? Walk(ReadOnlySpan<byte> json, IRecordRules rules)
    {
        var at = PassSpace(json, 0);
        if (at == json.Length || json[at] != '{') return WhatElse(json);

        var limits = rules.Limits;
        var objects = 0; // open ones below the second level
        var level = 1; // of the current container
        var isFirst = true; // nothing was read in it yet
        var property = 0; // the position of the last list or object at the second level
        at++;
        _keyCount = 0;
        _containers[1] = new Container { IsObject = true };
        while (true)
        {
            ref var container = ref _containers[level];
            at = PassSpace(json, at);
            if (at == json.Length) return InvalidJson;

            if (json[at] == (container.IsObject ? '}' : ']'))
            {
                at++;
                if (level == 3 && at - property > limits?.ContainerBytes) return ContainerTooLarge;
                if (container.IsObject)
                {
                    _keyCount = container.FirstKey;
                    if (level > 2) objects--;
                }

                if (--level == 0) return PassSpace(json, at) == json.Length ? null : InvalidJson;
                isFirst = false;
                continue;
            }

            if (!isFirst)
            {
                if (json[at] != ',') return InvalidJson;
                at = PassSpace(json, at + 1);
                if (at == json.Length) return InvalidJson;
            }

            isFirst = false;
            int start;
            Escapes escapes;
            if (container.IsObject)
            {
                if (json[at] != '"') return InvalidJson;
                start = at;
                var end = EndOfString(json, at + 1, out escapes);
                if (end < 0) return InvalidJson;
                at = PassSpace(json, end + 1);
                if (at == json.Length || json[at] != ':') return InvalidJson;
                if (escapes is Escapes.Lone) return LoneSurrogate;
                var name = escapes is Escapes.None ? json[(start + 1)..end] : Unescape(json[start..(end + 1)]);
                if (!TakeKey(ref container, name)) return DuplicateKey;
                if (limits is not null && container.Count > (level == 2 ? limits.Properties : limits.Keys)) return TooManyKeys;
                if (level <= 2 && rules.Key(new JsonToken(JsonTokenType.PropertyName, name, start), level) is { } refusedKey) return refusedKey;
                at = PassSpace(json, at + 1);
                if (at == json.Length) return InvalidJson;
            }

            start = at;
            escapes = Escapes.None;
            var hasExponent = false;
            JsonTokenType type;
            switch (json[at])
            {
                case (byte)'"':
                    type = JsonTokenType.String;
                    at = EndOfString(json, at + 1, out escapes) + 1;
                    if (at == 0) return InvalidJson;
                    break;
                case (byte)'{' or (byte)'[':
                    type = json[at] == '{' ? JsonTokenType.StartObject : JsonTokenType.StartArray;
                    at++;
                    break;
                case (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                    type = JsonTokenType.Number;
                    at = EndOfNumber(json, at, out hasExponent);
                    if (at < 0) return InvalidJson;
                    break;
                default:
                    (type, var length) = Literal(json[at..]);
                    if (length == 0) return InvalidJson;
                    at += length;
                    break;
            }

            if (!container.IsObject)
            {
                if (++container.Count > (limits?.Elements ?? int.MaxValue)) return TooManyElements;
            }
            else if (level <= 2)
            {
                var text = type is JsonTokenType.String ? json[(start + 1)..(at - 1)] : json[start..at];
                if (rules.Value(new JsonToken(type, text, start, escapes is not Escapes.None), level) is { } refused) return refused;
            }

            switch (type)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    var isObject = type is JsonTokenType.StartObject;
                    if (isObject && level >= 2) objects++;
                    if (objects > (limits?.Depth ?? int.MaxValue)) return TooDeep;
                    if (level >= DeepestJson) return TooDeepForReaders;
                    if (level == 2) property = start;
                    _containers[++level] = new Container { IsObject = isObject, FirstKey = _keyCount };
                    isFirst = true;
                    break;
                case JsonTokenType.String when escapes is Escapes.Lone:
                    return LoneSurrogate;
                // The largest double is about 1.8e308: shorter text without an exponent cannot exceed it.
                case JsonTokenType.Number when (hasExponent || at - start >= 300) && !IsInRange(json[start..at]):
                    return NumberRange;
            }
        }
    }

    /// <summary>Classifies text that does not begin with an object.</summary>
    static Rejection WhatElse(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            return NotAnObject;
        }
        catch (JsonException)
        {
            return json.StartsWith("\uFEFF"u8) ? Marked : InvalidJson;
        }
    }

    /// <summary>
    /// Adds a key; false when the object already has it. Keys are compared by a 64-bit
    /// hash of their unescaped bytes: distinct keys collide once in about 10^19 pairs.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    bool TakeKey(ref Container container, ReadOnlySpan<byte> name)
    {
        var hash = XxHash3.HashToUInt64(name);
        var bit = 1UL << (int)(hash & 63);
        if ((container.Seen & bit) != 0 && _keys.AsSpan(container.FirstKey.._keyCount).Contains(hash)) return false;
        container.Seen |= bit;
        if (_keyCount == _keys.Length) Array.Resize(ref _keys, _keys.Length * 2);
        _keys[_keyCount++] = hash;
        container.Count++;
        return true;
    }

    ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> quoted)
    {
        if (_unescaped.Length < quoted.Length) _unescaped = new byte[quoted.Length];
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        return _unescaped.AsSpan(0, reader.CopyString(_unescaped));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int PassSpace(ReadOnlySpan<byte> json, int at) => (uint)at < (uint)json.Length && json[at] > ' ' ? at : PassSpaces(json, at);

    static int PassSpaces(ReadOnlySpan<byte> json, int at)
    {
        while ((uint)at < (uint)json.Length && json[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') at++;
        return at;
    }

    /// <summary>The position of the quote that ends a string; -1 when there is none, or the string contains what JSON does not allow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int EndOfString(ReadOnlySpan<byte> json, int at, out Escapes escapes)
    {
        // Most strings are short and have no escapes.
        if (at <= json.Length - Vector256<byte>.Count && Stops(json, at) is var stops and not 0 && at + BitOperations.TrailingZeroCount(stops) is var end
            && json[end] == '"')
        {
            escapes = Escapes.None;
            return end;
        }

        return EndOfLongString(json, at, out escapes);
    }

    static int EndOfLongString(ReadOnlySpan<byte> json, int at, out Escapes escapes)
    {
        escapes = Escapes.None;
        var lowHalfAt = -1; // the expected position of the other half of a surrogate pair
        while (true)
        {
            at = NextStop(json, at);
            if (at == json.Length) return -1;
            if (json[at] == '"')
            {
                if (lowHalfAt >= 0) escapes = Escapes.Lone;
                return at;
            }

            if (json[at] != '\\' || at + 1 == json.Length) return -1;
            if (escapes is Escapes.None) escapes = Escapes.Some;
            switch (json[at + 1])
            {
                case (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t':
                    at += 2;
                    break;
                case (byte)'u' when json.Length - at >= 6 && TryParseUnit(json.Slice(at + 2, 4), out var unit):
                    if (char.IsLowSurrogate(unit))
                    {
                        if (at != lowHalfAt) escapes = Escapes.Lone;
                        lowHalfAt = -1;
                    }
                    else if (char.IsHighSurrogate(unit))
                    {
                        if (lowHalfAt >= 0) escapes = Escapes.Lone;
                        lowHalfAt = at + 6;
                    }

                    at += 6;
                    break;
                default:
                    return -1;
            }
        }
    }

    static bool TryParseUnit(ReadOnlySpan<byte> digits, out char unit)
    {
        var parsed = Utf8Parser.TryParse(digits, out ushort value, out var used, 'x');
        unit = (char)value;
        return parsed && used == digits.Length;
    }

    /// <summary>The position of the next quote, backslash or control character; the length of the text when there is none.</summary>
    static int NextStop(ReadOnlySpan<byte> json, int at)
    {
        for (; at <= json.Length - Vector256<byte>.Count; at += Vector256<byte>.Count)
            if (Stops(json, at) is var stops and not 0) return at + BitOperations.TrailingZeroCount(stops);

        // The last block overlaps the previous one.
        var last = json.Length - Vector256<byte>.Count;
        if (last >= 0 && at < json.Length)
            return Stops(json, last) >> (at - last) is var stops and not 0 ? at + BitOperations.TrailingZeroCount(stops) : json.Length;

        while (at < json.Length && json[at] is not ((byte)'"' or (byte)'\\' or < (byte)' ')) at++;
        return at;
    }

    /// <summary>A bitmap of 32 bytes, with a bit set for each quote, backslash or control character.</summary>
    static uint Stops(ReadOnlySpan<byte> json, int at)
    {
        var block = Vector256.Create(json.Slice(at, Vector256<byte>.Count));
        var isControl = Vector256.Equals(Vector256.Min(block, Vector256.Create((byte)0x1f)), block);
        return (isControl | Vector256.Equals(block, Vector256.Create((byte)'"'))
            | Vector256.Equals(block, Vector256.Create((byte)'\\'))).ExtractMostSignificantBits();
    }

    /// <summary>The position after a number; -1 when it is not one.</summary>
    static int EndOfNumber(ReadOnlySpan<byte> json, int at, out bool hasExponent)
    {
        hasExponent = false;
        if (json[at] == '-') at++;
        var digits = at;
        at = PassDigits(json, at);
        if (at == digits || (json[digits] == '0' && at > digits + 1)) return -1;
        if (at < json.Length && json[at] == '.')
        {
            digits = at + 1;
            at = PassDigits(json, digits);
            if (at == digits) return -1;
        }

        if (at < json.Length && json[at] is (byte)'e' or (byte)'E')
        {
            hasExponent = true;
            digits = at + 1;
            if (digits < json.Length && json[digits] is (byte)'+' or (byte)'-') digits++;
            at = PassDigits(json, digits);
            if (at == digits) return -1;
        }

        // As in Utf8JsonReader, which knows comments: a slash ends the number, and is rejected afterwards.
        return at < json.Length && json[at] is (byte)',' or (byte)'}' or (byte)']' or (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t' or (byte)'/'
            ? at
            : -1;
    }

    static int PassDigits(ReadOnlySpan<byte> json, int at)
    {
        while ((uint)at < (uint)json.Length && (uint)(json[at] - '0') <= 9) at++;
        return at;
    }

    static (JsonTokenType Type, int Length) Literal(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("true"u8)) return (JsonTokenType.True, 4);
        if (text.StartsWith("false"u8)) return (JsonTokenType.False, 5);
        return text.StartsWith("null"u8) ? (JsonTokenType.Null, 4) : default;
    }

    static bool IsInRange(ReadOnlySpan<byte> number) =>
        Utf8Parser.TryParse(number, out double value, out var used) && used == number.Length && double.IsFinite(value);
}

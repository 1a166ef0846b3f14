using System.Buffers.Text;
using System.Globalization;
using System.IO.Hashing;
using System.Text.Json;
using System.Text.Unicode;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Validate;

namespace MixpanelConnector.Tests.Import;

/// <summary>The check of a record with <see cref="Utf8JsonReader"/>: the reference for <see cref="JsonScanner"/>.</summary>
sealed class ReaderWalk
{
    // Below the 64 levels at which Utf8JsonReader fails, so that a record that is too deep has its own reason.
    const int DeepestJson = 60;

    static readonly Rejection InvalidUtf8 = new("invalid_utf8", null, "the record is not valid UTF-8");
    static readonly Rejection LoneSurrogate = new("invalid_utf8", null, "a \\u escape is half of a surrogate pair");
    static readonly Rejection InvalidJson = new("invalid_json", null, "the record is not valid JSON");
    static readonly Rejection NotAnObject = new("not_an_object", null, "the record is not a JSON object");
    static readonly Rejection DuplicateKey = new("duplicate_key", null, "an object has the same key twice");
    static readonly Rejection NumberRange = new("number_range", null, "a number is beyond the range of a double");
    static readonly Rejection TooDeep = new("too_deep", null, "objects are nested more than 3 deep below the properties");
    static readonly Rejection TooDeepForReaders = new("too_deep", null, "objects and lists are nested 60 deep, more than the JSON reader supports");
    static readonly Rejection TooManyKeys = new("too_many_keys", null, "an object has more keys than Mixpanel accepts");
    static readonly Rejection TooManyElements = new("too_many_elements", null, "an array has more elements than Mixpanel accepts");

    readonly struct Container(bool isObject, int firstKey)
    {
        public bool IsObject { get; } = isObject;
        public int FirstKey { get; } = firstKey;
    }

    readonly Container[] _containers = new Container[DeepestJson + 2];
    readonly int[] _counts = new int[DeepestJson + 2];
    ulong[] _keys = new ulong[64];
    int _keyCount;
    byte[] _unescaped = [];

    /// <summary>Null if the record is valid.</summary>
    public Rejection? Check(ReadOnlySpan<byte> record, IRecordRules rules)
    {
        if (!Utf8.IsValid(record)) return InvalidUtf8;
        try
        {
            var reader = new Utf8JsonReader(record);
            return Walk(ref reader, rules);
        }
        catch (JsonException)
        {
            return record.StartsWith("\uFEFF"u8)
                ? InvalidJson with { Message = $"{InvalidJson.Message}: a byte order mark precedes it, as in concatenated files" }
                : InvalidJson;
        }
    }

    Rejection? Walk(ref Utf8JsonReader reader, IRecordRules rules)
    {
        _keyCount = 0;
        var objects = 0; // open ones below the second level
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartObject) return NotAnObject;
        Open(1, isObject: true);
        while (reader.Read())
        {
            var level = reader.CurrentDepth; // of the container that holds this key or value
            Rejection? rejection;
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    if (NewKey(ref reader, level) is { } badKey) return badKey;
                    if (rules.Limits is { } limits && _counts[level] > (level == 2 ? limits.Properties : limits.Keys)) return TooManyKeys;
                    if (level <= 2
                        && rules.Key(new JsonToken(JsonTokenType.PropertyName, Name(ref reader), (int)reader.TokenStartIndex), level) is { } refusedKey)
                        return refusedKey;
                    continue;
                case JsonTokenType.EndObject:
                    if (level >= 2) objects--;
                    _keyCount = _containers[level + 1].FirstKey;
                    continue;
                case JsonTokenType.EndArray:
                    continue;
            }

            if (!_containers[level].IsObject && ++_counts[level] > (rules.Limits?.Elements ?? int.MaxValue)) return TooManyElements;
            if (level <= 2 && _containers[level].IsObject
                && (rejection = rules.Value(new JsonToken(reader.TokenType, reader.ValueSpan, (int)reader.TokenStartIndex, reader.ValueIsEscaped),
                    level)) is not null)
                return rejection;
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    var isObject = reader.TokenType is JsonTokenType.StartObject;
                    if (isObject && level >= 2) objects++;
                    if (objects > (rules.Limits?.Depth ?? int.MaxValue)) return TooDeep;
                    if (level >= DeepestJson) return TooDeepForReaders;
                    Open(level + 1, isObject);
                    break;
                case JsonTokenType.String when reader.ValueIsEscaped && HasLoneSurrogate(reader.ValueSpan):
                    return LoneSurrogate;
                case JsonTokenType.Number when !IsInRange(reader.ValueSpan):
                    return NumberRange;
            }
        }

        return null;
    }

    void Open(int level, bool isObject)
    {
        _containers[level] = new Container(isObject, _keyCount);
        _counts[level] = 0;
    }

    /// <summary>Keys are compared by a 64-bit hash of their unescaped bytes: different keys collide about once in 10^19 pairs.</summary>
    Rejection? NewKey(ref Utf8JsonReader reader, int level)
    {
        if (reader.ValueIsEscaped && HasLoneSurrogate(reader.ValueSpan)) return LoneSurrogate;
        var name = Name(ref reader);
        var hash = XxHash3.HashToUInt64(name);
        if (_keys.AsSpan(_containers[level].FirstKey.._keyCount).Contains(hash)) return DuplicateKey;
        if (_keyCount == _keys.Length) Array.Resize(ref _keys, _keys.Length * 2);
        _keys[_keyCount++] = hash;
        _counts[level]++;
        return null;
    }

    byte[] Name(ref Utf8JsonReader reader)
    {
        if (_unescaped.Length < reader.ValueSpan.Length) _unescaped = new byte[reader.ValueSpan.Length];
        return _unescaped[..reader.CopyString(_unescaped)];
    }

    static bool HasLoneSurrogate(ReadOnlySpan<byte> escaped)
    {
        for (var i = 0; i < escaped.Length; i++)
        {
            if (escaped[i] != '\\') continue;
            if (escaped[++i] != 'u') continue;
            var unit = Unit(escaped, i);
            i += 4;
            if (char.IsLowSurrogate(unit)) return true;
            if (!char.IsHighSurrogate(unit)) continue;
            if (i + 6 >= escaped.Length || escaped[i + 1] != '\\' || escaped[i + 2] != 'u' || !char.IsLowSurrogate(Unit(escaped, i + 2))) return true;
            i += 6;
        }

        return false;
    }

    static char Unit(ReadOnlySpan<byte> escaped, int u) =>
        (char)ushort.Parse(escaped.Slice(u + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    // A double reaches 1.8e308: shorter text without an exponent cannot exceed it.
    static bool IsInRange(ReadOnlySpan<byte> number) =>
        (number.Length < 300 && number.IndexOfAny((byte)'e', (byte)'E') < 0)
        || (Utf8Parser.TryParse(number, out double value, out var used) && used == number.Length && double.IsFinite(value));
}

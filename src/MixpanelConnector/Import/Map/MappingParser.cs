using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Import.Map;

/// <summary>Parses a mapping from its JSON, reporting the location of errors.</summary>
/// <param name="name">The mapping's name, which is part of hashes and prefixes.</param>
/// <param name="groupKey">The replacement of <c>{group_key}</c>; null for none.</param>
/// <param name="lookups">The names of its lookups in other files.</param>
sealed class MappingParser(string name, string? groupKey, IReadOnlySet<string> lookups)
{
    const string GroupKey = "{group_key}";

    IReadOnlyList<byte[]> _none = [];
    bool _isId; // whether an id is being parsed: then a value that identifies nobody is absent
    bool _hasMembers; // whether a path so far leads to a member of the value that is mapped
    bool _hasKeys; // or to its name

    static readonly string[] Sources = ["path", "value", "first", "text", "clock", "hex64", "hash"];

    static readonly string[] OfValues = [.. Sources, "when", "none", "table", "else", "split", "lookup", "as", "unit"];

    static readonly Dictionary<string, MappedForm> Forms =
        Enum.GetValues<MappedForm>().ToDictionary(form => JsonNamingPolicy.SnakeCaseLower.ConvertName(form.ToString()), StringComparer.Ordinal);

    static readonly Dictionary<string, TimeUnit> Units = new(StringComparer.Ordinal)
    {
        ["s"] = TimeUnit.Seconds,
        ["ms"] = TimeUnit.Milliseconds,
        ["us"] = TimeUnit.Microseconds,
    };

    /// <summary>The top-level members of a mapping.</summary>
    public static readonly string[] OfMappings = ["$schema", "name", "documentation", "ignore", "rows", "tables", "lookups", "events", "profiles", "groups"];

    public EventSection Events(JsonElement json, string at)
    {
        Ensure(json, at, "each", "none", "leave_out", "event", "time", "insert_id", "user_id", "device_id", "properties", "spread");
        TakeNone(json, at);
        var each = Optional(json, "each", at);
        (_hasMembers, _hasKeys) = (false, false);
        var (time, unit) = Time(Needed(json, "time", at), $"{at}.time");
        return new EventSection
        {
            Each = each,
            LeaveOut = Exclusions(json, at),
            Event = Value(Needed(json, "event", at), $"{at}.event"),
            Time = time,
            TimeUnit = unit,
            InsertId = json.TryGetProperty("insert_id", out var ids) ? [.. OneOrMany(ids).Select((id, i) => InsertId(id, $"{at}.insert_id[{i}]"))] : [],
            UserId = Id(json, "user_id", at),
            DeviceId = Id(json, "device_id", at),
            Properties = Properties(json, "properties", at),
            Spread = Spreads(json, "spread", at),
            EachHasMembers = _hasMembers,
            EachHasKeys = _hasKeys,
        };
    }

    public UpdateSection Updates(JsonElement json, string at)
    {
        Ensure(json, at, "each", "none", "leave_out", "id", "device_id", "time", "set", "set_once", "unset");
        TakeNone(json, at);
        var each = Optional(json, "each", at);
        (_hasMembers, _hasKeys) = (false, false);
        var (time, unit) = json.TryGetProperty("time", out var when) ? Time(when, $"{at}.time") : default;
        var operations = new List<UpdateOperation>();
        foreach (var operation in (string[])["set", "set_once"])
        {
            if (!json.TryGetProperty(operation, out var section)) continue;
            Ensure(section, $"{at}.{operation}", "properties", "spread");
            operations.Add(new(Encoding.UTF8.GetBytes($"${operation}"), Properties(section, "properties", $"{at}.{operation}"),
                Spreads(section, "spread", $"{at}.{operation}")));
        }

        if (operations.Count == 0) throw Wrong(at, "needs set or set_once");
        return new UpdateSection
        {
            Each = each,
            LeaveOut = Exclusions(json, at),
            Id = Id(Needed(json, "id", at), $"{at}.id"),
            DeviceId = Id(json, "device_id", at),
            Time = time,
            TimeUnit = unit,
            Operations = operations,
            Unset = Optional(json, "unset", at),
            EachHasMembers = _hasMembers,
            EachHasKeys = _hasKeys,
        };
    }

    public static MappingRows Rows(JsonElement json, string at)
    {
        Ensure(json, at, "delimiter", "quote", "escape", "columns", "columns_from", "encoding", "types", "text_columns");
        var encoding = json.TryGetProperty("encoding", out var label) ? Text(label, $"{at}.encoding") : null;
        if (encoding is not null && Import.Source.TextEncoding.Find(encoding) is null)
            throw Wrong($"{at}.encoding", "is not an encoding of the WHATWG Encoding Standard");
        var columns = json.TryGetProperty("columns", out var names) ? Texts(names, $"{at}.columns") : [];
        return new(Character(json, "delimiter", at), json.TryGetProperty("quote", out _) ? Character(json, "quote", at) : '"', Character(json, "escape", at),
            columns, json.TryGetProperty("columns_from", out var from) ? Text(from, $"{at}.columns_from") : null, encoding,
            json.TryGetProperty("types", out var types) && Text(types, $"{at}.types") switch
            {
                "text" => true,
                "shown" => false,
                _ => throw Wrong($"{at}.types", "must be text or shown"),
            }, json.TryGetProperty("text_columns", out var texts) ? Texts(texts, $"{at}.text_columns").ToHashSet(StringComparer.Ordinal) : []);
    }

    public static MappingTables Tables(JsonElement json, string at)
    {
        Ensure(json, at, "manifests", "folders");
        return new(json.TryGetProperty("manifests", out var manifests) ? Texts(manifests, $"{at}.manifests") : [],
            json.TryGetProperty("folders", out var folders) ? Texts(folders, $"{at}.folders") : []);
    }

    public static Dictionary<string, LookupRule> Lookups(string name, JsonElement json, string at)
    {
        if (json.ValueKind is not JsonValueKind.Object) throw Wrong(at, "must be an object");
        var parser = new MappingParser(name, groupKey: null, FrozenSet<string>.Empty);
        return json.EnumerateObject().ToDictionary(member => member.Name,
            member => parser.Lookup(member.Value, $"{at}.{Columns.RecordFields.Shown(member.Name)}"), StringComparer.Ordinal);
    }

    LookupRule Lookup(JsonElement json, string at)
    {
        Ensure(json, at, "file", "key", "value", "columns", "records", "follow");
        return new LookupRule(
            Text(Needed(json, "file", at), $"{at}.file"),
            Value(Needed(json, "key", at), $"{at}.key"),
            Value(Needed(json, "value", at), $"{at}.value"),
            json.TryGetProperty("columns", out var columns) ? Texts(columns, $"{at}.columns") : [],
            json.TryGetProperty("follow", out var follow) ? Lookup(follow, $"{at}.follow") : null)
        {
            HoldsNoRecords = !Boolean(json, "records", at, otherwise: true),
        };
    }

    public static MixpanelException Wrong(string at, string what) => MixpanelException.Invalid("mapping", $"The mapping is wrong: {at} {what}.");

    /// <summary>Rejects anything but an object, and unknown members.</summary>
    public static void Ensure(JsonElement json, string at, params ReadOnlySpan<string> known)
    {
        if (json.ValueKind is not JsonValueKind.Object) throw Wrong(at, "must be an object");
        foreach (var member in json.EnumerateObject())
            if (known.IndexOf(member.Name) < 0)
                throw Wrong(at, $"has the member {Columns.RecordFields.Shown(member.Name)}, which is not one of {string.Join(", ", known.ToArray())}");
    }

    public static string Text(JsonElement json, string at) => json.ValueKind is JsonValueKind.String ? json.GetString()! : throw Wrong(at, "must be text");

    static JsonElement Needed(JsonElement json, string member, string at) =>
        json.TryGetProperty(member, out var value) ? value : throw Wrong(at, $"lacks {member}");

    MappingValue? Optional(JsonElement json, string member, string at) => json.TryGetProperty(member, out var value) ? Value(value, $"{at}.{member}") : null;

    MappingValue? Id(JsonElement json, string member, string at) => json.TryGetProperty(member, out var value) ? Id(value, $"{at}.{member}") : null;

    MappingValue Id(JsonElement json, string at)
    {
        _isId = true;
        try
        {
            return Value(json, at);
        }
        finally
        {
            _isId = false;
        }
    }

    List<Exclusion> Exclusions(JsonElement json, string at)
    {
        if (!json.TryGetProperty("leave_out", out var list)) return [];
        at = $"{at}.leave_out";
        return [.. Items(list, at).Select((item, i) =>
        {
            Ensure(item, $"{at}[{i}]", "when", "reason", "refuse", "field", "looked_up");
            var when = Condition(Needed(item, "when", $"{at}[{i}]"), $"{at}[{i}].when");
            if (item.TryGetProperty("refuse", out var refused) && item.TryGetProperty("reason", out _))
                throw Wrong($"{at}[{i}]", "must have a reason or refuse, not both");
            var isLookedUp = Boolean(item, "looked_up", $"{at}[{i}]", otherwise: false);
            if (item.TryGetProperty("looked_up", out _) && refused.ValueKind is not JsonValueKind.Undefined)
                throw Wrong($"{at}[{i}]", "must have looked_up or refuse, not both");
            if (refused.ValueKind is not JsonValueKind.Undefined)
                return new Exclusion(when, Text(refused, $"{at}[{i}].refuse"), Refuses: true)
                {
                    Field = item.TryGetProperty("field", out var field) ? Text(field, $"{at}[{i}].field") : null,
                };
            if (item.TryGetProperty("field", out _)) throw Wrong($"{at}[{i}].field", "is for refuse only");
            var reason = Text(Needed(item, "reason", $"{at}[{i}]"), $"{at}[{i}].reason");
            if (reason.Length is 0 or > 64 || reason.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '_'))
                throw Wrong($"{at}[{i}].reason", "must be letters, digits and _");
            return new Exclusion(when, reason, Refuses: false) { IsLookedUp = isLookedUp };
        })];
    }

    void TakeNone(JsonElement json, string at) =>
        _none = json.TryGetProperty("none", out var none) ? [.. Scalars(none, $"{at}.none").Select(Encoding.UTF8.GetBytes)] : [];

    List<MappedProperty> Properties(JsonElement json, string member, string at)
    {
        if (!json.TryGetProperty(member, out var rules)) return [];
        at = $"{at}.{member}";
        if (rules.ValueKind is not JsonValueKind.Object) throw Wrong(at, "must be an object");
        var properties = new List<MappedProperty>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var rule in rules.EnumerateObject())
        {
            var value = Value(rule.Value, $"{at}.{Columns.RecordFields.Shown(rule.Name)}");
            if (Filled(rule.Name) is not { } filled) continue; // for a group key that was not specified
            if (filled is "time" or "distinct_id" or "$insert_id" or "$user_id" or "$device_id" or "token" or "$ignore")
                throw Wrong($"{at}.{filled}", "is not a property that can be set here");
            if (!names.Add(filled)) throw Wrong($"{at}.{Columns.RecordFields.Shown(filled)}", "is set twice");
            properties.Add(new(NameOf(filled), value));
        }

        return properties;
    }

    List<Spread> Spreads(JsonElement json, string member, string at)
    {
        if (!json.TryGetProperty(member, out var list)) return [];
        return [.. OneOrMany(list).Select((item, i) => Spread(item, $"{at}.{member}[{i}]"))];
    }

    Spread Spread(JsonElement json, string at)
    {
        if (json.ValueKind is JsonValueKind.String) return new Spread(Value(json, at)) { Names = [], Drop = [] };
        Ensure(json, at, "from", "key", "value", "required", "time", "names", "keep", "drop", "used", "group");
        var names = new Dictionary<ulong, byte[]>();
        if (json.TryGetProperty("names", out var renamed))
        {
            if (renamed.ValueKind is not JsonValueKind.Object) throw Wrong($"{at}.names", "must be an object");
            foreach (var pair in renamed.EnumerateObject())
                names[RecordMapper.HashOf(Encoding.UTF8.GetBytes(pair.Name))] = NameOf(Text(pair.Value, $"{at}.names.{Columns.RecordFields.Shown(pair.Name)}"));
        }

        var drop = json.TryGetProperty("drop", out var dropped) ? Texts(dropped, $"{at}.drop") : [];
        var from = Value(Needed(json, "from", at), $"{at}.from");
        var had = (_hasMembers, _hasKeys);
        var (key, value, time) = (Optional(json, "key", at), Optional(json, "value", at), Optional(json, "time", at)); // of an entry
        (_hasMembers, _hasKeys) = had;
        var needsValues = Boolean(json, "required", at, otherwise: false);
        if (json.TryGetProperty("required", out _) && value is null) throw Wrong($"{at}.required", "is for a spread with a value");
        return new Spread(from)
        {
            Key = key,
            Value = value,
            NeedsValues = needsValues,
            Time = time,
            Names = names,
            Groups = Boolean(json, "group", at, otherwise: false),
            Keep = json.TryGetProperty("keep", out var kept) ? [.. Texts(kept, $"{at}.keep").Select(text => Encoding.UTF8.GetBytes(text))] : [],
            Used = json.TryGetProperty("used", out var used)
                ? Texts(used, $"{at}.used").Select(name => RecordMapper.HashOf(Encoding.UTF8.GetBytes(name))).ToFrozenSet()
                : FrozenSet<ulong>.Empty,
            Drop =
            [
                .. drop.Where(text => !text.EndsWith('*')).Select(Filled).OfType<string>().Select(name => RecordMapper.HashOf(Encoding.UTF8.GetBytes(name))),
            ],
            DropPrefixes = [.. drop.Where(text => text.EndsWith('*')).Select(text => Encoding.UTF8.GetBytes(text[..^1]))],
        };
    }

    InsertIdForm InsertId(JsonElement json, string at)
    {
        if (json.ValueKind is not JsonValueKind.Object || !json.TryGetProperty("hash", out var parts)) return new(Value(json, at), [], Counted: false);
        Ensure(json, at, "hash", "counted");
        var values = Items(parts, $"{at}.hash").Select((part, i) => Value(part, $"{at}.hash[{i}]")).ToList();
        if (values.Count == 0) throw Wrong($"{at}.hash", "must not be empty");
        return new(null, values, Boolean(json, "counted", at, otherwise: false));
    }

    (MappingValue Value, TimeUnit Unit) Time(JsonElement json, string at) =>
        (Value(json, at), json.ValueKind is JsonValueKind.Object && !json.TryGetProperty("as", out _) ? Unit(json, at) : TimeUnit.ByDigits);

    static bool Boolean(JsonElement json, string member, string at, bool otherwise) =>
        !json.TryGetProperty(member, out var value)
            ? otherwise
            : value.ValueKind is JsonValueKind.True
                || (value.ValueKind is JsonValueKind.False ? false : throw Wrong($"{at}.{member}", "must be true or false"));

    static TimeUnit Unit(JsonElement json, string at) =>
        !json.TryGetProperty("unit", out var unit) ? TimeUnit.ByDigits
            : Units.TryGetValue(Text(unit, $"{at}.unit"), out var known) ? known
            : throw Wrong($"{at}.unit", $"must be one of {string.Join(", ", Units.Keys)}");

    MappingValue Value(JsonElement json, string at)
    {
        if (json.ValueKind is JsonValueKind.String) return Path(json.GetString()!, at);
        Ensure(json, at, OfValues);
        var sources = Sources.Where(source => json.TryGetProperty(source, out _)).ToList();
        if (sources is not [var source]) throw Wrong(at, $"needs exactly one of {string.Join(", ", Sources)}");
        var value = Source(source, json.GetProperty(source), $"{at}.{source}");
        if (json.TryGetProperty("split", out var split)) value = Part(value, split, $"{at}.split");
        if (json.TryGetProperty("when", out var when) || json.TryGetProperty("none", out _))
            value = new GuardedValue(value, when.ValueKind is JsonValueKind.Undefined ? null : Condition(when, $"{at}.when"),
                json.TryGetProperty("none", out var none) ? [.. Scalars(none, $"{at}.none").Select(Encoding.UTF8.GetBytes)] : []);
        if (json.TryGetProperty("lookup", out var lookup))
            value = lookups.Contains(Text(lookup, $"{at}.lookup"))
                ? new LookedUpValue(value, lookup.GetString()!)
                : throw Wrong($"{at}.lookup", "is not one of the mapping's lookups");
        if (json.TryGetProperty("table", out var table)) value = Table(value, table, json, at);
        else if (json.TryGetProperty("else", out _)) throw Wrong($"{at}.else", "is for tables only");
        var unit = Unit(json, at);
        if (json.TryGetProperty("as", out var form))
            value = new FormedValue(value,
                Forms.TryGetValue(Text(form, $"{at}.as"), out var known) ? known : throw Wrong($"{at}.as", $"must be one of {string.Join(", ", Forms.Keys)}"),
                unit);
        return value;
    }

    MappingValue Source(string source, JsonElement json, string at)
    {
        switch (source)
        {
            case "path":
                return Path(Text(json, at), at);
            case "value":
                return new ConstantValue(json.ValueKind is JsonValueKind.String && Filled(json.GetString()!) is { } filled
                    ? JsonSerializer.SerializeToElement(filled, MappingJson.Default.String)
                    : json);
            case "first":
                var values = Items(json, at).Select((item, i) => Value(item, $"{at}[{i}]")).ToList();
                return values.Count > 0 ? new FirstValue(values) : throw Wrong(at, "must not be empty");
            case "text":
                return Template(Text(json, at), at);
            case "clock":
                Ensure(json, at, "original", "sent", "received");
                return new ClockValue(Value(Needed(json, "original", at), $"{at}.original"), Value(Needed(json, "sent", at), $"{at}.sent"),
                    Value(Needed(json, "received", at), $"{at}.received"));
            case "hash":
                var hashed = Items(json, at).Select((item, i) => Value(item, $"{at}[{i}]")).ToList();
                return hashed.Count > 0 ? new HashValue(Encoding.UTF8.GetBytes(name), hashed) : throw Wrong(at, "must not be empty");
            default:
                var halves = Items(json, at).Select((item, i) => Value(item, $"{at}[{i}]")).ToList();
                return halves is [var high, var low] ? new HexValue(high, low) : throw Wrong(at, "must have two values: the upper and the lower half");
        }
    }

    MappingValue Path(string text, string at)
    {
        if (text.Contains(GroupKey, StringComparison.Ordinal))
        {
            if (groupKey is null) return AbsentValue.Instance;
            text = text.Replace($".{GroupKey}", $"[\"{groupKey}\"]", StringComparison.Ordinal).Replace(GroupKey, $"[\"{groupKey}\"]", StringComparison.Ordinal);
        }

        try
        {
            var path = MappingPath.Parse(text);
            _hasMembers |= path.IsOfMember;
            _hasKeys |= path.IsKey;
            var value = new PathValue(path, _none);
            return _isId ? new IdValue(value) : value;
        }
        catch (FormatException e)
        {
            throw Wrong(at, $"is not a path: {e.Message}");
        }
    }

    TextValue Template(string text, string at)
    {
        var parts = new List<(byte[] Text, MappingValue? Value)>();
        var rest = text;
        while (rest.Length > 0)
        {
            var open = rest.IndexOf('{', StringComparison.Ordinal);
            if (open != 0) parts.Add((Encoding.UTF8.GetBytes(open < 0 ? rest : rest[..open]), null));
            if (open < 0) break;
            var close = rest.IndexOf('}', open);
            if (close < 0) throw Wrong(at, "has a brace that is not closed");
            parts.Add(([], Path(rest[(open + 1)..close], at)));
            rest = rest[(close + 1)..];
        }

        return new TextValue(parts);
    }

    static PartValue Part(MappingValue value, JsonElement json, string at)
    {
        Ensure(json, at, "at", "take", "trim");
        var separator = Text(Needed(json, "at", at), $"{at}.at");
        if (separator.Length == 0) throw Wrong($"{at}.at", "must not be empty");
        var take = json.TryGetProperty("take", out var number)
            ? number.ValueKind is JsonValueKind.Number && number.TryGetDouble(out var index) && index is >= 0 and < 1000 && double.IsInteger(index)
                ? (int)index
                : throw Wrong($"{at}.take", "must be a whole number from 0 to 999")
            : 0;
        return new(value, separator is "version" or "entity" ? null : Encoding.UTF8.GetBytes(separator), take,
            json.TryGetProperty("trim", out var trim) ? Encoding.UTF8.GetBytes(Text(trim, $"{at}.trim")) : " "u8.ToArray())
        {
            IsEntity = separator == "entity",
        };
    }

    TableValue Table(MappingValue value, JsonElement table, JsonElement json, string at)
    {
        if (table.ValueKind is not JsonValueKind.Object) throw Wrong($"{at}.table", "must be an object");
        var meanings = new Dictionary<string, MappingValue>(StringComparer.Ordinal);
        foreach (var pair in table.EnumerateObject())
            meanings[pair.Name] = pair.Value.ValueKind switch
            {
                JsonValueKind.Object => Value(pair.Value, $"{at}.table.{Columns.RecordFields.Shown(pair.Name)}"),
                JsonValueKind.Array =>
                    throw Wrong($"{at}.table.{Columns.RecordFields.Shown(pair.Name)}", "must be text, a number, true, false, null or a value"),
                _ => new ConstantValue(pair.Value),
            };
        return new(value, meanings, json.TryGetProperty("else", out var otherwise) ? Value(otherwise, $"{at}.else") : null);
    }

    MappingCondition Condition(JsonElement json, string at)
    {
        var isId = _isId;
        _isId = false;
        try
        {
            return AnyCondition(json, at);
        }
        finally
        {
            _isId = isId;
        }
    }

    MappingCondition AnyCondition(JsonElement json, string at)
    {
        if (json.ValueKind is not JsonValueKind.Object) throw Wrong(at, "must be an object");
        if (json.TryGetProperty("all", out var all)) return new AllHold(Conditions(json, "all", all, at));
        if (json.TryGetProperty("any", out var any)) return new AnyHolds(Conditions(json, "any", any, at));
        if (json.TryGetProperty("not", out var not))
        {
            Ensure(json, at, "not");
            return new DoesNotHold(Condition(not, $"{at}.not"));
        }

        Ensure(json, at, "path", "first", "equals", "in", "begins_with", "ends_with", "present", "exists", "same_as");
        var value = json.TryGetProperty("path", out var path) ? Path(Text(path, $"{at}.path"), $"{at}.path")
            : json.TryGetProperty("first", out var first) ? Source("first", first, $"{at}.first")
            : throw Wrong(at, "needs path or first; or all, any or not");
        if (json.EnumerateObject().Count() != 2) throw Wrong(at, "needs exactly one of equals, in, begins_with, ends_with, present, exists, same_as");
        if (json.TryGetProperty("equals", out var one)) return new EqualsOneOf(value, [.. ScalarTexts([one], $"{at}.equals")]);
        if (json.TryGetProperty("in", out var several)) return new EqualsOneOf(value, [.. ScalarTexts(Items(several, $"{at}.in"), $"{at}.in")]);
        if (json.TryGetProperty("begins_with", out var beginnings))
            return new BeginsOrEnds(value, [.. ScalarTexts(OneOrMany(beginnings), $"{at}.begins_with")], ends: false);
        if (json.TryGetProperty("ends_with", out var ends)) return new BeginsOrEnds(value, [.. ScalarTexts(OneOrMany(ends), $"{at}.ends_with")], ends: true);
        if (json.TryGetProperty("present", out _)) return new IsPresent(value, Boolean(json, "present", at, otherwise: true));
        if (json.TryGetProperty("exists", out _)) return new Exists(value, Boolean(json, "exists", at, otherwise: true));
        return json.TryGetProperty("same_as", out var other)
            ? new IsSame(value, Value(other, $"{at}.same_as"))
            : throw Wrong(at, "needs exactly one of equals, in, begins_with, ends_with, present, exists, same_as");
    }

    List<MappingCondition> Conditions(JsonElement json, string member, JsonElement list, string at)
    {
        Ensure(json, at, member);
        return [.. Items(list, $"{at}.{member}").Select((item, i) => Condition(item, $"{at}.{member}[{i}]"))];
    }

    IEnumerable<byte[]> ScalarTexts(IEnumerable<JsonElement> items, string at) =>
        items.Select(item => Scalar(item, at)).Select(text => Filled(text)).OfType<string>().Select(Encoding.UTF8.GetBytes);

    static IEnumerable<string> Scalars(JsonElement json, string at) => OneOrMany(json).Select(item => Scalar(item, at));

    static string Scalar(JsonElement json, string at) => json.ValueKind switch
    {
        JsonValueKind.String => json.GetString()!,
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => json.GetRawText(),
        _ => throw Wrong(at, "must be text, numbers, true or false"),
    };

    /// <summary>Replaces the group key in a text; null when none was specified.</summary>
    string? Filled(string text) =>
        !text.Contains(GroupKey, StringComparison.Ordinal) ? text : groupKey is null ? null : text.Replace(GroupKey, groupKey, StringComparison.Ordinal);

    static byte[] NameOf(string property) => JsonEncodedText.Encode(property, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes.ToArray();

    static List<JsonElement> OneOrMany(JsonElement json) => json.ValueKind is JsonValueKind.Array ? [.. json.EnumerateArray()] : [json];

    static List<JsonElement> Items(JsonElement json, string at) =>
        json.ValueKind is JsonValueKind.Array ? [.. json.EnumerateArray()] : throw Wrong(at, "must be a list");

    public static List<string> Texts(JsonElement json, string at) =>
        [.. Items(json, at).Select((item, i) => Text(item, string.Create(CultureInfo.InvariantCulture, $"{at}[{i}]")))];

    static char? Character(JsonElement json, string member, string at)
    {
        if (!json.TryGetProperty(member, out var value) || value.ValueKind is JsonValueKind.Null) return null;
        return Text(value, $"{at}.{member}") switch
        {
            "tab" => '\t',
            [var one] => one,
            _ => throw Wrong($"{at}.{member}", "must be one character, or tab"),
        };
    }
}

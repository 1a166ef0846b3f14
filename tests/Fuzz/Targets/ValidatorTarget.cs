using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Validate;
using MixpanelConnector.Tests.Import;

namespace MixpanelConnector.Fuzz;

/// <summary>The check of a record, compared with one by <see cref="Utf8JsonReader"/>; accepted records also with a strict <see cref="JsonDocument"/>.</summary>
sealed class ValidatorTarget : Target
{
    const long Now = 1_790_000_000;

    readonly JsonScanner _walk = new();
    readonly ReaderWalk _reader = new();
    readonly EventRules _plain = new(SharedProperties.None);
    readonly EventRules _sharing = new(SharedProperties.Parse("""{"x":1,"time":1790000000,"z\"":2}"""));
    readonly ProfileRules _profiles = new("token", groupKey: null);

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. ((string[])
        [
            """{"event":"Page Viewed","properties":{"time":1790000000,"distinct_id":"user-12345","$insert_id":"5f0c2a6e-9a54-4f0e-9f58-0123456789ab","$city":"Zürich","price":129.95,"is_member":true,"tags":["a","b","c"]}}""",
            """{"properties":{"distinct_id":"","time":1790000000123,"x":{"y":[{"z":{"w":null}},[],{},[[1,2],[3]]],"v":"\u00e9\n\"\\\/"},"t":"😀 \ud83d\ude00"},"event":"\u0065"}""",
            """ { "event" : "spaces" , "properties" : { "time" : 1790000000 , "$device_id" : "d" , "a" : [ 1 , true , false , null , "x" ] , "b" : { } , "c" : [ ] } } """,
            """{"event":"duplicate","properties":{"time":1790000000,"distinct_id":"u","x":1,"y":{"x":1,"z":[{"x":1},{"x":2}]},"\u0078":2}}""",
            """{"event":"range","properties":{"time":1790000000,"distinct_id":"u","a":1e308,"b":-1e400,"c":0e999999,"d":12345678901234567890123456789.10}}""",
            """{"event":"deep","properties":{"time":1790000000,"distinct_id":"u","a":{"b":{"c":{"d":1}}},"e":[[[[[[[[1]]]]]]]]}}""",
            """{"event":"\ud83dx","properties":{"time":1790000000,"distinct_id":"\ude00","$insert_id":"\ud800"}}""",
            """{"$distinct_id":"u","$properties":{"name":"Ada","n":1,"tags":["a","b"]}}""",
            """{"$token":"token","$distinct_id":"u","$add":{"n":1,"m":-2.5},"$set":{"a":"b"}}""",
        ]).Select(Encoding.UTF8.GetBytes),
    ];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. ((string[])
        [
            "\"", "\\", "{", "}", "[", "]", ",", ":", "\\u", "\\u0000", "\\ud83d", "\\ude00", "\\ud83d\\ude00", "\\uD83D\\u0041", "\\x", "\\/", "1e999",
            "-1E+400", "00", "1.", ".5", "1e", "NaN", "true", "null", "/**/",
            "\"time\":1,", "\"event\":\"x\",", "\"properties\":{},", "\"$insert_id\":\"a\",", "\"distinct_id\":\"0\",", "\"$ignore\":1,", "\"x\":2,",
            "[[[[[[[[", "{\"a\":{\"a\":", "\"$set\":{},", "\"$token\":\"token\",", "é", "\ufeff",
        ]).Select(Encoding.UTF8.GetBytes),
        [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xff], [0xf4, 0x90, 0x80, 0x80],
    ];

    public override void Run(byte[] input)
    {
        foreach (var rules in new[] { _plain, _sharing })
        {
            rules.Reset(Now);
            var reader = (_reader.Check(input, rules) ?? rules.Missing(), rules.PropertiesAt, rules.HasInsertId, rules.InsertId, rules.Properties,
                rules == _sharing && rules.Overrides(0));
            rules.Reset(Now);
            var walk = (_walk.Check(input, rules) ?? rules.Missing(), rules.PropertiesAt, rules.HasInsertId, rules.InsertId, rules.Properties,
                rules == _sharing && rules.Overrides(0));
            Same(reader, walk, "an event");
            if (walk.Item1 is null) IsTaken(input, @event: true);
        }

        _profiles.Reset();
        var byReader = (_reader.Check(input, _profiles) ?? _profiles.Missing(), _profiles.HasToken, _profiles.Repeatable, _profiles.PropertiesNameAt);
        _profiles.Reset();
        var byWalk = (_walk.Check(input, _profiles) ?? _profiles.Missing(), _profiles.HasToken, _profiles.Repeatable, _profiles.PropertiesNameAt);
        Same(byReader, byWalk, "a profile");
        if (byWalk.Item1 is null) IsTaken(input, @event: false);
    }

    /// <summary>A strict reader can read what is sent, and it contains the required members.</summary>
    static void IsTaken(byte[] record, bool @event)
    {
        using var document = JsonDocument.Parse(record, new JsonDocumentOptions { AllowDuplicateProperties = false });
        AllTextIsUnicode(document.RootElement);
        if (!@event) return;
        Hold(document.RootElement.EnumerateObject().All(member => member.Name is "event" or "properties"), "an unknown member was taken");
        Hold(!string.IsNullOrWhiteSpace(document.RootElement.GetProperty("event").GetString()), "an event without a name was taken");
        Hold(document.RootElement.GetProperty("properties").ValueKind is JsonValueKind.Object, "an event without properties was taken");
    }

    static void AllTextIsUnicode(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                element.GetString();
                break;
            case JsonValueKind.Number:
                Hold(double.IsFinite(element.GetDouble()), "a number out of range was taken");
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray()) AllTextIsUnicode(item);
                break;
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject()) AllTextIsUnicode(member.Value);
                break;
        }
    }
}

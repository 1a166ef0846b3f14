using System.Collections.Frozen;
using System.Dynamic;
using System.Numerics;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector.Tracking.Records;

namespace MixpanelConnector.Tests.Tracking;

/// <summary>A value is serialized the same way on every path.</summary>
public sealed partial class ValuesTests
{
    static readonly DateTime Utc = new(2026, 1, 2, 3, 4, 5, 678, DateTimeKind.Utc);

    readonly RecordingTracker _tracker = new();

    /// <summary>Values, and the JSON of each.</summary>
    public static TheoryData<string, object, string> Values => new()
    {
        { "a time", Utc, "\"2026-01-02T03:04:05\"" },
        { "a time of nowhere, which is UTC", DateTime.SpecifyKind(Utc, DateTimeKind.Unspecified), "\"2026-01-02T03:04:05\"" },
        { "a time with an offset", new DateTimeOffset(2026, 1, 2, 5, 4, 5, 678, TimeSpan.FromHours(2)), "\"2026-01-02T03:04:05\"" },
        { "a day", new DateOnly(2026, 1, 2), "\"2026-01-02\"" },
        { "a time of day", new TimeOnly(3, 4, 5), "\"03:04:05\"" },
        { "a time of day in parts of a second", new TimeOnly(3, 4, 5, 678), "\"03:04:05.6780000\"" },
        { "a span", TimeSpan.FromSeconds(90), "\"00:01:30\"" },
        { "an enumeration", DayOfWeek.Friday, "\"Friday\"" },
        { "an enumeration whose members have names of their own", Tier.ProPlus, "\"pro+\"" },
        { "flags with names of their own", Features.Import | Features.Export, "\"data-import, Export\"" },
        { "flags", FileAccess.ReadWrite | FileAccess.Read, "\"ReadWrite\"" },
        { "a decimal", 12.50m, "12.50" },
        { "a double", 0.1 + 0.2, "0.30000000000000004" },
        { "a float", 0.1f, "0.1" },
        { "a half", (Half)1.5, "1.5" },
        { "a long", 9007199254740993, "9007199254740993" },
        { "an unsigned long", ulong.MaxValue, "18446744073709551615" },
        { "128 bits", Int128.MaxValue, "170141183460469231731687303715884105727" },
        { "a big integer", BigInteger.Pow(10, 40), "10000000000000000000000000000000000000000" },
        { "an id", Guid.Empty, "\"00000000-0000-0000-0000-000000000000\"" },
        { "an address", new Uri("https://x.example/a b"), "\"https://x.example/a b\"" },
        { "bytes", new byte[] { 1, 2, 3 }, "\"AQID\"" },
        { "a letter", 'x', "\"x\"" },
        { "text like a date", "2026-01-02T03:04:05.678Z", "\"2026-01-02T03:04:05.678Z\"" },
        { "a list", new List<object?> { 1, null, Utc }, "[1,null,\"2026-01-02T03:04:05\"]" },
        { "a dictionary of numbers", new Dictionary<string, int>(StringComparer.Ordinal) { ["a"] = 1 }, """{"a":1}""" },
        { "a dictionary by enumeration", new Dictionary<DayOfWeek, DateTime> { [DayOfWeek.Friday] = Utc }, """{"Friday":"2026-01-02T03:04:05"}""" },
        { "a frozen dictionary", new Dictionary<string, decimal>(StringComparer.Ordinal) { ["a"] = 1.10m }.ToFrozenDictionary(StringComparer.Ordinal),
            """{"a":1.10}""" },
        { "JSON that was parsed", JsonElement.Parse("""{"t":"2026-01-02T03:04:05.678Z","n":1.10,"z":null}"""),
            """{"t":"2026-01-02T03:04:05.678Z","n":1.10,"z":null}""" },
        { "JSON that was built", new JsonObject { ["t"] = Utc, ["l"] = new JsonArray(JsonValue.Create(DayOfWeek.Friday), null), ["z"] = null },
            """{"t":"2026-01-02T03:04:05","l":["Friday",null]}""" },
    };

    /// <summary>Dictionaries with a key of each type, and the name that it becomes.</summary>
    public static TheoryData<object, string> Keys => new()
    {
        { Keyed("é \"q\""), "é \"q\"" },
        { Keyed(DayOfWeek.Friday), "Friday" },
        { Keyed(FileAccess.ReadWrite), "ReadWrite" },
        { Keyed(Tier.ProPlus), "pro+" },
        { Keyed(Utc), "2026-01-02T03:04:05" },
        { Keyed(Utc.ToLocalTime()), "2026-01-02T03:04:05" },
        { Keyed(new DateTimeOffset(2026, 1, 2, 5, 4, 5, 678, TimeSpan.FromHours(2))), "2026-01-02T03:04:05" },
        { Keyed(new DateOnly(2026, 1, 2)), "2026-01-02" },
        { Keyed(new TimeOnly(3, 4, 5)), "03:04:05" },
        { Keyed(TimeSpan.FromHours(30)), "1.06:00:00" },
        { Keyed(Guid.AllBitsSet), "ffffffff-ffff-ffff-ffff-ffffffffffff" },
        { Keyed(new Uri("https://x.example/a b")), "https://x.example/a b" },
        { Keyed(new Version(1, 2)), "1.2" },
        { Keyed('x'), "x" },
        { Keyed(true), "True" },
        { Keyed((sbyte)-1), "-1" },
        { Keyed(ulong.MaxValue), "18446744073709551615" },
        { Keyed(Int128.MinValue), "-170141183460469231731687303715884105728" },
        { Keyed(BigInteger.Pow(10, 20)), "100000000000000000000" },
        { Keyed(1.50m), "1.50" },
        { Keyed(0.1), "0.1" },
        { Keyed(0.1f), "0.1" },
        { Keyed((Half)1.5), "1.5" },
    };

    static Dictionary<T, int> Keyed<T>(T key)
        where T : notnull => new() { [key] = 1 };

    [Theory, MemberData(nameof(Keys))]
    public void A_key_has_one_name_by_each_way_in(object dictionary, string name)
    {
        _tracker.Track("e", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["v"] = dictionary });
        _tracker.Track("e", "u", new { v = dictionary });
        typeof(ValuesTests).GetMethod(nameof(TrackTyped), BindingFlags.NonPublic | BindingFlags.Instance)!
            .MakeGenericMethod(dictionary.GetType())
            .Invoke(this, [dictionary]);

        Assert.Empty(_tracker.Rejected);
        Assert.Equal([name, name, name], _tracker.Records.Select(record => record.Properties["v"]!.AsObject().Single().Key), StringComparer.Ordinal);
    }

    void TrackTyped<T>(T value) => _tracker.Track("e", "u", new Holder<T>(value));

    [Fact]
    public void A_dictionary_of_one_type_follows_the_rules_of_any_other()
    {
        _tracker.Track("e", "u", new Dictionary<string, string?>(StringComparer.Ordinal) { ["a"] = "1", ["z"] = null });
        _tracker.Track("e", "u", new SortedList<string, DateTime>(StringComparer.Ordinal) { ["seen"] = Utc, ["time"] = Utc });
        _tracker.Track("e", "u", new Dictionary<string, int?>(StringComparer.Ordinal) { ["a"] = 1, ["z"] = null }.ToFrozenDictionary(StringComparer.Ordinal));
        _tracker.Profile("u").Set(new Dictionary<string, DateTimeOffset?>(StringComparer.Ordinal) { ["time"] = new(Utc), ["z"] = null });

        Assert.Equal(
            ["""{"a":"1"}""", """{"seen":"2026-01-02T03:04:05","time":1767323045678}""", """{"a":1}""", """{"time":"2026-01-02T03:04:05"}"""],
            _tracker.Records.Select(record => Text(record.Properties)), StringComparer.Ordinal);
    }

    [Theory, MemberData(nameof(Values))]
    public void A_value_has_one_form_by_each_way_in(string what, object value, string json)
    {
        _tracker.Track("e", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["v"] = value });
        _tracker.Track("e", "u", new { v = value });
        _tracker.Profile("u").Set(new { v = value });
        dynamic expando = new ExpandoObject();
        expando.v = value;
        MixpanelTrackerExtensions.Track(_tracker, "e", "u", (ExpandoObject)expando);

        Assert.All(_tracker.Records, record => Assert.Equal(json, Text(record.Properties["v"]), StringComparer.Ordinal));
        Assert.False(string.IsNullOrEmpty(what));
    }

    [Fact]
    public void A_typed_object_has_the_same_form_by_reflection_by_contract_and_by_name()
    {
        var everything = new Everything();
        _tracker.Track("e", "u", everything);
        _tracker.Track("e", "u", everything, Contracts.Default.Everything);
        _tracker.Track("e", "u", (object)everything);
        _tracker.Profile("u").Set(everything, Contracts.Default.Everything);
        _tracker.Group("company", "acme").Set(everything);
        _tracker.Track("e", "u",
            typeof(Everything).GetProperties().ToDictionary(property => property.Name, property => property.GetValue(everything), StringComparer.Ordinal));

        const string expected = """{"Utc":"2026-01-02T03:04:05","Maybe":"2026-01-02T03:04:05","Offset":"2026-01-02T03:04:05","Day":"2026-01-02","Clock":"03:04:05","Day1":"Friday","Dec":12.50,"Big":100,"Link":"https://x.example/a b","Bytes":"AQID"}""";
        Assert.All(_tracker.Records, record => Assert.Equal(expected, Text(record.Properties), StringComparer.Ordinal));
    }

    [Fact]
    public void Values_of_JSON_and_single_properties_follow_the_rule_and_null_on_purpose_stays()
    {
        _tracker.Track("e", "u", new JsonObject { ["t"] = Utc, ["o"] = new DateTimeOffset(Utc), ["e"] = JsonValue.Create(DayOfWeek.Friday), ["z"] = null });
        _tracker.Profile("u").Set("t", Utc);
        _tracker.Profile("u").Set("z", (JsonNode?)null);
        _tracker.Profile("u").Append("l", Utc);
        _tracker.Profile("u").Union("l", Utc, "a");

        Assert.Equal(
            ["""{"t":"2026-01-02T03:04:05","o":"2026-01-02T03:04:05","e":"Friday"}""", """{"t":"2026-01-02T03:04:05"}""", """{"z":null}""",
                """{"l":"2026-01-02T03:04:05"}""", """{"l":["2026-01-02T03:04:05","a"]}"""],
            _tracker.Records.Select(record => Text(record.Properties)), StringComparer.Ordinal);
    }

    [Fact]
    public void The_time_of_an_event_is_milliseconds_by_each_way_in_and_text_stays_text()
    {
        var offset = new DateTimeOffset(Utc).ToOffset(TimeSpan.FromHours(-5));
        _tracker.Track("e", "u", new { time = Utc });
        _tracker.Track("e", "u", new { time = offset });
        _tracker.Track("e", "u", new { time = (DateTime?)Utc });
        _tracker.Track("e", "u", new { time = (object)Utc });
        _tracker.Track("e", "u", new Timed(Utc), Contracts.Default.Timed);
        _tracker.Track("e", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["time"] = offset });
        _tracker.Track("e", "u", new JsonObject { ["time"] = Utc });
        dynamic expando = new ExpandoObject();
        expando.time = Utc;
        MixpanelTrackerExtensions.Track(_tracker, "e", "u", (ExpandoObject)expando);
        Assert.All(_tracker.Records, record => Assert.Equal("""{"time":1767323045678}""", Text(record.Properties)));
        _tracker.Clear();

        _tracker.Track("e", "u", new { time = "2026-01-02" });
        _tracker.Track("e", "u", new { time = 1767323045 });
        _tracker.Track("e", "u", new { a = new { time = Utc } });
        _tracker.Profile("u").Set(new { time = Utc });
        Assert.Equal(
            ["""{"time":"2026-01-02"}""", """{"time":1767323045}""", """{"a":{"time":"2026-01-02T03:04:05"}}""", """{"time":"2026-01-02T03:04:05"}"""],
            _tracker.Records.Select(record => Text(record.Properties)), StringComparer.Ordinal);
    }

    [Fact]
    public void What_a_type_says_of_itself_counts()
    {
        _tracker.Track("e", "u", new OwnForm(Utc, Own.Small), Contracts.Default.OwnForm);
        _tracker.Track("e", "u", new OwnForm(Utc, Own.Small));

        Assert.All(_tracker.Records, record => Assert.Equal("""{"when":"now","Size":"tiny"}""", Text(record.Properties)));
    }

    public static TheoryData<string, Func<RecordingTracker, bool>> Refused => new()
    {
        { "m", tracker => tracker.Track("e", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["a"] = 1, ["m"] = new { A = 1 } }) },
        { "m.n",
            tracker => tracker.Track("e", "u",
                new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["m"] = new Dictionary<string, object?>(StringComparer.Ordinal) { ["n"] = new Money(1, "EUR") },
                }) },
        { "d", tracker => tracker.Track("e", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["d"] = double.NaN }) },
        { "D", tracker => tracker.Track("e", "u", new { A = 1, D = double.NaN }) },
        { "H", tracker => tracker.Track("e", "u", new { H = Half.PositiveInfinity }) },
        { "A", tracker => tracker.Track("e", "u", new Thrower()) },
        { "Next", tracker => tracker.Track("e", "u", Cycle()) },
        { "self", tracker => tracker.Track("e", "u", CyclicNames()) },
        { "s", tracker => tracker.Profile("u").Set(new { s = typeof(string) }) },
        { "j", tracker => tracker.Track("e", "u", new JsonObject { ["a"] = 1, ["j"] = double.PositiveInfinity }) },
        { "j.k", tracker => tracker.Track("e", "u", new JsonObject { ["j"] = new JsonObject { ["k"] = float.NaN } }) },
        { "list",
            tracker => tracker.Track("e", "u",
                new Dictionary<string, object?>(StringComparer.Ordinal) { ["list"] = new JsonArray(1, JsonValue.Create(Half.NaN)) }) },
        { "inner.k", tracker => tracker.Track("e", "u", new { A = 1, inner = new JsonObject { ["k"] = double.NaN } }) },
        { "json", tracker => tracker.Track("e", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["json"] = default(JsonElement) }) },
        { "t", tracker => tracker.Track("e", "u", new { A = 1, t = Forever.Task }) },
        { "t", tracker => tracker.Track("e", "u", new { A = 1, t = (Task)Forever.Task }) },
        { "t", tracker => tracker.Track("e", "u", new { A = 1, t = new ValueTask<int>(Forever.Task) }) },
        { "t", tracker => tracker.Track("e", "u", new { A = 1, t = new List<Task<int>> { Forever.Task } }) },
        { "t", tracker => tracker.Track("e", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["t"] = Forever.Task }) },
        { "t", tracker => tracker.Track("e", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["t"] = new ValueTask(Forever.Task) }) },
        { "t", tracker => tracker.Profile("u").Set(new { t = Forever.Task }) },
        { "t", tracker => tracker.Track("e", "u", new { A = 1, t = (1, "a") }) },
        { "t", tracker => tracker.Track("e", "u", new { A = 1, t = ((int, int)?)(1, 2) }) },
        { "t", tracker => tracker.Track("e", "u", new { A = 1, t = new[] { (1, 2) } }) },
        { "t", tracker => tracker.Track("e", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["t"] = (1, "a") }) },
        { "p", tracker => tracker.Profile("u").Set("p", double.NaN) },
        { "q", tracker => tracker.Profile("u").Union("q", 1, double.NaN) },
        { "r", tracker => tracker.Group("company", "acme").Set("r", JsonValue.Create(double.NegativeInfinity)) },
    };

    [Theory, MemberData(nameof(Refused))]
    public void What_cannot_be_written_is_refused_by_the_name_of_its_property(string name, Func<RecordingTracker, bool> track)
    {
        Assert.False(track(_tracker));

        var refusal = Assert.Single(_tracker.Rejected);
        Assert.Equal(("not_serializable", name), (refusal.Code, refusal.Field));
        Assert.Empty(_tracker.Records);
        Assert.StartsWith($"The property '{name}' cannot be written as JSON: ", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refusal.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, Func<RecordingTracker, bool>> Reasons => new()
    {
        { "contains itself", tracker => tracker.Track("e", "u", new { n = Cycle() }) },
        { "contains itself", tracker => tracker.Track("e", "u", CyclicNames()) },
        { "await it", tracker => tracker.Track("e", "u", new { t = Forever.Task }) },
        { "await it", tracker => tracker.Track("e", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["t"] = Forever.Task }) },
        { "it is a tuple", tracker => tracker.Track("e", "u", new { t = (1, 2) }) },
        { "it is a tuple", tracker => tracker.Track("e", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["t"] = (1, 2) }) },
        { "values of its type are not supported", tracker => tracker.Track("e", "u", new { t = typeof(string) }) },
        { "values of its type are not supported", tracker => tracker.Profile("u").Set(new { t = new Func<int>(() => 1) }) },
        { "a number must be finite", tracker => tracker.Track("e", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["t"] = double.NaN }) },
        { "InvalidTimeZoneException", tracker => tracker.Track("e", "u", new Thrower()) },
        { "half of a surrogate pair", tracker => tracker.Track("e", "u", new { t = "\ud800" }) },
    };

    [Theory, MemberData(nameof(Reasons))]
    public void A_refusal_says_why(string reason, Func<RecordingTracker, bool> track)
    {
        Assert.False(track(_tracker));
        Assert.Contains(reason, Assert.Single(_tracker.Rejected).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Super_properties_follow_the_rule()
    {
        var additions = new EventAdditions(new JsonObject { ["since"] = Utc, ["day"] = JsonValue.Create(DayOfWeek.Friday), ["none"] = null });
        var writer = RecordWriter.Rent();
        writer.WriteEvent(new TrackedRecord(TrackedKind.Event, "e", "u", default), 1, "id"u8, additions);

        var properties = JsonElement.Parse(writer.Written).GetProperty("properties");
        writer.Return();
        Assert.Equal(("2026-01-02T03:04:05", "Friday"), (properties.GetProperty("since").GetString(), properties.GetProperty("day").GetString()));
        Assert.False(properties.TryGetProperty("none", out _));
    }

    static string Text(JsonNode? node) =>
        node!.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>Whoever reads its result waits for ever.</summary>
    static readonly TaskCompletionSource<int> Forever = new();

    static Node Cycle()
    {
        var node = new Node();
        node.Next = node;
        return node;
    }

    static Dictionary<string, object?> CyclicNames()
    {
        var names = new Dictionary<string, object?>(StringComparer.Ordinal);
        names["self"] = names;
        return names;
    }

    internal sealed record Everything
    {
        public DateTime Utc { get; init; } = ValuesTests.Utc;

        public DateTime? Maybe { get; init; } = ValuesTests.Utc;

        public DateTime? Never { get; init; }

        public DateTimeOffset Offset { get; init; } = new(ValuesTests.Utc);

        public DateOnly Day { get; init; } = new(2026, 1, 2);

        public TimeOnly Clock { get; init; } = new(3, 4, 5);

        public DayOfWeek Day1 { get; init; } = DayOfWeek.Friday;

        public decimal Dec { get; init; } = 12.50m;

        public BigInteger Big { get; init; } = 100;

        public Uri Link { get; init; } = new("https://x.example/a b");

        public byte[] Bytes { get; init; } = [1, 2, 3];
    }

    internal sealed record Timed([property: JsonPropertyName("time")] DateTime When);

    internal sealed record OwnForm([property: JsonPropertyName("when"), JsonConverter(typeof(NowConverter))] DateTime When, Own Size);

    [JsonConverter(typeof(OwnConverter))]
    internal enum Own { Small }

    internal sealed class NowConverter : JsonConverter<DateTime>
    {
        public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => default;

        public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options) => writer.WriteStringValue("now");
    }

    internal sealed class OwnConverter : JsonConverter<Own>
    {
        public override Own Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => default;

        public override void Write(Utf8JsonWriter writer, Own value, JsonSerializerOptions options) => writer.WriteStringValue("tiny");
    }

    internal sealed record Holder<T>(T v);

    internal enum Tier
    {
        Free,

        [JsonStringEnumMemberName("pro+")]
        ProPlus,
    }

    [Flags]
    internal enum Features
    {
        None,

        [JsonStringEnumMemberName("data-import")]
        Import,

        Export,
    }

    sealed record Money(decimal Amount, string Currency);

    sealed class Node
    {
        public Node? Next { get; set; }
    }

    sealed class Thrower
    {
        public int A => throw new InvalidTimeZoneException("secret 4111-1111");
    }

    [JsonSerializable(typeof(Everything))]
    [JsonSerializable(typeof(Timed))]
    [JsonSerializable(typeof(OwnForm))]
    sealed partial class Contracts : JsonSerializerContext;
}

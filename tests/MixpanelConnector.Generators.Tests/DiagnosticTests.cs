using Microsoft.CodeAnalysis;

namespace MixpanelConnector.Generators.Tests;

/// <summary>Which code is reported, and which is not.</summary>
public sealed class DiagnosticTests
{
    const string Events = """
        [MixpanelEvent("Order placed")] public partial record OrderPlaced(decimal Total);
        [MixpanelEvent("Order shipped")] public record OrderShipped(string Order);
        public record Bare(string Order);
        """;

    [Theory]
    [InlineData("""[MixpanelEvent("E")] public record [|E|](int N);""", "MIXP001", "it is not partial")]
    [InlineData("""public class A { [MixpanelEvent("E")] public partial record [|E|](int N); }""", "MIXP001", "it is nested in A, which is not partial")]
    [InlineData("""[MixpanelEvent("E")] file partial record [|E|](int N);""", "MIXP001", "it is file-local")]
    [InlineData("""file partial class A { [MixpanelEvent("E")] public partial record [|E|](int N); }""", "MIXP001", "it is nested in A, which is file-local")]
    [InlineData("""[MixpanelEvent("E")] public ref partial struct [|E|] { public int N => 1; }""", "MIXP001", "ref struct")]
    [InlineData("""[MixpanelEvent("E")] public static partial class [|E|];""", "MIXP001", "static")]
    [InlineData("""[MixpanelEvent([|"$order"|])] public partial record E(int N);""", "MIXP003", "call it 'order'")]
    [InlineData("""[MixpanelEvent([|"mp_order"|])] public partial record E(int N);""", "MIXP003", "begins with mp_")]
    [InlineData("""[MixpanelEvent([|" "|])] public partial record E(int N);""", "MIXP003", "is empty")]
    [InlineData("""[MixpanelEvent([|""|])] public record struct E(int N);""", "MIXP003", "is empty", "MIXP001")]
    [InlineData("""[MixpanelEvent([|Names.Long|])] public partial record E(int N); static class Names { public const string Long = "0123456789012345678901234567890123456789012345678901234567890123" + "0123456789012345678901234567890123456789012345678901234567890123" + "0123456789012345678901234567890123456789012345678901234567890123" + "0123456789012345678901234567890123456789012345678901234567890123"; }""",
        "MIXP003", "256 characters")]
    [InlineData("""[MixpanelEvent("E")] public partial record E([property: JsonPropertyName([|"$mine"|])] int N);""", "MIXP004", "call it 'mine'")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(string [|token|]);""", "MIXP004", "call it 'event_token'")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(string [|distinct_id|]);""", "MIXP004", "pass the user to Track instead")]
    [InlineData("""[MixpanelEvent("E")] public partial record E { public string? [|mp_x|] { get; init; } }""", "MIXP004", "call it 'x'")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(string [|time|]);""", "MIXP005", "DateTimeOffset")]
    [InlineData("""[MixpanelEvent("E")] public partial record E([property: JsonPropertyName([|"time"|])] DateOnly When);""", "MIXP005", "When")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(string Plan, string [|plan|]);""", "MIXP008", "'plan' and 'Plan' of E")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(string Plan); [MixpanelEvent("F")] public partial record F(string Plan); [MixpanelEvent("A")] public partial record A([property: JsonPropertyName([|"PLAN"|])] string P);""",
        "MIXP008", "'PLAN' and 'Plan' of E")]
    [InlineData("""[MixpanelEvent("Order placed")] public partial record E(int N); [MixpanelEvent([|"order Placed"|])] public partial record F(int N);""",
        "MIXP009", "'order Placed' and 'Order placed' of E")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(object [|N|]);""", "MIXP010", "may hold anything")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(dynamic [|N|]);""", "MIXP010", "may hold anything")]
    [InlineData("""[MixpanelEvent("E")] public partial record E((int A, int B) [|N|]);""", "MIXP010", "(int A, int B)")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(Type [|N|]);""", "MIXP010", "of type Type")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(Action [|N|]);""", "MIXP010", "of type Action")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(int[,] [|N|]);""", "MIXP010", "of type int[,]")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(System.Collections.IEnumerable [|N|]);""", "MIXP010", "of type IEnumerable")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(IAsyncEnumerable<int> [|N|]);""", "MIXP010", "IAsyncEnumerable<int>")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(List<object?> [|N|]);""", "MIXP010", "may hold anything")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(Dictionary<DateTime, int> [|N|]);""", "MIXP010", "keys of type DateTime")]
    [InlineData("""[MixpanelEvent("E")] public partial record E<T>(T [|N|]);""", "MIXP010", "of type T")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(nint [|N|]);""", "MIXP010", "of type nint")]
    [InlineData("""[MixpanelEvent("E")] public partial record E([property: JsonNumberHandling(JsonNumberHandling.WriteAsString)] int [|N|]);""", "MIXP010",
        "[JsonNumberHandling]")]
    [InlineData("""[JsonConverter(typeof(JsonStringEnumConverter<Plan>))] public enum Plan { Free } [MixpanelEvent("E")] public partial record E(Plan? [|N|]);""",
        "MIXP010", "[JsonConverter]")]
    [InlineData("""[JsonDerivedType(typeof(B))] public record A; public record B : A; [MixpanelEvent("E")] public partial record E(A [|N|]);""", "MIXP010",
        "[JsonDerivedType]")]
    [InlineData("""[MixpanelEvent("E"), JsonNumberHandling(JsonNumberHandling.WriteAsString)] public partial record [|E|](int N);""", "MIXP010",
        "[JsonNumberHandling]")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(int A, [property: JsonPropertyName("A")] int [|B|]);""", "MIXP010",
        "the same name in JSON as A")]
    [InlineData("""[MixpanelEvent("E")] public partial class [|E|] : List<int>;""", "MIXP010", "is a list")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(Inner I); public record Inner(Version V, Type [|T|]);""", "MIXP010", "of type Type")]
    [InlineData("""[MixpanelEvent("E")] public partial record E { [JsonExtensionData] public Dictionary<string, object?>? [|More|] { get; init; } }""",
        "MIXP010", "[JsonExtensionData]")]
    [InlineData("""class MoneyConverterAttribute() : JsonConverterAttribute(typeof(JsonStringEnumConverter)); public enum Plan { Free } [MixpanelEvent("E")] public partial record E([property: MoneyConverter] Plan [|N|]);""",
        "MIXP010", "[JsonConverter]")]
    [InlineData("""[AttributeUsage(AttributeTargets.Class)] class OwnFormAttribute() : JsonConverterAttribute; [OwnForm] public record Money; [MixpanelEvent("E")] public partial record E(Money [|N|]);""",
        "MIXP010", "a type with [JsonConverter], Money")]
    [InlineData("""public record Larger<T>(Larger<List<T>>? Next); [MixpanelEvent("E")] public partial record [|E|](Larger<int> N);""", "MIXP010",
        "refers to more than 500 types")]
    [InlineData("""public record B { public virtual int N { get; set; } } [MixpanelEvent("E")] public partial record E : B { public override int [|N|] { set { } } }""",
        "MIXP010", "overrides only the setter")]
    [InlineData("""public interface I { int N { get; } } [MixpanelEvent("E")] public partial record E : I { [JsonInclude] int I.[|N|] => 1; }""", "MIXP010",
        "implements an interface explicitly")]
    [InlineData("""public record B { [JsonInclude] protected int [|N|] { get; set; } } [MixpanelEvent("E")] public partial record E(int A) : B { public new int N() => A; }""",
        "MIXP010", "not accessible")]
    [InlineData("""public record B { [JsonInclude] protected int [|N|] { get; set; } } [MixpanelEvent("E")] public partial record E(B? Inner) : B;""",
        "MIXP010", "not accessible")]
    [InlineData("""[MixpanelEvent("E")] public partial class [|E|] : System.Collections.IEnumerable { public System.Collections.IEnumerator GetEnumerator() => throw new NotSupportedException(); }""",
        "MIXP010", "is a list")]
    [InlineData("""public record B(int [|A|]); [MixpanelEvent("E")] public partial record E(int A, [property: JsonPropertyName("A")] int C) : B(A);""",
        "MIXP010", "the same name in JSON as")]
    public async Task It_is_said_where_it_is(string source, string id, string says, string? also = null)
    {
        var (bare, place) = Marked(source);
        var found = await Compiled.DiagnosticsAsync(bare);
        var one = Assert.Single(found, diagnostic => diagnostic.Id != also);
        Assert.Equal($"{id} {place}", Compiled.Place(one));
        Assert.Contains(says, one.GetMessage(), StringComparison.Ordinal);
        Assert.Equal($"docs/typed-events.md#{id.ToLowerInvariant()}", one.Descriptor.HelpLinkUri);
    }

    [Theory]
    [InlineData("tracker.Track(\"u\", [|new OrderShipped(\"1\")|]);", "it is not partial")]
    [InlineData("tracker?.Track(\"u\", [|new OrderShipped(\"1\")|]);", "it is not partial")]
    [InlineData("tracker.TrackAsync(\"u\", [|new OrderShipped(\"1\")|], CancellationToken.None);", "it is not partial")]
    [InlineData("tracker.Track(\"u\", [|new Odd(1)|]);", "A may hold anything")]
    public async Task A_call_that_does_not_compile_says_what_the_event_lacks(string call, string says)
    {
        var (bare, place) =
            Marked($$"""class C { void M(IMixpanelTracker tracker) { {{call}} } } [MixpanelEvent("Odd")] public partial record Odd(object A);""");
        var found = Assert.Single(await Compiled.DiagnosticsAsync(Events, bare), diagnostic => diagnostic.Id == "MIXP002");
        Assert.Equal($"MIXP002 {place}", Compiled.Place(found));
        Assert.Contains(says, found.GetMessage(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("new E([|t.ToUnixTimeSeconds()|], 1);", "time")]
    [InlineData("new E(1, (int)[|t.ToUnixTimeSeconds()|]);", "CreatedAt")]
    [InlineData("new F { SeenAt = ([|t.ToUnixTimeSeconds()|]) };", "SeenAt")]
    [InlineData("_ = new F() with { SeenAt = [|t.ToUnixTimeSeconds()|] };", "SeenAt")]
    [InlineData("tracker.Track(\"e\", \"u\", new { time = [|t.ToUnixTimeSeconds()|] });", "time")]
    [InlineData("tracker.Track(\"e\", \"u\", new JsonObject { [\"time\"] = [|t.ToUnixTimeSeconds()|] });", "time")]
    [InlineData("tracker.TrackAsync(\"e\", \"u\", new Dictionary<string, object?> { [\"seen\"] = [|t.ToUnixTimeSeconds()|] });", "seen")]
    [InlineData("tracker.Track(\"e\", \"u\", new Dictionary<string, object?> { { \"seen\", [|t.ToUnixTimeSeconds()|] } });", "seen")]
    public async Task Seconds_are_found_where_they_are_given(string statement, string property)
    {
        var (bare, place) = Marked($$"""
            class C { void M(IMixpanelTracker tracker, DateTimeOffset t) { {{statement}} } }
            [MixpanelEvent("E")] public partial record E([property: JsonPropertyName("time")] long When, long CreatedAt);
            [MixpanelEvent("F")] public partial record F { public long SeenAt { get; init; } }
            """);
        var found = Assert.Single(await Compiled.DiagnosticsAsync(bare));
        Assert.Equal($"MIXP007 {place}", Compiled.Place(found));
        Assert.Contains($"'{property}'", found.GetMessage(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""class C { long M(DateTimeOffset t) { var d = new Dictionary<string, object?> { ["time"] = t.ToUnixTimeSeconds() }; return t.ToUnixTimeSeconds() + d.Count; } }""")]
    [InlineData("""class C { void M(IMixpanelTracker tracker, DateTimeOffset t) { tracker.Track("e", "u", new { time = t.ToUnixTimeMilliseconds(), age = 2 * t.ToUnixTimeSeconds() }); } }""")]
    [InlineData("""class C { object M(DateTimeOffset t) => new Bare(t.ToUnixTimeSeconds()); record Bare(long time); }""")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(DateTimeOffset time, [property: JsonPropertyName("$insert_id")] string Id, [property: JsonPropertyName("$city")] string City, int ip);""")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(long? time);""")]
    [InlineData("""[MixpanelEvent("E")] public partial record E([property: JsonIgnore] object Left, string Plan) { internal Type? Hidden { get; init; } }""")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(string Plan); [MixpanelEvent("E")] public partial record F(string Plan); record Other(string plan);""")]
    [InlineData("""[MixpanelEvent("E")] public partial record E(object N) : IMixpanelEvent<E> { static string IMixpanelEvent<E>.EventName => "E"; static void IMixpanelEvent<E>.WriteProperties(E happened, MixpanelEventWriter json) { json.Name("N"); json.Other(happened.N); } }""")]
    [InlineData("""[Obsolete] class MixpanelEventAttribute(string name) : Attribute; class C { void M(IMixpanelTracker tracker) { tracker.Track("e", "u"); } }""")]
    [InlineData("// <auto-generated/>\n" + """[MixpanelEvent("$e")] public partial record E(string Plan, string plan);""")]
    public async Task Nothing_is_said_of_what_is_right(string source) =>
        Assert.Equal([], (await Compiled.DiagnosticsAsync(source)).Select(found => found.ToString()), StringComparer.Ordinal);

    [Fact]
    public async Task An_event_with_its_JSON_contract_may_be_closed()
    {
        const string Use = """class C { void M(IMixpanelTracker tracker, System.Text.Json.Serialization.Metadata.JsonTypeInfo<OrderShipped> type) { tracker.Track("u", new OrderShipped("1"), type); tracker.Track("u", new OrderPlaced(1)); } }""";
        var found = Assert.Single(await Compiled.DiagnosticsAsync(Events, Use));
        Assert.Equal(("MIXP001", DiagnosticSeverity.Info), (found.Id, found.Severity));
    }

    [Theory]
    [InlineData(249, "", 0)]
    [InlineData(250, "", 1)]
    [InlineData(249, """[JsonPropertyName("time")] public long Time { get; init; }""", 0)]
    [InlineData(250, """[JsonPropertyName("time")] public long Time { get; init; }""", 1)]
    public async Task More_than_255_properties_with_those_of_the_tracker_are_too_many(int properties, string more, int reports)
    {
        var source = $$"""[MixpanelEvent("E")] public partial record E { {{more}} {{string.Join(' ', Enumerable.Range(0, properties).Select(number => $"public int P{number} {{ get; init; }}"))}} }""";
        Assert.Equal(Enumerable.Repeat("MIXP006 E", reports), (await Compiled.DiagnosticsAsync(source)).Select(Compiled.Place), StringComparer.Ordinal);
    }

    /// <summary>A source without its markers, and the marked text.</summary>
    static (string Source, string Place) Marked(string source)
    {
        var (start, end) = (source.IndexOf("[|", StringComparison.Ordinal), source.IndexOf("|]", StringComparison.Ordinal));
        return (source.Remove(end, 2).Remove(start, 2), source[(start + 2)..end]);
    }
}

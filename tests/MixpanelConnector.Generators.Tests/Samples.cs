using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

#pragma warning disable CA1034, CA1051, CA1819, CA1720, CA1707, CA1852, MA0048, MA0053, MIXP008 // the members of these kinds are what is tested

namespace MixpanelConnector.Generators.Tests
{
    /// <summary>An event of every kind, each with values.</summary>
    static class Samples
    {
        static readonly DateTime Utc = new(2026, 1, 2, 3, 4, 5, 678, DateTimeKind.Utc);

        public static IEnumerable<object> All =>
        [
            new Nothing(),
            new Leaves(),
            new Leaves
            {
                Text = "a\"b\n<é>\U0001F600", Letter = 'ß', Yes = true, Byte = 1, SByte = -1, Short = -2, UShort = 3, Int = int.MinValue, UInt = uint.MaxValue,
                Long = long.MinValue, ULong = ulong.MaxValue,
                Single = 0.1f, Double = 0.1 + 0.2, Decimal = 12.50m, Half = (Half)1.5, Int128 = Int128.MaxValue, UInt128 = UInt128.MaxValue,
                Big = BigInteger.Pow(10, 40), Time = Utc, Offset = new(2026, 1, 2, 5, 4, 5, TimeSpan.FromHours(2)),
                Day = new(2026, 1, 2), TimeOfDay = new(3, 4, 5, 678), Span = TimeSpan.FromHours(30), Id = Guid.AllBitsSet,
                Address = new("https://x.example/a b"), Version = new(1, 2), Bytes = [1, 2, 3], Memory = new byte[] { 4 }, ReadOnly = new byte[] { 5 },
                Plan = Plan.Pro, Access = FileAccess.ReadWrite, Node = JsonNode.Parse("[1,{\"a\":null}]"), Object = new() { ["t"] = Utc, ["z"] = null },
                Array = [1, null], One = JsonValue.Create(1.50m), Element = JsonElement.Parse("{\"n\":1.10}"),
            },
            new Nullables(null, null, null, null, null, null),
            new Nullables(1, Utc, Plan.Free, Guid.Empty, true, new Money(1.10m, "EUR")),
            new Named { First = "1", Second = 2, @class = "c", Größe = 3, Plain = "p", Ordered = 4, Never = null, Default = 0, Always = "x", Included = "in" },
            new Named { First = null, Second = 0, @class = "c", Größe = 3, Plain = null, Ordered = 4, Never = "n", Default = 7, Always = "x" },
            new Lists(),
            new Lists
            {
                Ints = [1, 2], Texts = ["a", null], Times = [Utc, null], Money = [new(1, "EUR"), new(2, "USD")], ReadOnly = ["x"], Any = Enumerable.Range(1, 3),
                Immutable = [3, 4], Set = ["s"], Nested = [[1], null, []],
                Bytes = [[1], [2]], Stack = new(["one"]), Plans = [Plan.Pro, null], Gaps = [null, new(1, "€")],
                Nodes = [null, 1, new JsonObject { ["a"] = null }],
            },
            new Dictionaries(),
            new Dictionaries
            {
                Plain = new(StringComparer.Ordinal) { ["a"] = "1", ["z\"é"] = null },
                Numbers = new Dictionary<string, decimal>(StringComparer.Ordinal) { ["n"] = 1.10m },
                ByPlan = new Dictionary<Plan, DateTime> { [Plan.Pro] = Utc }, ById = new() { [Guid.Empty] = 1 },
                ByNumber = new Dictionary<long, Money?> { [-1] = new(3, "EUR"), [2] = null }.ToFrozenDictionary(),
                Lists = new Dictionary<string, List<int?>?>(StringComparer.Ordinal)
                {
                    ["l"] = [1, null],
                    ["m"] = null,
                }.ToImmutableDictionary(StringComparer.Ordinal),
            },
            new Nested(new("Ada", new(2, "EUR"), null), new Node("root", new Node("leaf", null)), new KeyValuePair<string, int>("k", 1)),
            new Nested(null, null, null),
            new TimedByOffset(new(2026, 1, 2, 5, 4, 5, 678, TimeSpan.FromHours(2)), new(new(Utc))),
            new TimedByDate { time = Utc },
            new TimedByDate { time = Utc.ToLocalTime() },
            new TimedByDate(),
            new TimedByNumber(1767323045678),
            new Derived { Own = 1, Base = "b", Virtual = "derived", Hidden = 2 },
            new AsStruct(1, "a"),
            new AsPlainStruct { Name = "n", Count = 2 },
            new AsClass { Name = "n" },
            new Generic<int>("g") { More = 1 },
            new Outer.Inner("in"),
            Outer.OfPrivate(),
            new Outer.Generic<string>.Inner(5),
            new @event.@namespace.@class(1),
            new Quoted("q"),
            new NotFinite(double.NaN),
            new NotFinite(1.5),
            new OwnTime(DateTimeOffset.UnixEpoch),
            new Itself(Utc, new(Utc, null)),
            new Itself(Utc, null).Round(),
            new Maybes(null, null, null, null, null, null, null, null, null),
            new Maybes(new(2026, 1, 2), new(3, 4, 5), Guid.AllBitsSet, TimeSpan.FromTicks(1), 1.10m, Int128.MinValue, 'é', (Half)0.5, new Moment(new(Utc))),
            new Nulls(null, null, null),
            new Nulls(new("n", null, null), new(StringComparer.Ordinal) { ["a"] = null, ["b"] = new() { [1] = null, [2] = new(1, "EUR") } },
                [null, new(StringComparer.Ordinal) { ["c"] = null, ["d"] = [null] }]),
            new Keywords<int>
            {
                @record = 1,
                @await = 2,
                field = 3,
                value = 4,
                json = 5,
                happened = 6,
                System = 7,
                @global = 8,
                MixpanelConnector = 9,
                WriteObject1 = new("w", null),
                _ = 10,
            },
            .. InheritedSamples.All,
            .. EnumSamples.All,
        ];
    }

    enum Plan
    {
        Free,
        Pro,
    }

    sealed record Money(decimal Amount, string Currency);

    sealed record Person(string Name, Money? Balance, string? Missing);

    sealed record Node(string Name, Node? Next);

    readonly record struct Moment(DateTimeOffset time);

    [MixpanelEvent("Nothing")]
    sealed partial record Nothing;

    [MixpanelEvent("Leaves")]
    sealed partial record Leaves
    {
        public string? Text { get; init; }
        public char Letter { get; init; } = 'a';
        public bool Yes { get; init; }
        public byte Byte { get; init; }
        public sbyte SByte { get; init; }
        public short Short { get; init; }
        public ushort UShort { get; init; }
        public int Int { get; init; }
        public uint UInt { get; init; }
        public long Long { get; init; }
        public ulong ULong { get; init; }
        public float Single { get; init; }
        public double Double { get; init; }
        public decimal Decimal { get; init; }
        public Half Half { get; init; }
        public Int128 Int128 { get; init; }
        public UInt128 UInt128 { get; init; }
        public BigInteger Big { get; init; }
        public DateTime Time { get; init; }
        public DateTimeOffset Offset { get; init; }
        public DateOnly Day { get; init; }
        public TimeOnly TimeOfDay { get; init; }
        public TimeSpan Span { get; init; }
        public Guid Id { get; init; }
        public Uri? Address { get; init; }
        public Version? Version { get; init; }
        public byte[]? Bytes { get; init; }
        public Memory<byte> Memory { get; init; }
        public ReadOnlyMemory<byte> ReadOnly { get; init; }
        public Plan Plan { get; init; }
        public FileAccess Access { get; init; }
        public JsonNode? Node { get; init; }
        public JsonObject? Object { get; init; }
        public JsonArray? Array { get; init; }
        public JsonValue? One { get; init; }
        public JsonElement Element { get; init; } = JsonElement.Parse("0");
    }

    [MixpanelEvent("Nullables")]
    sealed partial record Nullables(int? Number, DateTime? Time, Plan? Plan, Guid? Id, bool? Flag, Money? Price);

    [MixpanelEvent("Maybes")]
    sealed partial record Maybes(DateOnly? Day, TimeOnly? Clock, Guid? Id, TimeSpan? Span, decimal? Price, Int128? Large, char? Letter, Half? Half,
        Moment? Moment);

    [MixpanelEvent("Nulls")]
    sealed partial record Nulls(Person? Person, Dictionary<string, SortedList<int, Money?>?>? ByName, List<Dictionary<string, string?[]?>?>? Dictionaries);

    [MixpanelEvent("Keywords")]
    sealed partial record Keywords<@int>
    {
        public int @record { get; init; }
        public int @await { get; init; }
        public int field { get; init; }
        public int value { get; init; }
        public int json { get; init; }
        public int happened { get; init; }
        public int System { get; init; }
        public int @global { get; init; }
        public int MixpanelConnector { get; init; }
        public Node? WriteObject1 { get; init; }
        public int _ { get; init; }
        public DateOnly Date { get; init; }
    }

    [MixpanelEvent("Named")]
    sealed partial record Named
    {
        [JsonPropertyName("the first")]
        public string? First { get; init; }

        [JsonPropertyName("zweite Größe")]
        public int Second { get; init; }

        public string? @class { get; init; }

        public int Größe { get; init; }

        public string? Plain { get; init; }

        [JsonPropertyOrder(-1)]
        public int Ordered { get; init; }

        [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
        public string? Never { get; init; }

        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
        public int Default { get; init; }

        [JsonIgnore]
        public string? Always { get; init; }

        [JsonInclude]
        internal string? Included { get; init; }

        [JsonInclude]
        public int Field = 3;

        public string? Left = "a field is not written";

        public static string Shared => "nor is what is shared";

        public string? WriteOnly { private get; init; }

        public string this[int index] => "an indexer";
    }

    [MixpanelEvent("Lists")]
    sealed partial record Lists
    {
        public int[]? Ints { get; init; }
        public List<string?>? Texts { get; init; }
        public IReadOnlyList<DateTime?>? Times { get; init; }
        public IReadOnlyCollection<Money>? Money { get; init; }
        public IList<string>? ReadOnly { get; init; }
        public IEnumerable<int>? Any { get; init; }
        public ImmutableArray<int>? Immutable { get; init; }
        public HashSet<string>? Set { get; init; }
        public int[]?[]? Nested { get; init; }
        public byte[][]? Bytes { get; init; }
        public List<Plan?>? Plans { get; init; }
        public List<Money?>? Gaps { get; init; }
        public List<JsonNode?>? Nodes { get; init; }
        public Queue<string>? Stack { get; init; }
    }

    [MixpanelEvent("Dictionaries")]
    sealed partial record Dictionaries
    {
        public Dictionary<string, string?>? Plain { get; init; }
        public IReadOnlyDictionary<string, decimal>? Numbers { get; init; }
        public IDictionary<Plan, DateTime>? ByPlan { get; init; }
        public SortedDictionary<Guid, int>? ById { get; init; }
        public FrozenDictionary<long, Money?>? ByNumber { get; init; }
        public ImmutableDictionary<string, List<int?>?>? Lists { get; init; }
    }

    [MixpanelEvent("Nested")]
    sealed partial record Nested(Person? Person, Node? Node, KeyValuePair<string, int>? Pair);

    [MixpanelEvent("Timed")]
    sealed partial record TimedByOffset([property: JsonPropertyName("time")] DateTimeOffset When, Moment Inner);

    [MixpanelEvent("Timed")]
    sealed partial record TimedByDate
    {
        public DateTime? time { get; init; }
    }

    [MixpanelEvent("Timed")]
    sealed partial record TimedByNumber([property: JsonPropertyName("time")] long When);

    [MixpanelEvent("Timed")]
    sealed partial record OwnTime([property: JsonPropertyName("Time")] DateTimeOffset When);

    [MixpanelEvent("Itself")]
    sealed partial record Itself(DateTime time, Itself? Inner)
    {
        public Itself? Again { get; private set; }

        public Itself Round()
        {
            Again = this;
            return this;
        }
    }

    record BaseEvent
    {
        public string? Base { get; init; }
        public virtual string? Virtual { get; init; }
        public int Hidden { get; init; }
    }

    [MixpanelEvent("Derived")]
    sealed partial record Derived : BaseEvent
    {
        public int Own { get; init; }
        public override string? Virtual { get; init; }
        public new long Hidden { get; init; }
    }

    [MixpanelEvent("Struct")]
    readonly partial record struct AsStruct(int Number, string Text);

    [MixpanelEvent("Struct")]
    partial struct AsPlainStruct
    {
        public string? Name { get; set; }
        public int Count { get; set; }
    }

    [MixpanelEvent("Class")]
    partial class AsClass
    {
        public string? Name { get; init; }
    }

    [MixpanelEvent("Generic")]
    partial record Generic<T>(string Name)
    {
        public int More { get; init; }
    }

    static partial class Outer
    {
        public static object OfPrivate() => new Private(Hidden.Two);

        enum Hidden
        {
            One,
            Two,
        }

        [MixpanelEvent("Inner")]
        public sealed partial record Inner(string Text);

        [MixpanelEvent("Private")]
        sealed partial record Private(Hidden Value);

        public partial struct Generic<T>
        {
            [MixpanelEvent("Deep")]
            public sealed partial record Inner(int Number);
        }
    }

    [MixpanelEvent("a \"name\"\n\\ \u2028 \U0001F600")]
    sealed partial record Quoted([property: JsonPropertyName("a \"name\"\n\\ \u2028 \U0001F600 <'")] string Text);

    [MixpanelEvent("Not finite")]
    sealed partial record NotFinite(double Value);
}

namespace @event.@namespace
{
    [MixpanelConnector.MixpanelEvent("Keyword")]
    sealed partial record @class(int @int);
}

using System.Collections.Immutable;
using System.Text.Json.Serialization;

#pragma warning disable CA1044, CA1721, CA1822, CA1852, MA0048, MA0053, MIXP008 // the members of these kinds are what is tested

namespace MixpanelConnector.Generators.Tests;

/// <summary>Events whose properties are inherited, overridden, hidden or ignored: the rules of System.Text.Json decide which of them are written.</summary>
static class InheritedSamples
{
    public static IEnumerable<object> All =>
    [
        WithBase(new Hiding { Id = 1, Text = "own", Inner = 2, Unread = "own", OwnName = "o", BaseName = "b", Shown = "s", Omitted = "o" }),
        WithBase(new HidingTwice { Id = "x", Text = "twice", OwnName = "o" }),
        WithBase(new HidingByOthers()),
        new Ignoring { A = 1, Between = 2, B = 3 },
        new Conditions(),
        new Conditions { Number = 1, Maybe = 0, Text = "", Plan = Plan.Pro, Price = new(1, "EUR"), Reading = 3, Writing = 4, Empty = [], Inner = new(null, 0) },
        new PageOfMoney(new(1, "EUR"), [new(2, "USD")], Next: 3) { ByName = new(StringComparer.Ordinal) { ["a"] = new(3, "CHF"), ["b"] = null } },
        new PageOfPages(new(1, [2]), [], Next: null),
        new Positional(1, "a", Rest: null),
        new Implementing { Given = 5 },
        new Required { Name = "n", Items = [1] },
        new Required { Name = null!, Items = default },
        new Holder(new HidingBase { Id = 1 }, new Hiding { Id = 2 }, new HidingByOthers()),
    ];

    static T WithBase<T>(T value)
        where T : HidingBase
    {
        HidingBase inherited = value;
        (inherited.Id, inherited.Text, inherited.Inner, inherited.Unread, inherited.Method, inherited.Nested, inherited.Shared) =
            (11, "base", 12, "base", 13, 14, 15);
        return value;
    }
}

record HidingBase
{
    public int Id { get; set; }
    public string? Text { get; set; }
    public int Inner { get; set; }
    public string? Unread { get; set; }
    public int Method { get; set; }
    public int Nested { get; set; }
    public int Shared { get; set; }
    public virtual string? OwnName { get; init; }

    [JsonPropertyName("base_name")]
    public virtual string? BaseName { get; init; }

    [JsonIgnore]
    public virtual string? Shown { get; init; }

    public virtual string? Omitted { get; init; }
}

[MixpanelEvent("Hiding")]
partial record Hiding : HidingBase
{
    [JsonPropertyName("own_id")]
    public new int Id { get; init; }

    [JsonIgnore]
    public new string? Text { get; init; }

    internal new int Inner { get; init; }

    public new string? Unread { private get; init; }

    [JsonPropertyName("own_name")]
    public override string? OwnName { get; init; }

    public override string? BaseName { get; init; }

    public override string? Shown { get; init; }

    [JsonIgnore]
    public override string? Omitted { get; init; }
}

[MixpanelEvent("Hiding")]
sealed partial record HidingTwice : Hiding
{
    public new string? Id { get; init; }

    [JsonPropertyName("text")]
    public new string? Text { get; init; }

    public override string? OwnName { get; init; }
}

[MixpanelEvent("Hiding")]
sealed partial record HidingByOthers : HidingBase
{
    public static new int Shared => 3;

    public new int Method() => 4;

    public new sealed record Nested;

    [JsonInclude]
    public new long Id = 5;
}

[MixpanelEvent("Ignoring")]
sealed partial record Ignoring
{
    [JsonIgnore]
    public int A { get; init; }

    public int Between { get; init; }

    [JsonPropertyName("A")]
    public int B { get; init; }
}

[MixpanelEvent("Conditions")]
sealed partial record Conditions
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Number { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int? Maybe { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? Text { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public Plan Plan { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Money? Price { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenReading)]
    public int Reading { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWriting)]
    public int Writing { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IReadOnlyList<int>? Empty { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public Maybe? Inner { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public Guid? Id { get; init; }
}

sealed record Maybe([property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Kept,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Left);

record Page<T>(T Item, IReadOnlyList<T> More)
{
    public Dictionary<string, T?>? ByName { get; init; }
}

[MixpanelEvent("Page")]
sealed partial record PageOfMoney(Money Item, IReadOnlyList<Money> More, int? Next) : Page<Money>(Item, More);

[MixpanelEvent("Page")]
sealed partial record PageOfPages(Page<int> Item, IReadOnlyList<Page<int>> More, int? Next) : Page<Page<int>>(Item, More);

record PositionalBase(int Number, string Text);

[MixpanelEvent("Positional")]
sealed partial record Positional(int Number, string Text, string? Rest) : PositionalBase(Number + 1, Text);

abstract record AbstractBase
{
    public abstract int Given { get; init; }

    public virtual int Doubled => 2 * Given;
}

[MixpanelEvent("Implementing")]
sealed partial record Implementing : AbstractBase, IComparable<Implementing>
{
    public override int Given { get; init; }

    int IComparable<Implementing>.CompareTo(Implementing? other) => 0;
}

[MixpanelEvent("Required")]
readonly partial record struct Required
{
    public required string Name { get; init; }

    public ImmutableArray<int> Items { get; init; }
}

[MixpanelEvent("Holder")]
sealed partial record Holder(HidingBase Base, Hiding Hiding, HidingByOthers Others);

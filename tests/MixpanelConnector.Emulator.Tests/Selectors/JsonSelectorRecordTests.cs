using System.Text;
using System.Text.Json;
using MixpanelConnector.Emulator.Selectors;

namespace MixpanelConnector.Emulator.Tests.Selectors;

public sealed class JsonSelectorRecordTests
{
    static readonly Selector AandB = Selector.Parse("""properties["a"] == properties["b \"q\" é"] and user["a"] == 1""", SelectorDialect.Events);

    [Theory]
    [InlineData("null")]
    [InlineData("true")]
    [InlineData("false")]
    [InlineData("-12.5")]
    [InlineData("\"t\\u00e9xt \\\"q\\\" \\n\"")]
    [InlineData("[1,\"a\",[true,null],{\"b\":2}]")]
    [InlineData("{\"a\":{\"a\":1},\"b\":[]}")]
    public void A_property_has_the_value_of_its_json(string json)
    {
        var record = new JsonSelectorRecord(AandB);
        record.Load($$"""{"x":{"a":[0]},"a": {{json}},"y":[{"a":0}]}""");

        Assert.Equal(SelectorValue.FromJson(JsonElement.Parse(json)), record.Get(PropertyRoot.Properties, "a"));
    }

    [Fact]
    public void A_name_is_found_however_it_is_escaped()
    {
        var record = new JsonSelectorRecord(AandB);
        record.Load("""{"b \u0022q\" \u00E9":1,"\u0061":2}"""u8);

        Assert.Equal(SelectorValue.FromNumber(1), record.Get(PropertyRoot.Properties, "b \"q\" é"));
        Assert.Equal(SelectorValue.FromNumber(2), record.Get(PropertyRoot.Properties, "a"));
    }

    [Theory]
    [InlineData("""{"x":"a","a":2,"y":"a"}""", "a")]
    [InlineData("{\"x\":\"a\" ,\n\"a\"\t: 2 }", "a")]
    [InlineData("""{"a":1,"x":true,"a":2}""", "a")]
    [InlineData("""{"x":",a:2,","a":2,"aa":1,"ba":1}""", "a")]
    [InlineData("""{"é":2,"e":1}""", "é")]
    [InlineData("""{"a":":","x":1,":":2}""", ":")]
    [InlineData("""{"a":"::","x":1,":":2}""", ":")]
    [InlineData("""{"x":"a","b":1,"a\",\"b":2}""", "a\",\"b")]
    [InlineData("""{"x":"","y":1,"":2}""", "")]
    public void A_name_is_told_from_a_text_that_looks_like_it(string json, string name)
    {
        var record = new JsonSelectorRecord([new PropertyReference(PropertyRoot.Properties, name)]);
        record.Load(json);

        Assert.Equal(SelectorValue.FromNumber(2), record.Get(PropertyRoot.Properties, name));
    }

    [Theory]
    [InlineData("""{"x":"a","b":1}""", "a")]
    [InlineData("""{"a":"::","x":1}""", ":")]
    [InlineData("""{"x":"a","b":1}""", "a\",\"b")]
    public void What_only_looks_like_a_name_is_none(string json, string name)
    {
        var record = new JsonSelectorRecord([new PropertyReference(PropertyRoot.Properties, name)]);
        record.Load(json);

        Assert.True(record.Get(PropertyRoot.Properties, name).IsUndefined);
    }

    [Fact]
    public void The_next_record_replaces_the_one_before()
    {
        var record = new JsonSelectorRecord(AandB);
        record.Load("""{"a":1,"a":2}""");
        Assert.Equal(SelectorValue.FromNumber(2), record.Get(PropertyRoot.Properties, "a"));

        record.Load("{}");
        Assert.True(record.Get(PropertyRoot.Properties, "a").IsUndefined);
    }

    [Fact]
    public void Only_the_roots_own_and_referenced_properties_are_there()
    {
        var record = new JsonSelectorRecord(AandB, PropertyRoot.User);
        record.Load("""{"a":1,"c":2}""");

        Assert.Equal(SelectorValue.FromNumber(1), record.Get(PropertyRoot.User, "a"));
        Assert.True(record.Get(PropertyRoot.Properties, "a").IsUndefined);
        Assert.True(record.Get(PropertyRoot.User, "c").IsUndefined);
    }

    [Theory]
    [InlineData("9007199254740993", 9007199254740992)]
    [InlineData("-1405123841946871899", -1405123841946871899)]
    public void A_large_integer_is_its_nearest_double(string json, double expected)
    {
        var record = new JsonSelectorRecord(AandB);
        record.Load($$"""{"a":{{json}}}""");

        Assert.Equal(SelectorValue.FromNumber(expected), record.Get(PropertyRoot.Properties, "a"));
    }

    [Fact]
    public void A_number_beyond_the_range_is_undefined()
    {
        var record = new JsonSelectorRecord(AandB);
        record.Load("""{"a":1e400}""");

        Assert.True(record.Get(PropertyRoot.Properties, "a").IsUndefined);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[1]")]
    [InlineData("null")]
    [InlineData("{\"a\":1")]
    [InlineData("{\"a\":}")]
    public void What_is_not_an_object_is_refused(string json)
    {
        var record = new JsonSelectorRecord(AandB);

        Assert.ThrowsAny<JsonException>(() => record.Load(json));
        Assert.ThrowsAny<JsonException>(() => record.Load(Encoding.UTF8.GetBytes(json)));
    }
}

using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using MixpanelConnector.Tool.Surfaces.Mcp;

namespace MixpanelConnector.Tool.Tests.Mcp;

public sealed class FenceTests
{
    [Theory]
    [InlineData("plain text, Ünïcödé, 日本語, 👍", "plain text, Ünïcödé, 日本語, 👍")]
    [InlineData("a\u001b[31mred\u001b[0m b", "ared b")]
    [InlineData("a\u001b]8;;http://evil.example\u0007link\u001b]8;;\u0007", "alink")]
    [InlineData("a\u001b]52;c;aGk=\u001b\\b", "a\\b")]
    [InlineData("user\u202etxt.exe\u2066x\u2069", "usertxt.exex")]
    [InlineData("ze\u200bro\u200d\ufeff\u2060\u00ad", "zero")]
    [InlineData("hid\U000E0041\U000E0042den\ufe0f\U000E0101", "hidden")]
    [InlineData("bell\u0007\0\b\r\u0085", "bell")]
    [InlineData("line\u2028sep\u2029", "linesep")]
    [InlineData("two\nlines\tkept", "two\nlines\tkept")]
    [InlineData("![x](http://evil.example/?q=1) [y](z)", "![x] (http://evil.example/?q=1) [y] (z)")]
    [InlineData("]\u200b(", "] (")]
    public void M6_hidden_characters_escapes_and_links_are_taken_out(string text, string clean) =>
        Assert.Equal(clean, (string?)Fence.Around(Json(new JsonObject { ["a"] = text }), WireSize.AsJsonAndText)["a"]);

    [Fact]
    public void M6_a_text_has_at_most_1_KB_and_says_that_it_was_cut()
    {
        var answer = Fence.Around(Json(new JsonObject { ["a"] = new string('é', 5000), ["b"] = "short" }), WireSize.AsJsonAndText);
        Assert.Equal(new string('é', 512), (string?)answer["a"]);
        Assert.Equal("short", (string?)answer["b"]);
        Assert.True((bool?)answer["truncated"]);
        Assert.Null(Fence.Around(Json(new JsonObject { ["a"] = "short" }), WireSize.AsJsonAndText)["truncated"]);
    }

    [Fact]
    public void M6_an_answer_has_at_most_64_KB_and_keeps_its_form()
    {
        var results = new JsonArray([.. Enumerable.Range(0, 1000).Select(n => (JsonNode)new JsonObject { ["distinct_id"] = $"u{n}", ["properties"] = new JsonObject { ["x"] = new string('"', 500) } })]);
        var answer = Fence.Around(Json(new JsonObject { ["results"] = results, ["page"] = 0, ["session_id"] = "s" }), WireSize.AsJsonAndText);

        Assert.InRange(Encoding.UTF8.GetByteCount(answer.ToJsonString()), 20_000, Fence.MostBytes);
        Assert.Equal(("s", 0), ((string?)answer["session_id"], (int?)answer["page"]));
        Assert.Equal("u0", (string?)answer["results"]![0]!["distinct_id"]);
        Assert.True((bool?)answer["truncated"]);
    }

    [Fact]
    public void Numbers_keep_their_text() =>
        Assert.Equal("""{"a":1.10,"b":12345678901234567890,"c":null,"d":true}""", Fence.Around("""{"a":1.10,"b":12345678901234567890,"c":null,"d":true}"""u8, WireSize.AsText).ToJsonString());

    [Fact]
    public void M6_no_text_gets_through_with_what_is_hidden_or_beyond_the_limit() =>
        Gen.String[Gen.OneOf(Gen.Char, Gen.Const('\u001b'), Gen.Const(']'), Gen.Const('('), Gen.Const('\u202e'), Gen.Const('\u200b'), Gen.Const('"')), 0, 3000].Sample(text =>
        {
            var clean = (string)Fence.Around(Json(new JsonObject { ["a"] = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) }), WireSize.AsJsonAndText)["a"]!;
            Assert.DoesNotContain("](", clean, StringComparison.Ordinal);
            Assert.DoesNotContain(clean, c => c is '\u001b' or '\u202e' or '\u200b' || (char.IsControl(c) && c is not ('\n' or '\t')));
            Assert.InRange(Encoding.UTF8.GetByteCount(clean), 0, Fence.MostTextBytes + 200);
        }, seed: "0000KHZN4VDk", iter: 500);

    static byte[] Json(JsonNode node) => Encoding.UTF8.GetBytes(node.ToJsonString());
}

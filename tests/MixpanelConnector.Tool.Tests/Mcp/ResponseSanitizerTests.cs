using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using MixpanelConnector.Tool.Surfaces.Mcp;

namespace MixpanelConnector.Tool.Tests.Mcp;

public sealed class ResponseSanitizerTests
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
    [InlineData("![x][1]\n[1]: <http://evil.example>", "![x][1]\n[1] : < http://evil.example>")]
    [InlineData("<HTTPS://evil.example/a> <a@evil.example> <\u200bhttp://b>", "< HTTPS://evil.example/a> < a@evil.example> < http://b>")]
    [InlineData("<img src=x> </a > <!-- x --> <svg/onload=x>", "< img src=x> < /a > < !-- x --> < svg/onload=x>")]
    [InlineData("Seen <b> a<b, 1 < 2 -> <> <3", "Seen <b> a<b, 1 < 2 -> <> <3")]
    [InlineData("a\u034fb\u17b4c\u17b5d", "abcd")] // joiner of graphemes, inherent vowels of Khmer
    [InlineData("a\u180b\u180c\u180d\u180e\u180fb", "ab")] // Mongolian selectors and separator
    [InlineData("a\u2065\ufff0\ufff8\U000E0FFF\U000E0080b", "ab")] // set aside to be ignored
    [InlineData("a\U0001BCA0\U0001D173b\u115f\u1160\u3164\uffa0\u2800c", "abc")]
    [InlineData("\u0600\u0661 \u06dd\u0662 \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0600\u0661 \u06dd\u0662 \u0645\u06cc\u062e\u0648\u0627\u0647\u0645")] // signs of Arabic that are seen stay, a joiner that is not goes
    [InlineData("e\u0301 \u0e01\u0e34 \u1100\u1161", "e\u0301 \u0e01\u0e34 \u1100\u1161")] // marks that belong to letters
    public void Hidden_characters_escapes_and_links_are_taken_out(string text, string clean) =>
        Assert.Equal(clean, (string?)ResponseSanitizer.Around(Json(new JsonObject { ["a"] = text }), WireSize.AsJsonAndText)["a"]);

    [Fact]
    public void A_text_has_at_most_1_KB_and_says_that_it_was_cut()
    {
        var answer = ResponseSanitizer.Around(Json(new JsonObject { ["a"] = new string('é', 5000), ["b"] = "short" }), WireSize.AsJsonAndText);
        Assert.Equal(new string('é', 512), (string?)answer["a"]);
        Assert.Equal("short", (string?)answer["b"]);
        Assert.True((bool?)answer["truncated"]);
        Assert.Null(ResponseSanitizer.Around(Json(new JsonObject { ["a"] = "short" }), WireSize.AsJsonAndText)["truncated"]);
    }

    [Fact]
    public void An_answer_has_at_most_64_KB_and_keeps_its_form()
    {
        var results = new JsonArray([.. Enumerable.Range(0, 1000)
            .Select(n => (JsonNode)new JsonObject { ["distinct_id"] = $"u{n}", ["properties"] = new JsonObject { ["x"] = new string('"', 500) } })]);
        var answer = ResponseSanitizer.Around(Json(new JsonObject { ["results"] = results, ["page"] = 0, ["session_id"] = "s" }), WireSize.AsJsonAndText);

        Assert.InRange(Encoding.UTF8.GetByteCount(answer.ToJsonString()), 20_000, ResponseSanitizer.MostBytes);
        Assert.Equal(("s", 0), ((string?)answer["session_id"], (int?)answer["page"]));
        Assert.Equal("u0", (string?)answer["results"]![0]!["distinct_id"]);
        Assert.True((bool?)answer["truncated"]);
    }

    [Fact]
    public void Every_text_of_a_problem_is_cleaned()
    {
        var problem = ResponseSanitizer.Problem(Configuration.Invalid("[x](y)\u202e\u034f", "a\u200bb \u001b[31m[x](y)").Error);
        Assert.Equal(("[x] (y)", "ab [x] (y)"), (problem.Field, problem.Message));
    }

    [Fact]
    public void Numbers_keep_their_text() =>
        Assert.Equal("""{"a":1.10,"b":12345678901234567890,"c":null,"d":true}""",
            ResponseSanitizer.Around("""{"a":1.10,"b":12345678901234567890,"c":null,"d":true}"""u8, WireSize.AsText).ToJsonString());

    [Fact]
    public void No_text_gets_through_with_what_is_hidden_or_beyond_the_limit() =>
        Gen.String[Gen.OneOf(Gen.Char, Gen.Const('\u001b'), Gen.Const(']'), Gen.Const('('), Gen.Const('\u202e'), Gen.Const('\u200b'),
            Gen.Const('"')), 0, 3000].Sample(text =>
        {
            var clean = (string)ResponseSanitizer.Around(Json(new JsonObject { ["a"] = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) }),
                WireSize.AsJsonAndText)["a"]!;
            Assert.DoesNotContain("](", clean, StringComparison.Ordinal);
            Assert.DoesNotContain(clean, c => c is '\u001b' or '\u202e' or '\u200b' || (char.IsControl(c) && c is not ('\n' or '\t')));
            Assert.InRange(Encoding.UTF8.GetByteCount(clean), 0, ResponseSanitizer.MostTextBytes + 200);
        }, seed: "0000KHZN4VDk", iter: 500);

    static byte[] Json(JsonNode node) => Encoding.UTF8.GetBytes(node.ToJsonString());
}

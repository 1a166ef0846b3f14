namespace MixpanelConnector.Generators.Tests;

/// <summary>The code fixes and their results.</summary>
public sealed class CodeFixTests
{
    [Theory]
    [InlineData("MIXP001", """[MixpanelEvent("E")] public sealed record E(int N);""", """[MixpanelEvent("E")] public sealed partial record E(int N);""")]
    [InlineData("MIXP001",
        "/// <summary>An event.</summary>\nrecord struct Outer\n{\n    /// <summary>Another.</summary>\n    [MixpanelEvent(\"E\")] class E;\n}\n",
        "/// <summary>An event.</summary>\npartial record struct Outer\n{\n    /// <summary>Another.</summary>\n    [MixpanelEvent(\"E\")] partial "
        + "class E;\n}\n")]
    [InlineData("MIXP002", """class C { void M(IMixpanelTracker tracker) => tracker.Track("u", new E(1)); } [MixpanelEvent("E")] record E(int N);""",
        """class C { void M(IMixpanelTracker tracker) => tracker.Track("u", new E(1)); } [MixpanelEvent("E")] partial record E(int N);""")]
    [InlineData("MIXP003", """[MixpanelEvent("$mp_Order \"placed\"")] partial record E(int N);""",
        """[MixpanelEvent("Order \"placed\"")] partial record E(int N);""")]
    [InlineData("MIXP003", """[MixpanelEvent("$")] partial record E(int N);""", """[MixpanelEvent("event")] partial record E(int N);""")]
    [InlineData("MIXP004", """[MixpanelEvent("E")] partial record E([property: JsonPropertyName("$mine")] int N);""",
        """[MixpanelEvent("E")] partial record E([property: JsonPropertyName("mine")] int N);""")]
    [InlineData("MIXP004", """[MixpanelEvent("E")] partial record E(int event_token, string token);""",
        """[MixpanelEvent("E")] partial record E(int event_token, [property: JsonPropertyName("event_event_token")] string token);""")]
    [InlineData("MIXP004", """[MixpanelEvent("E")] partial record E(int N, string token);""",
        """[MixpanelEvent("E")] partial record E(int N, [property: JsonPropertyName("event_token")] string token);""")]
    [InlineData("MIXP004",
        "[MixpanelEvent(\"E\")]\npartial class E\n{\n    /// <summary>The token.</summary>\n    [Obsolete]\n    public string? token { get; init; }\n}\n",
        "[MixpanelEvent(\"E\")]\npartial class E\n{\n    /// <summary>The token.</summary>\n    [JsonPropertyName(\"event_token\")]\n    [Obsolete]\n    "
        + "public string? token { get; init; }\n}\n")]
    [InlineData("MIXP008",
        """[MixpanelEvent("A")] partial record A(int Plan); [MixpanelEvent("B")] partial record B([property: JsonPropertyName("plan")] int P);""",
        """[MixpanelEvent("A")] partial record A(int Plan); [MixpanelEvent("B")] partial record B([property: JsonPropertyName("Plan")] int P);""")]
    [InlineData("MIXP009", """[MixpanelEvent("a")] partial record A(int N); [MixpanelEvent("A")] partial record B(int N);""",
        """[MixpanelEvent("a")] partial record A(int N); [MixpanelEvent("a")] partial record B(int N);""")]
    [InlineData("MIXP007",
        """class C { void M(IMixpanelTracker tracker, DateTimeOffset t) => tracker.Track("e", "u", new { time = t.AddDays(1).ToUnixTimeSeconds() }); }""",
        """class C { void M(IMixpanelTracker tracker, DateTimeOffset t) => tracker.Track("e", "u", new { time = t.AddDays(1).ToUnixTimeMilliseconds() }); }""")]
    [InlineData("MIXP007",
        """class C { void M(IMixpanelTracker tracker, DateTimeOffset t) => tracker.Track("e", "u", new { time = t.AddDays(1).ToUnixTimeSeconds() }); }""",
        """class C { void M(IMixpanelTracker tracker, DateTimeOffset t) => tracker.Track("e", "u", new { time = t.AddDays(1) }); }""", 1)]
    [InlineData("MIXP007",
        """class C { void M(IMixpanelTracker tracker, DateTimeOffset t) => tracker.Track("e", "u", new { time = (int)(t.ToUnixTimeSeconds()) }); }""",
        """class C { void M(IMixpanelTracker tracker, DateTimeOffset t) => tracker.Track("e", "u", new { time = t.ToUnixTimeMilliseconds() }); }""")]
    [InlineData("MIXP007",
        """class C { void M(IMixpanelTracker tracker, DateTimeOffset t) => tracker.Track("e", "u", new { time = (int)(t.ToUnixTimeSeconds()) }); }""",
        """class C { void M(IMixpanelTracker tracker, DateTimeOffset t) => tracker.Track("e", "u", new { time = t }); }""", 1)]
    [InlineData("MIXP007",
        """class C { void M(IMixpanelTracker tracker, DateTimeOffset t) => tracker.Track("e", "u", new JsonObject { ["seen"] = t.ToUnixTimeSeconds() }); }""",
        """class C { void M(IMixpanelTracker tracker, DateTimeOffset t) => tracker.Track("e", "u", new JsonObject { ["seen"] = t }); }""")]
    public async Task A_fix_makes_of_it(string id, string source, string expected, int which = 0)
    {
        var changed = await Compiled.FixedAsync(source, id, which);
        Assert.Equal(expected, changed);
        Assert.DoesNotContain(await Compiled.DiagnosticsAsync(changed), found => found.Id == id);
        Compiled.WithGenerated(changed);
    }
}

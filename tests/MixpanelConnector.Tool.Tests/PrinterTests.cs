using System.Globalization;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests;

/// <summary>Hostile text has no effect on a terminal.</summary>
public class PrinterTests
{
    /// <summary>A colour, a window title, a clipboard write, C1, direction overrides, zero width, line separators, private use, and Spectre's markup.</summary>
    const string Hostile =
        "\u001b[31mred\u001b]0;title\u0007\u001b]52;c;AAAA\u0007\u009b31m\u0085\u202e\u2066\u200b\ufeff\u2028\u2029\u0000\r\b[red]x[/] [[ ü 日本 😀 end";

    static readonly string Page = $$$"""{"page":0,"page_size":1000,"results":[{"$distinct_id":{{{JsonSerializer.Serialize(Hostile)}}},"$properties":{"$distinct_id":"twice",{{{JsonSerializer.Serialize(Hostile)}}}:{{{JsonSerializer.Serialize(Hostile)}}}}}]}""";

    static bool IsUnsafe(Rune rune) =>
        rune.Value != '\n'
            && Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;

    static void AssertSafe(string text) => Assert.DoesNotContain(text.EnumerateRunes(), rune => rune.Value != '\n' && IsUnsafe(rune));

    [Theory]
    [InlineData(true, "query-user-profiles")]
    [InlineData(true, "query-user-profiles", "--all")]
    [InlineData(false, "query-user-profiles", "--output", "table")]
    public async Task Hostile_text_reaches_a_terminal_only_as_escapes(bool terminal, params string[] arguments)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Page));
        using var tool = Tool.At(server, terminal);

        var run = await tool.RunAsync(arguments);

        Assert.Equal((0, ""), (run.Exit, run.Err));
        AssertSafe(run.Out);
        Assert.Contains("[red]x[/]", run.Out, StringComparison.Ordinal);
        Assert.Contains("ü 日本", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_on_a_terminal_has_only_its_own_escapes()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Page));
        using var tool = Tool.At(server, terminal: true);

        var run = await tool.RunAsync("query-user-profiles", "--output", "table");

        Assert.Equal(0, run.Exit);
        Assert.DoesNotContain("\u001b]", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b[31m", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(run.Out, character => character is '\u009b' or '\u202e' or '\u200b' or '\u2028' or '\u0007');
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Json_says_the_same_to_a_person_and_to_a_program(bool terminal)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Page));
        using var tool = Tool.At(server, terminal);

        var run = await tool.RunAsync("query-user-profiles");

        Assert.Equal(Hostile, run.Json.GetProperty("results")[0].GetProperty("$distinct_id").GetString());
        Assert.Equal(terminal, run.Out.Contains("\n  ", StringComparison.Ordinal));
        Assert.EndsWith("}\n", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Numbers_are_printed_as_they_came()
    {
        await using var server = await RecordingServer.StartAsync(_ =>
            Answer.Json("""{"results":[{"$distinct_id":"1","$properties":{"a":1.10,"b":12345678901234567890,"c":1e2}}]}"""));
        using var tool = Tool.At(server);

        foreach (var arguments in (string[][])[["query-user-profiles"], ["query-user-profiles", "--all"]])
            Assert.Contains("""{"a":1.10,"b":12345678901234567890,"c":1e2}""", (await tool.RunAsync(arguments)).Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_problem_is_text_for_a_person_and_json_for_a_program(bool terminal)
    {
        using var tool = new Tool { Terminal = terminal };

        var run = await tool.RunAsync("query-user-profiles", "--input", """{"wh\u001b[31m\u202eere":1}""", "--token", "0123456789abcdef");

        Assert.Equal((2, ""), (run.Exit, run.Out));
        AssertSafe(run.Err);
        if (terminal) Assert.StartsWith("mixpanel: ", run.Err, StringComparison.Ordinal);
        else Assert.Equal("invalid_input", run.Problem.GetProperty("kind").GetString());
    }

    [Fact]
    public async Task A_table_shows_facts_and_lists()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(
            """{"results":[{"id":1,"username":"a.1","creator":5},{"id":2,"username":"b.2","expires":"2027-01-31T00:00:00Z"}],"status":"ok"}"""));
        using var tool = Tool.At(server);

        var run = await tool.RunAsync("get-all-service-accounts", "--organization-id", "1", "--output", "table");

        foreach (var text in (string[])["service_accounts", "username", "a.1", "b.2", "2027-01-31T00:00:00Z", "total", "creator"])
            Assert.Contains(text, run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a":{"b":{"c":1,"d":["x","y"]}},"e":null,"f":[],"g":"text"}""", "a.b.c  1|a.b.d  x, y|e      |f      |g      text")]
    [InlineData("""{"a":{"b":1,"c":{}}}""", "a.b  1|a.c  ")]
    [InlineData("""{"a":[[1,2],{"k":{"m":[null,true]}}]}""", "│ null, true │")]
    [InlineData("""{"values":{"Signed Up":{"2026-11-01":3},"Left":{"2026-11-02":4}}}""", "│ 2026-11-01 │ 3         │      │|│ 2026-11-02 │           │ 4    │")]
    [InlineData("""{"data":{"2026-11-01":{"steps":[{"count":7}]}}}""", "data.2026-11-01.steps")]
    public void A_table_shows_nested_values_readably(string json, string lines)
    {
        using var output = new MemoryStream();
        var printer = new Surfaces.Cli.Printer(new HostEnvironment { Environment = _ => null, Input = Stream.Null, Output = output, Error = TextWriter.Null },
            asTable: true);
        printer.Json(System.Text.Encoding.UTF8.GetBytes(json));
        var text = System.Text.Encoding.UTF8.GetString(output.ToArray());
        foreach (var line in lines.Split('|')) Assert.Contains(line, text, StringComparison.Ordinal);
        Assert.DoesNotContain("{\"", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _mixpanel mixpanel")]
    [InlineData("zsh", "compdef _mixpanel mixpanel")]
    [InlineData("fish", "complete -f -c mixpanel")]
    [InlineData("pwsh", "Register-ArgumentCompleter")]
    public async Task Each_shell_has_its_completion_script(string shell, string line)
    {
        using var tool = new Tool();

        var run = await tool.RunAsync("completion", shell);

        Assert.Equal((0, ""), (run.Exit, run.Err));
        Assert.Contains(line, run.Out, StringComparison.Ordinal);
        Assert.Contains("[suggest:", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mixpanel tra", "track-event")]
    [InlineData("mixpanel track-event --ev", "--event")]
    [InlineData("mixpanel query-user-profiles --region ", "eu")]
    [InlineData("mixpanel --region eu create-anno", "create-annotation")]
    [InlineData("mixpanel impo", "import")]
    [InlineData("mixpanel help lexi", "lexicon")]
    [InlineData("mixpanel create-pipeline --type ", "bigquery")]
    [InlineData("mixpanel create-pipeline --trial ", "true")]
    [InlineData("mixpanel mcp --tools ", "all")]
    [InlineData("mixpanel mcp --tools lex", "lexicon")]
    [InlineData("mixpanel serve --tools annotations,lex", "annotations,lexicon")]
    public async Task The_program_answers_what_the_completion_scripts_ask(string line, string suggestion)
    {
        using var tool = new Tool();

        var run = await tool.RunAsync($"[suggest:{line.Length}]", line);

        Assert.Equal((0, ""), (run.Exit, run.Err));
        Assert.Contains("\n" + suggestion + "\n", "\n" + run.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_shell_exits_2()
    {
        using var tool = new Tool();
        Assert.Equal(2, (await tool.RunAsync("completion", "cmd")).Exit);
    }

    [Fact]
    public async Task The_version_is_printed()
    {
        using var tool = new Tool();
        var run = await tool.RunAsync("--version");
        Assert.Equal(0, run.Exit);
        Assert.Matches(@"^\d+\.\d+\.\d+", run.Out);
    }
}

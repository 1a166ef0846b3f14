using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Cli;
using MixpanelConnector.Tool.Surfaces.Docs;

namespace MixpanelConnector.Tool.Tests;

public class HelpTests
{
    static readonly string[] NoArguments = [];

    [Theory]
    [InlineData("")]
    [InlineData("help")]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("--output table --help")]
    public async Task The_help_of_the_program_fits_on_one_screen_and_names_every_group(string line)
    {
        using var tool = new Tool();
        var run = await tool.RunAsync(line.Length == 0 ? NoArguments : line.Split(' '));

        Assert.Equal((0, ""), (run.Exit, run.Err));
        var lines = run.Out.TrimEnd('\n').Split('\n');
        Assert.True(lines.Length <= 24, $"{lines.Length} lines");
        Assert.All(lines, text => Assert.True(text.Length <= 80, text));
        Assert.All(ActionCatalogue.Groups, group => Assert.Contains($"\n  {group.Name} ", run.Out, StringComparison.Ordinal));
        foreach (var command in (string[])["import", "serve", "mcp", "emulator", "config", "--local"])
            Assert.Contains(command, run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_command_is_in_the_help_of_the_program_or_of_a_group()
    {
        using var tool = new Tool();
        var help = (await tool.RunAsync("help")).Out;
        foreach (var group in ActionCatalogue.Groups) help += (await tool.RunAsync("help", group.Name)).Out;
        var words = help.Split([' ', '\n', ',', ';', ':', '(', ')', '.'], StringSplitOptions.RemoveEmptyEntries);
        Assert.Empty(CommandLine.Names.Except(words, StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(50)]
    [InlineData(80)]
    [InlineData(110)]
    public async Task The_description_of_a_command_is_wrapped_to_the_width(int columns)
    {
        using var tool = new Tool();
        tool.Environment["COLUMNS"] = columns.ToString(System.Globalization.CultureInfo.InvariantCulture);
        foreach (var command in CommandLine.Names.Where(CommandLine.IsOther))
        {
            var lines = (await tool.RunAsync(command, "--help")).Out.Split('\n');
            Assert.All(lines.Where(line => line is not [] and not [' ', ..]), line => Assert.True(line.TrimEnd().Length <= columns, $"{command}: {line}"));

            // A line ends only where the next word does not fit, or its paragraph ends.
            foreach (var (line, next) in lines.Zip(lines.Skip(1))
                .Where(pair => pair.First is not [] and not [' ', ..] and not [.., ':'] && pair.Second is not [] and not [' ', ..]))
                Assert.True(line.Length + 1 + next.Split(' ')[0].Length > columns, $"{command}: {line}");
        }
    }

    [Fact]
    public async Task The_help_of_a_group_lists_its_actions_with_summary_and_effect()
    {
        using var tool = new Tool();
        foreach (var group in ActionCatalogue.Groups)
        {
            var run = await tool.RunAsync("help", group.Name);
            Assert.Equal((0, ""), (run.Exit, run.Err));
            Assert.All(run.Out.Split('\n'), text => Assert.True(text.Length <= 80, text));
            var words = Words(run.Out);
            Assert.All(group.Actions,
                action => Assert.Contains(
                    Words($"{Name(action)} {action.Effect.ToString().ToLowerInvariant()}{(action is { Effect: ActionEffect.Update, CanBeUndone: false } ? "!" : "")} {XmlDocs.Summary(action)}"),
                    words, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task An_action_has_one_help_under_all_its_names()
    {
        using var tool = new Tool();
        foreach (var action in ActionCatalogue.Actions)
        {
            var own = await tool.RunAsync(Name(action), "--help");
            Assert.Equal((0, ""), (own.Exit, own.Err));
            Assert.Equal(own, await tool.RunAsync("help", Name(action)));
            Assert.Equal(own, await tool.RunAsync("help", action.Name));
            if (ActionCatalogue.Find(action.OperationId.Replace('-', '_')) is null) Assert.Equal(own, await tool.RunAsync("help", action.OperationId));
            var words = Words(own.Out);
            foreach (var fact in (string?[])
            [
                action.Group.Name,
                action.OperationId,
                action.Documentation.ToString(),
                action.Effect.ToString().ToLowerInvariant(),
                ActionFacts.Needs(action.Auth),
                ActionFacts.Costs(action.Cost),
                XmlDocs.Example(action),
            ])
                Assert.Contains(Words(fact!), words, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Every_action_is_a_command_that_asks_for_credentials_first()
    {
        using var tool = new Tool();
        foreach (var action in ActionCatalogue.Actions)
        {
            var run = await tool.RunAsync([Name(action), .. action.HasSecret ? ["--show-secret"] : NoArguments]);
            Assert.True((run.Exit, run.Out) == (2, "") && run.Err.Contains("--local", StringComparison.Ordinal), $"{action.Name}: {run.Err}");
        }
    }

    [Theory]
    [InlineData("create-annotation --date --help", "mixpanel create-annotation [options]")]
    [InlineData("create-annotation --no-such-option --help", "mixpanel create-annotation [options]")]
    [InlineData("--output table create-annotation surplus --help", "mixpanel create-annotation [options]")]
    [InlineData("config --help --region mars", " config [options]")]
    [InlineData("import status --state --help", "status [options]")]
    [InlineData("help import", "--dead-letter")]
    [InlineData("help emulator export", "export <FILE> [options]")]
    [InlineData("help --output table import", "--dead-letter")]
    [InlineData("help options", "MIXPANEL_WORKSPACE_ID")]
    public async Task The_help_of_a_command_is_always_its_own(string line, string text)
    {
        using var tool = new Tool();
        var run = await tool.RunAsync(line.Split(' '));
        Assert.Equal((0, ""), (run.Exit, run.Err));
        Assert.Contains(text, run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("help anotations", "annotations")]
    [InlineData("help cohort", "list-cohorts")]
    [InlineData("help create_anotation", "create-annotation")]
    [InlineData("help improt", "import")]
    [InlineData("help qqqqqqqq", "mixpanel help")]
    [InlineData("help annotations surplus", "mixpanel help")]
    [InlineData("help --no-such", "mixpanel help --help")]
    [InlineData("crate-annotation --help", "create-annotation")]
    public async Task A_word_that_is_not_known_exits_2_with_the_nearest_names(string line, string text)
    {
        using var tool = new Tool();
        var run = await tool.RunAsync(line.Split(' '));
        Assert.Equal((2, ""), (run.Exit, run.Out));
        Assert.Contains(text, run.Problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("create-pipeline", "client_secret")]
    [InlineData("create-pipeline", "snowflake_password")]
    public async Task What_is_confidential_is_no_option_and_comes_from_a_file_alone(string command, string field)
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);
        var option = "--" + field.Replace('_', '-');
        var input = $$"""{"type":"s3-raw","from_date":"2026-11-01","{{field}}":"hunter2"}""";

        Assert.DoesNotContain(option, (await tool.RunAsync(command, "--help")).Out, StringComparison.Ordinal);
        foreach (var run in (Run[])[await tool.RunAsync(command, option, "hunter2"), await tool.RunAsync(command, "--input", input)])
        {
            Assert.Equal((2, ""), (run.Exit, run.Out));
            Assert.Contains("--input @FILE", run.Err, StringComparison.Ordinal);
            Assert.DoesNotContain("hunter2", run.Err, StringComparison.Ordinal);
        }

        Assert.Empty(server.Requests);
        Assert.DoesNotContain("is confidential", (await tool.RunAsync(command, "--input", "@" + tool.Folder.Write("input.json", input))).Err,
            StringComparison.Ordinal);
    }

    static string Name(ActionDescriptor action) => action.Name.Replace('_', '-');

    static string Words(string text) => string.Concat(text.Where(character => !char.IsWhiteSpace(character)));
}

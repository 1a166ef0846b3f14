using System.CommandLine;
using System.Globalization;
using MixpanelConnector.Tool.Surfaces.Cli;

namespace MixpanelConnector.Tool.Tests;

public class UnknownWordTests
{
    [Theory]
    [InlineData("import", "events.ndjson", "--local", "--state", "")]
    [InlineData("import", "events.ndjson", "--local", "--report", "")]
    [InlineData("import", "events.ndjson", "--dead-letter", "")]
    [InlineData("import", "--replay", "")]
    [InlineData("import", "", "--local")]
    [InlineData("import", "status", "--state", "")]
    [InlineData("serve", "--state", "")]
    [InlineData("serve", "--keys", "")]
    [InlineData("config", "--secret-file", "")]
    [InlineData("emulator", "--data", "")]
    public async Task A_path_that_is_empty_is_told_as_one(params string[] line)
    {
        using var tool = new Tool();
        var run = await tool.RunAsync(line);
        Assert.True(run.Exit == 2 && run.Out.Length == 0, $"exit {run.Exit}: {run.Err}");
        Assert.Contains(" is empty", run.Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Specify a command", "--local")]
    [InlineData("Specify a command", "--output", "json")]
    [InlineData("Specify a command", "--quiet", "--project-id", "5")]
    [InlineData("Specify a command", "--")]
    [InlineData("Specify a command", "--local", "--")]
    [InlineData("mixpanel check", "--", "check")]
    [InlineData("mixpanel import", "--local", "--", "import", "a.ndjson")]
    [InlineData("must precede them", "--", "hunter2")]
    [InlineData("Specify what to do: profile list, use, show, delete", "profile")]
    [InlineData("Specify what to do: generate ", "generate", "--local")]
    [InlineData("not a command", "")]
    [InlineData("'--output'", "--output")]
    public async Task A_command_line_without_a_command_is_told_as_one(string expected, params string[] line)
    {
        using var tool = new Tool();
        var run = await tool.RunAsync(line);
        Assert.True(run.Exit == 2 && run.Out.Length == 0, $"exit {run.Exit}: {run.Out}{run.Err}");
        Assert.Contains(expected, run.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", run.Err, StringComparison.Ordinal);

        // For a person, the text does not begin with the name of a place.
        using var terminal = new Tool { Terminal = true };
        Assert.DoesNotMatch("^mixpanel: (argument|option): ", (await terminal.RunAsync(line)).Err);
    }

    [Theory]
    [InlineData("--version")]
    [InlineData("--local --version")]
    [InlineData("--local --help")]
    [InlineData("--quiet -h")]
    public async Task What_is_asked_without_a_command_is_answered_beside_other_options(string line)
    {
        using var tool = new Tool();
        var run = await tool.RunAsync(line.Split(' '));
        Assert.Equal((0, ""), (run.Exit, run.Err));
        Assert.NotEmpty(run.Out);
    }

    [Theory]
    [InlineData("emulator --deletion-delay abc", "'--deletion-delay' must be a whole number from 0 to 2592000.")]
    [InlineData("emulator --deletion-delay 1.5", "'--deletion-delay' must be a whole number from 0 to 2592000.")]
    [InlineData("emulator --port=99999999999", "'--port' must be a whole number from 0 to 65535.")]
    [InlineData("serve --rate x", "'--rate' must be a whole number from 1 to 1000000.")]
    [InlineData("import a.ndjson --senders x", "'--senders' must be a whole number from 1 to 20.")]
    public async Task A_value_of_another_form_is_told_in_words(string line, string expected)
    {
        using var tool = new Tool();
        var run = await tool.RunAsync(line.Split(' '));
        Assert.Equal(2, run.Exit);
        Assert.Contains(expected, run.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", run.Err, StringComparison.Ordinal);
    }

    /// <summary>Every option of every command, except those of actions, whose values are checked by their schemas.</summary>
    static IEnumerable<(string Line, Option Option)> Options()
    {
        var host = new HostEnvironment { Environment = _ => null, Input = Stream.Null, Output = Stream.Null, Error = TextWriter.Null };
        using var stop = new Stop();
        return
        [
            .. CommandLine.Build(host, stop).Subcommands.Where(command => CommandLine.IsOther(command.Name)).SelectMany(command => Of(command, command.Name)),
        ];

        static IEnumerable<(string, Option)> Of(Command command, string line) =>
            command.Options.Select(option => (line, option)).Concat(command.Subcommands.SelectMany(child => Of(child, $"{line} {child.Name}")));
    }

    [Fact]
    public async Task A_number_that_an_option_does_not_accept_is_refused_with_its_name_and_range()
    {
        var numbers = Options()
            .Where(one => (Nullable.GetUnderlyingType(one.Option.ValueType) ?? one.Option.ValueType) is var type
                && (type == typeof(int) || type == typeof(long) || type == typeof(double) || type == typeof(decimal))).ToList();
        Assert.True(numbers.Count >= 18, $"{numbers.Count} options are numbers");
        foreach (var (line, option) in numbers)
        {
            var range = Assert.IsType<IRangedOption>(option, exactMatch: false).Range;
            var most = long.Parse(range[(range.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
            foreach (var value in (string[])
            [
                "-1", "-2147483649", "-9223372036854775808", "9223372036854775808", "1e3", "0x10", "1.5", "NaN", "ten", "１",
                .. most == long.MaxValue ? Array.Empty<string>() : [(most + 1).ToString(CultureInfo.InvariantCulture)],
            ])
            {
                using var tool = new Tool();
                var run = await tool.RunAsync([.. line.Split(' '), $"{option.Name}={value}"]);

                Assert.True((run.Exit, run.Out) == (2, ""), $"{line} {option.Name}={value}: exit {run.Exit}: {run.Err}");
                Assert.Contains($"'{option.Name}' must be {range}.", run.Err, StringComparison.Ordinal);
                Assert.Equal(CommonOptions.Name(option), run.Problem.GetProperty("field").GetString());
            }
        }
    }

    /// <summary>Numbers and durations that are texts until a command reads them.</summary>
    [Theory]
    [InlineData("import - --skip-lines -1", "skip_lines")]
    [InlineData("import - --skip-lines 99999999999", "skip_lines")]
    [InlineData("import - --time-offset 1e400", "time_offset")]
    [InlineData("import - --time-offset 999999999999", "time_offset")]
    [InlineData("import - --time-offset NaN", "time_offset")]
    [InlineData("import - --max-outage -5s", "max_outage")]
    [InlineData("import - --max-outage 999999999999d", "max_outage")]
    [InlineData("import - --backoff-min 1.7976931348623157E308h", "backoff_min")]
    [InlineData("import - --backoff-max abc", "backoff_max")]
    [InlineData("import - --table-id 5 --type lookup-table", "table_id")]
    [InlineData("serve --import-time 0", "import_time")]
    [InlineData("serve --import-time -1h", "import_time")]
    [InlineData("serve --import-time 999999999999h", "import_time")]
    [InlineData("consume amqp://localhost/q --consumer-timeout -1s", "consumer_timeout")]
    [InlineData("consume amqp://localhost/q --consumer-timeout 99999999d", "consumer_timeout")]
    [InlineData("config --project-id -1", "project_id")]
    [InlineData("config --project-id 99999999999999999999", "project_id")]
    [InlineData("config --organization-id x", "organization_id")]
    [InlineData("config --workspace-id 1.5", "workspace_id")]
    [InlineData("emulator export a.ndjson --data . --project-id -1", "project_id")]
    [InlineData("emulator export a.ndjson --data . --project-id 99999999999", "project_id")]
    public async Task A_text_that_is_no_number_is_refused_with_the_name_of_its_option(string line, string field)
    {
        using var tool = new Tool();
        tool.Environment["MIXPANEL_TOKEN"] = "0123456789abcdef0123456789abcdef";
        var run = await tool.RunAsync(line.Split(' '));
        Assert.True(run.Exit == 2, $"exit {run.Exit}: {run.Err}{run.Out}");
        Assert.Equal(field, run.Problem.GetProperty("field").GetString());
    }

    /// <summary>All places where a secret may end up by mistake.</summary>
    [Theory]
    [InlineData("config --client-secret=hunter2")]
    [InlineData("config --client-secret hunter2")]
    [InlineData("config --client_secret:hunter2")]
    [InlineData("config --SERVICE-ACCOUNT-SECRET=hunter2")]
    [InlineData("config --service_account_secret hunter2")]
    [InlineData("config --secrets-file=hunter2")]
    [InlineData("config --pass=hunter2")]
    [InlineData("config --passwordhunter2")]
    [InlineData("config --api-key=hunter2")]
    [InlineData("config --auth-token hunter2")]
    [InlineData("config --foo=hunter2")]
    [InlineData("config --foo hunter2")]
    [InlineData("config -p hunter2")]
    [InlineData("config -phunter2")]
    [InlineData("config hunter2")]
    [InlineData("hunter2")]
    [InlineData("improt hunter2")]
    [InlineData("import events.ndjson --client-secret=hunter2")]
    [InlineData("import --client-secret hunter2")]
    [InlineData("import events.ndjson --foo=hunter2")]
    [InlineData("import events.ndjson --state --client-secret=hunter2")]
    [InlineData("import events.ndjson --report --foo=hunter2")]
    [InlineData("emulator export --password=hunter2")]
    [InlineData("serve --port hunter2")]
    [InlineData("serve --port=hunter2")]
    [InlineData("config --output hunter2")]
    [InlineData("config --secret-file hunter2")]
    [InlineData("config --secret-file no/such/hunter2")]
    [InlineData("query-user-profiles --local --page hunter2")]
    public async Task A_value_that_came_to_the_wrong_place_is_not_repeated(string line)
    {
        using var tool = new Tool();
        var run = await tool.RunAsync(line.Split(' '));
        Assert.Equal((2, ""), (run.Exit, run.Out));
        Assert.DoesNotContain("hunter", run.Err, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("improt a.ndjson", "'improt' is not known here. Did you mean import? See: ")]
    [InlineData("config --prject-id=3", "'--prject-id…' is not known here. Did you mean --project-id? See: ")]
    [InlineData("create-annotation --descripton x", "Did you mean --description?")]
    [InlineData("query-activity-stream --distinct_ids a", "Did you mean --distinct-ids?")]
    [InlineData("import a.ndjson --grup-key x", "Did you mean --group-key?")]
    [InlineData("track_event", "Did you mean track-event?")]
    [InlineData("crate-annotation", "Did you mean create-annotation?")]
    [InlineData("pipeline", "resume-pipeline")]
    [InlineData("feature-flags", "mixpanel help feature-flags")]
    [InlineData("user_profiles", "mixpanel help user-profiles")]
    [InlineData("emulator exprt", "Did you mean export?")]
    [InlineData("config 3 4", "Word 2 of the command line is not known here.")]
    [InlineData("emulator export --nmae x", "emulator export --help")]
    [InlineData("serve --port x", "'--port'")]
    [InlineData("import a.ndjson --state --restart", "--state")]
    public async Task What_is_wrong_is_still_said(string line, string said)
    {
        using var tool = new Tool();
        var run = await tool.RunAsync(line.Split(' '));
        Assert.Equal(2, run.Exit);
        Assert.Contains(said, run.Problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_word_that_is_not_UTF_8_is_told_with_its_bytes_unless_it_may_be_a_secret()
    {
        Assert.Null(UnknownWord.NotUtf8(["import"u8.ToArray(), "ü\uFFFD"u8.ToArray()]));
        Assert.Contains(@"Word 2 of the command line, b\xff.ndjson,", UnknownWord.NotUtf8(["import"u8.ToArray(), [(byte)'b', 0xff, .. ".ndjson"u8]]),
            StringComparison.Ordinal);
        foreach (var words in (byte[][][])[[[.. "--foo=hunter"u8, 0xff]], ["--client-secret"u8.ToArray(), [.. "hunter"u8, 0xff]]])
            Assert.DoesNotContain("hunter", UnknownWord.NotUtf8(words), StringComparison.Ordinal);
    }
}

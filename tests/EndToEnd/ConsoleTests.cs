using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>The console in headless Chromium, as the real program serves it. The steps are in clients/console.mjs.</summary>
public sealed class ConsoleTests
{
    [Fact]
    public async Task Every_number_is_that_of_the_store() => await OnEmulatorAsync("numbers");

    [Fact]
    public async Task Every_page_is_accessible_wide_and_narrow_light_and_dark() => await OnEmulatorAsync("accessible");

    [Fact]
    public async Task Every_actions_form_answers_and_shows_mistakes_where_they_are()
    {
        var done = await OnEmulatorAsync("forms");
        Assert.Equal(ActionCatalogue.Actions.Length,
            ActionCatalogue.Actions.Count(action => done.Output.Split('\n').Any(line => line.StartsWith($"{action.Name}: ", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task An_action_is_found_by_words_and_what_is_for_good_is_asked_about_first() => await OnEmulatorAsync("search");

    [Fact]
    public async Task What_arrives_shows_by_itself() => await OnEmulatorAsync("live");

    [Fact]
    public async Task A_page_that_breaks_leaves_the_others_and_of_a_server_that_is_down_nothing_else_is_said() => await OnEmulatorAsync("broken");

    [Fact]
    public async Task The_keyboard_is_enough() => await OnEmulatorAsync("keyboard");

    [Fact]
    public async Task Three_hundred_hostile_texts_are_shown_and_do_nothing() =>
        Assert.InRange(
            int.Parse(Regex.Match((await OnEmulatorAsync("hostile")).Output, @"(?<texts>\d+) texts", RegexOptions.NonBacktracking).Groups["texts"].Value,
                System.Globalization.CultureInfo.InvariantCulture),
            300, 1000);

    [Fact]
    public async Task Imports_of_the_command_line_show_how_they_ended()
    {
        using var home = new Home();
        await using var emulator = await EmulatorProcess.StartAsync(home, []);
        var file = home.Write("some.ndjson", """{"event":"A","properties":{"time":1790000000,"distinct_id":"u","$insert_id":"1"}}""" + "\n{}\n");
        Assert.Equal(3, (await Run.MixpanelAsync(home, ["import", file], Credentials.At(emulator.Address.AbsoluteUri.TrimEnd('/')))).ExitCode);
        var done = await DriveAsync("terminal", emulator.Address, home);
        Assert.True(done.ExitCode == 0, done.ToString());
    }

    [Fact]
    public async Task On_a_real_account_nothing_is_asked_unasked_and_what_only_the_embedded_one_has_is_hidden()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var home = new Home();
        await using var serve = await Serve.StartAsync(home, [], Credentials.For(mixpanel));
        var before = mixpanel.Requests.Count;
        var done = await DriveAsync("real", serve.Address, home);

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Equal("/api/query/events/names", Assert.Single(mixpanel.Requests.Skip(before)).Path);
    }

    [Fact]
    public async Task A_server_with_keys_asks_for_one_and_a_key_that_may_only_read_changes_nothing()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var home = new Home();
        var keys = home.File("keys.txt");
        var made = await Run.MixpanelAsync(home, ["serve", "new-key", "--keys", keys, "--name", "screen", "--scope", "read"]);
        await using var serve = await Serve.StartAsync(home, ["--keys", keys], Credentials.For(mixpanel));
        var done = await DriveAsync("key", serve.Address, home, ("CONSOLE_KEY", (string)JsonNode.Parse(made.Output)!["key"]!));

        Assert.True(done.ExitCode == 0, done.ToString());
    }

    [Fact]
    public async Task What_needs_no_page_is_tested_without_one()
    {
        using var home = new Home();
        using var node = Run.Start("npm", ["test", "--silent", "--prefix", Repository.File("src/MixpanelConnector.Console")], home);
        var done = await Run.EndAsync(node);

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Matches(@"(?m)^# pass [1-9]\d*", done.Output);
    }

    [Fact]
    public async Task The_consoles_files_are_those_that_its_source_makes()
    {
        using var home = new Home();
        using var node =
            Run.Start("npm", ["run", "--silent", "build", "--prefix", Repository.File("src/MixpanelConnector.Console"), "--", home.File("made")], home);
        var done = await Run.EndAsync(node);

        Assert.True(done.ExitCode == 0, done.ToString());
        var assets = Directory.GetFiles(Repository.File("src/MixpanelConnector.Tool/Surfaces/Console/assets"));
        Assert.Equal("console.css console.js console.svg index.html", string.Join(' ', assets.Select(Path.GetFileName).Order(StringComparer.Ordinal)));
        foreach (var file in assets)
        {
            var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            Assert.True(text == await File.ReadAllTextAsync(Path.Combine(home.File("made"), Path.GetFileName(file)), TestContext.Current.CancellationToken),
                $"{file} is stale: npm run build, in src/MixpanelConnector.Console");
            Assert.Contains("Generated by: npm run build", text.Split('\n')[0], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_form_sends_the_input_of_every_row_with_which_it_is_filled()
    {
        using var home = new Home();
        await using var emulator = await EmulatorProcess.StartAsync(home, []);
        var rows = home.Write("rows.json",
            $"[{string.Join(',', ActionRow.All.Select(row => $$"""{"action":"{{row.Action}}","input":{{row.Input.GetRawText()}}}"""))}]");
        using var node = Run.Start("node", [Repository.File("tests/EndToEnd/clients/forms.mjs"), emulator.Address.AbsoluteUri, rows], home);
        var done = await Run.EndAsync(node);
        Assert.True(done.ExitCode == 0, done.ToString());

        JsonElement[] filled = [.. JsonElement.Parse(done.Output).EnumerateArray()];
        Assert.Equal(ActionRow.All.Count, filled.Length);
        var faults = ActionRow.All.Zip(filled)
            .Where(pair => !Fits(pair.First, pair.Second))
            .Select(pair => $"{pair.First.Name}: {pair.First.Input.GetRawText()}\n{pair.Second.GetRawText()}").ToList();
        Assert.True(faults.Count == 0, string.Join("\n\n", faults));
    }

    /// <summary>
    /// Whether a form sends the input of a row, with the confirmation and the defaults of the fields that the row leaves out. A mistake in the row's input
    /// is sent, too, unless the form points to it or cannot contain it; all other fields are sent as they are.
    /// </summary>
    static bool Fits(ActionRow row, JsonElement filled)
    {
        var action = ActionCatalogue.Find(row.Action)!;
        var schema = action.InputSchema();
        var (given, sent) = (ActionRow.ValuesOf(row.Input), JsonElement.Parse(filled.GetProperty("sent").GetString()!));
        var mistake = row.Problem?.Mistake;
        return row.Changed(sent).All(name => name == mistake || (!given.Contains(name) && IsAdded(name, sent.GetProperty(name))))
            && filled.GetProperty("faults").EnumerateObject().All(fault => fault.Name == mistake || (mistake is not null && !given.Contains(fault.Name)));

        bool IsAdded(string name, JsonElement value) => name == "confirm"
            ? action.NeedsConfirmation
            : schema["properties"]![name]!["default"] is { } initial && JsonElement.DeepEquals(value, JsonElement.Parse(initial.ToJsonString()));
    }

    [Fact]
    public async Task The_calls_beside_a_form_do_what_the_form_does()
    {
        using var home = new Home();
        await using var emulator = await EmulatorProcess.StartAsync(home, []);
        using var node = Run.Start("node", [Repository.File("tests/EndToEnd/clients/calls.mjs"), emulator.Address.AbsoluteUri], home);
        var calls = await Run.EndAsync(node);
        Assert.True(calls.ExitCode == 0, calls.ToString());

        var code = new List<string>();
        foreach (var (action, call) in JsonNode.Parse(calls.Output)!.AsObject())
        {
            code.Add($"{{ {(string)call!["csharp"]!} }}");
            if (!InterfaceClientsTests.Usual.Contains(action, StringComparer.Ordinal)) continue; // what the others name is not there
            using var curl = Run.Start("bash", ["-c", (string)call!["curl"]! + " --silent --fail-with-body"], home);
            var answer = await Run.EndAsync(curl);
            Assert.True(answer.ExitCode == 0, $"{action}: {answer}");

            using var shell = Run.Start("bash",
                ["-c",
                    ((string)call["cli"]!)
                        .Replace("nightly-import", "hourly-import", StringComparison.Ordinal)
                        .Replace("secret.txt", home.File("secret.txt"), StringComparison.Ordinal)
                        .Replace("mixpanel ", $"{ToolUnderTest.InShell} ", StringComparison.Ordinal)],
                home, Credentials.At(emulator.Address.AbsoluteUri.TrimEnd('/')));
            var printed = await Run.EndAsync(shell);
            Assert.True(printed.ExitCode == 0, $"{action}: {printed}");
        }

        Assert.Equal(ActionCatalogue.Actions.Length, code.Count);
        await CSharp.CompileAsync(home, "calls", $"""
            {CSharp.Usings}
            using System.Text.Json;
            using System.Text.Json.Nodes;
            using MixpanelConnector;
            using var client = new MixpanelClient(new MixpanelOptions());
            {string.Join('\n', code)}
            """, typeof(MixpanelClient).Assembly.Location);
    }

    static async Task<Finished> OnEmulatorAsync(string task)
    {
        using var home = new Home();
        await using var emulator = await EmulatorProcess.StartAsync(home, []);
        var done = await DriveAsync(task, emulator.Address, home);
        Assert.True(done.ExitCode == 0, done.ToString());
        return done;
    }

    static async Task<Finished> DriveAsync(string task, Uri address, Home home, params IEnumerable<(string Name, string Value)> environment)
    {
        using var node = Run.Start("node", [Repository.File("tests/EndToEnd/clients/console.mjs"), task, address.AbsoluteUri, ""], home,
            environment.ToDictionary(variable => variable.Name, variable => variable.Value, StringComparer.Ordinal));
        return await Run.EndAsync(node);
    }
}

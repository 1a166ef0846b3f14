namespace MixpanelConnector.Faults;

/// <summary>Stop signals.</summary>
public sealed class SignalTests
{
    [Theory]
    [InlineData("Term", 143)]
    [InlineData("Int", 130)]
    [InlineData("Hup", 129)]
    public async Task A_signal_ends_in_order_and_the_same_command_finishes(string signal, int exitCode)
    {
        await using var scene = Slow();
        // Much of the import remains when the signal arrives, however late that is on a busy machine.
        scene.Server.Script = asked => new Reply { Delay = TimeSpan.FromMilliseconds(asked.Number <= 20 ? 10 : 1000) };
        using var importer = Start(scene);
        await scene.Server.UntilAsync(() => scene.Server.Requests > 20, importer.Exit);
        importer.Send(Enum.Parse<Signal>(signal));
        var stopped = await scene.EndAsync(importer);

        Assert.True(stopped.ExitCode == exitCode, stopped.ToString());
        Assert.Equal("", scene.Judge(stopped));
        var state = scene.ReadState();
        Assert.NotNull(state);
        // A graceful stop: answered requests are settled, so nothing accepted is resent.
        Assert.Equal(scene.Journal.Count, state.Accepted);
        Assert.Equal("", string.Join('\n', Oracle.JudgeState(null, state, [.. scene.Inputs.SelectMany(SourceRecord.ReadAll)], scene.Journal.Arrivals)));

        scene.Server.Script = _ => Reply.Good;
        await FinishAsync(scene);
        Assert.Equal(scene.Journal.Count, scene.Journal.Arrivals.Select(arrival => arrival.Oid).Distinct().Count());
    }

    [Fact]
    public async Task Requests_without_an_answer_are_left_after_a_while()
    {
        await using var scene = Slow();
        scene.Server.Script = asked => asked.Number <= 5 ? Reply.Good : new Reply { Ending = Ending.Never };
        using var importer = Start(scene);
        await scene.Server.UntilAsync(() => scene.Server.Requests > 5, importer.Exit);
        importer.Send(Signal.Term);
        var stopped = await scene.EndAsync(importer);

        Assert.True(stopped.ExitCode == 143, stopped.ToString());
        Assert.Equal("", scene.Judge(stopped));
        scene.Server.Script = _ => Reply.Good;
        await FinishAsync(scene);
    }

    [Theory]
    [InlineData("Term", "Term")]
    [InlineData("Term", "Int")]
    [InlineData("Int", "Int")]
    public async Task A_second_signal_ends_at_once_and_loses_nothing(string first, string second)
    {
        await using var scene = Slow();
        scene.Server.Script = asked => asked.Number <= 5 ? Reply.Good : new Reply { Ending = Ending.Never };
        using var importer = Start(scene);
        await scene.Server.UntilAsync(() => scene.Server.Requests > 5, importer.Exit);
        // The second must arrive after the first was handled, which is not observable: it is repeated until it works.
        importer.Send(Enum.Parse<Signal>(first));
        while (importer.IsRunning)
        {
            await Task.WhenAny(Task.Delay(50), importer.Exit);
            importer.Send(Enum.Parse<Signal>(second));
        }

        var stopped = await scene.EndAsync(importer);
        Assert.True(stopped.ExitCode is 143 or 130, stopped.ToString());
        Assert.Null(scene.Report()); // what ends in order writes one
        scene.Server.Script = _ => Reply.Good;
        await FinishAsync(scene);
    }

    /// <summary>Under nohup or in a shell's background, a program rightly ignores SIGHUP or SIGINT; the tests themselves may run that way.</summary>
    static Importer Start(Scene scene) => Importer.StartOther("env", ["--default-signal", .. ToolUnderTest.Command, .. scene.Command], scene.Settings());

    static Scene Slow()
    {
        var scene = new Scene().Given(new Lines { BadEvery = 50 }, 4000).With("--batch-events", "40", "--senders", "2");
        scene.Server.Script = _ => new Reply { Delay = TimeSpan.FromMilliseconds(10) };
        return scene;
    }

    static async Task FinishAsync(Scene scene)
    {
        var done = await scene.RunAsync();
        Assert.True(done.ExitCode == 3, done.ToString());
        Assert.Equal("", scene.Judge(done));
    }
}

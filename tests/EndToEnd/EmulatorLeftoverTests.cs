namespace MixpanelConnector.EndToEnd;

/// <summary>Temporary files of an embedded Mixpanel that was killed.</summary>
[Trait("tool", "native")]
public sealed class EmulatorLeftoverTests
{
    [Fact]
    public async Task They_are_deleted_at_the_next_start()
    {
        using var home = new Home();
        var place = Directory.CreateDirectory(home.File("tmp")).FullName;
        var left = await KillAsync(home, place);
        Assert.NotEmpty(left);

        var used = await KillAsync(home, place);

        Assert.Equal(left.Length, used.Length);
        Assert.Empty(left.Intersect(used, StringComparer.Ordinal));
    }

    [Fact]
    public async Task Those_of_one_that_runs_are_kept()
    {
        using var home = new Home();
        var place = Directory.CreateDirectory(home.File("tmp")).FullName;
        using var running = Run.StartMixpanel(home, Arguments, Temporary(place));
        await EmulatorProcess.GreetingOfAsync(running);
        var used = Directory.GetDirectories(place, "mixpanel-emulator-*");

        var both = await KillAsync(home, place);

        Assert.Empty(used.Except(both, StringComparer.Ordinal));
        running.Kill();
        await running.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    static string[] Arguments => ["emulator", "--port", "0", "--proxy", "--data", ":memory:"];

    static Dictionary<string, string> Temporary(string place) => new(StringComparer.Ordinal) { ["TMPDIR"] = place };

    /// <summary>Starts one, kills it, and returns the temporary folders that then exist.</summary>
    static async Task<string[]> KillAsync(Home home, string place)
    {
        using var server = Run.StartMixpanel(home, Arguments, Temporary(place));
        await EmulatorProcess.GreetingOfAsync(server);
        server.Kill();
        await server.WaitForExitAsync(TestContext.Current.CancellationToken);
        return Directory.GetDirectories(place, "mixpanel-emulator-*");
    }
}

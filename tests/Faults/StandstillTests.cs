namespace MixpanelConnector.Faults;

/// <summary>The process is suspended for a while, as on a sleeping machine.</summary>
public sealed class StandstillTests
{
    [Fact]
    public async Task Stopped_and_continued_it_still_holds_its_state_and_makes_its_connections_anew()
    {
        await using var scene = new Scene().Given(new Lines { BadEvery = 50 }, 2000).With("--batch-events", "40", "--senders", "3");
        var standing = false;
        scene.Server.Script =
            asked => Volatile.Read(ref standing) ? Reply.Reset(stores: asked.Number % 2 == 0) : new Reply { Delay = TimeSpan.FromMilliseconds(10) };
        using var importer = scene.Start();
        await scene.Server.UntilAsync(() => scene.Server.Requests > 10, importer.Exit);
        Volatile.Write(ref standing, true);
        importer.Send(Signal.Stop);
        await importer.UntilStateAsync('T');

        var other = await scene.RunAsync(); // as long as this takes, the first one stands
        Assert.True(other.ExitCode == 8, other.ToString());
        Assert.Contains($"process {importer.Id}", other.Said, StringComparison.Ordinal);

        Volatile.Write(ref standing, false);
        importer.Send(Signal.Cont);
        var done = await scene.EndAsync(importer);
        Assert.True(done.ExitCode == 3, done.ToString());
        Assert.Equal("", scene.Judge(done));
    }
}

namespace MixpanelConnector.Faults;

/// <summary>The input has changed since the import was interrupted.</summary>
public sealed class ChangedInputTests
{
    const int Count = 2000;

    static readonly Lines Shape = new() { BadEvery = 20 };

    [Fact]
    public async Task What_was_appended_is_imported_too()
    {
        await using var scene = await InterruptedAsync();
        await using (var file = new FileStream(scene.Inputs[0], FileMode.Append)) Shape.Write(file, Count, Count + 500);

        var done = await scene.RunAsync();
        Assert.True(done.ExitCode == 3, done.ToString());
        Assert.Equal("", scene.Judge(done));
        Assert.Equal(Count + 500, scene.Report()!.Value.GetProperty("read").GetInt64());

        // And again with a finished state.
        await using (var file = new FileStream(scene.Inputs[0], FileMode.Append)) Shape.Write(file, Count + 500, Count + 600);
        done = await scene.RunAsync();
        Assert.True(done.ExitCode == 3, done.ToString());
        Assert.Equal("", scene.Judge(done));
        Assert.Equal(Count + 600, scene.Report()!.Value.GetProperty("read").GetInt64());
    }

    [Fact]
    public async Task A_line_that_is_still_being_written_is_left_until_it_is_whole()
    {
        await using var scene = await InterruptedAsync();
        var line = new byte[1000];
        var length = Shape.Write(Count, line);
        await using (var file = new FileStream(scene.Inputs[0], FileMode.Append)) await file.WriteAsync(line.AsMemory(0, length / 2));
        var torn = await scene.RunAsync();
        Assert.True(torn.ExitCode == 6, torn.ToString());
        Assert.Equal(1, scene.Report()!.Value.GetProperty("pending").GetInt64());
        Assert.DoesNotContain(scene.Journal.Arrivals, arrival => arrival.Oid == Count);

        await using (var file = new FileStream(scene.Inputs[0], FileMode.Append)) await file.WriteAsync(line.AsMemory(length / 2, length - (length / 2)));
        var done = await scene.RunAsync();
        Assert.True(done.ExitCode == 3, done.ToString());
        Assert.Equal("", scene.Judge(done));
        Assert.Contains(scene.Journal.Arrivals, arrival => arrival.Oid == Count);
    }

    [Theory]
    [InlineData("a changed byte")]
    [InlineData("cut off")]
    [InlineData("another file")]
    [InlineData("emptied")]
    public async Task A_changed_beginning_ends_with_6_and_sends_nothing(string change)
    {
        await using var scene = await InterruptedAsync();
        var bytes = await File.ReadAllBytesAsync(scene.Inputs[0]);
        var settled = (int)scene.ReadState()!.Offsets["events.ndjson"];
        switch (change)
        {
            case "a changed byte":
                bytes[settled / 2] ^= 1;
                await File.WriteAllBytesAsync(scene.Inputs[0], bytes);
                break;
            case "cut off":
                await File.WriteAllBytesAsync(scene.Inputs[0], bytes[..(settled / 2)]);
                break;
            case "another file":
                Shape.WriteFile(scene.Inputs[0], 10_000, 10_000 + Count);
                break;
            default:
                await File.WriteAllBytesAsync(scene.Inputs[0], []);
                break;
        }

        var (requests, before) = (scene.Server.Requests, scene.ReadState());
        var ended = await scene.RunAsync();
        Assert.True(ended.ExitCode == 6, ended.ToString());
        Assert.Contains("events.ndjson", ended.Said, StringComparison.Ordinal);
        Assert.Equal(requests, scene.Server.Requests);
        Assert.Equal(before!.Offsets, scene.ReadState()!.Offsets);

        // With the right file restored, it resumes.
        Shape.WriteFile(scene.Inputs[0], 0, Count);
        var done = await scene.RunAsync();
        Assert.True(done.ExitCode == 3, done.ToString());
        Assert.Equal("", scene.Judge(done));
    }

    [Fact]
    public async Task A_vanished_input_ends_with_an_error_and_sends_nothing()
    {
        await using var scene = await InterruptedAsync();
        var requests = scene.Server.Requests;
        File.Move(scene.Inputs[0], scene.File("events.ndjson.1"));
        var ended = await scene.RunAsync();
        Assert.True(ended.ExitCode == 2, ended.ToString());
        Assert.Equal(requests, scene.Server.Requests);
    }

    static async Task<Scene> InterruptedAsync()
    {
        var scene = new Scene().Given(Shape, Count).With("--batch-events", "20", "--senders", "1");
        scene.Server.Script = _ => new Reply { Delay = TimeSpan.FromMilliseconds(10) };
        using var importer = scene.Start();
        await scene.Server.UntilAsync(() => scene.Server.Requests > 50, importer.Exit);
        importer.Send(Signal.Kill);
        Assert.Equal(137, (await scene.EndAsync(importer)).ExitCode);
        Assert.InRange(scene.ReadState()!.Offsets["events.ndjson"], 1000, new FileInfo(scene.Inputs[0]).Length - 1000);
        scene.Server.Script = _ => Reply.Good;
        return scene;
    }
}

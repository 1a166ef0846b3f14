using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests;

public sealed class LocalMixpanelTests
{
    [Fact]
    public async Task What_is_read_from_one_that_ends_meanwhile_is_read_from_the_next()
    {
        using var folder = new TemporaryFolder();
        await using var ending = new SocketServer(async conversation =>
        {
            if (await conversation.ReadHeadAsync() is not null && conversation.Number == 1)
                await conversation.SendAsync(SocketConversation.Http("""{"instance":"ending","store":"old"}"""));
        });
        folder.Write("server.json", $$"""{"address":"{{ending.Address}}","pid":1,"instance":"ending"}""");
        await using var local = await LocalMixpanel.OpenAsync(folder.Path, TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal(ending.Address, local.Address);

        var name = await local.StoreNameAsync(TestContext.Current.CancellationToken);

        Assert.NotEqual(ending.Address, local.Address);
        Assert.StartsWith($"{folder.Path}#", name, StringComparison.Ordinal);
        Assert.NotEqual($"{folder.Path}#old", name, StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("empty")]
    [InlineData("a text")]
    [InlineData("of a newer version")]
    public async Task A_store_that_is_damaged_ends_every_command_with_7_and_is_named(string damage)
    {
        using var tool = new Tool();
        var (data, events) =
            (tool.Folder.File("data"), tool.Folder.Write("events.ndjson", """{"event":"E","properties":{"time":1757000000,"distinct_id":"u"}}"""));
        await using (await LocalMixpanel.OpenAsync(data, TimeProvider.System, TestContext.Current.CancellationToken)) { }

        var store = Path.Combine(data, "mixpanel.duckdb");
        var bytes = await File.ReadAllBytesAsync(store, TestContext.Current.CancellationToken);
        switch (damage)
        {
            case "cut": bytes = bytes[..100_000]; break;
            case "empty": bytes = []; break;
            case "a text": bytes = "hello"u8.ToArray(); break;
            default: bytes[12] = 250; break; // the version that the file says it has
        }

        await File.WriteAllBytesAsync(store, bytes, TestContext.Current.CancellationToken);

        foreach (var command in (string[][])
        [
            ["emulator", "--port", "0", "--data", data],
            ["emulator", "export", tool.Folder.File("export.ndjson"), "--data", data],
            ["import", events, "--local", "--data", data, "--state", tool.Folder.File("state")],
            ["get-event-names", "--local", "--data", data],
            ["serve", "--port", "0", "--local", "--data", data, "--state", tool.Folder.File("serve")],
            ["mcp", "--local", "--data", data],
        ])
        {
            var run = await tool.RunAsync(command);
            Assert.True(run.Exit == 7, $"{command[0]}: {run.Exit} {run.Err}");
            Assert.Contains("mixpanel.duckdb", run.Err, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", run.Err, StringComparison.Ordinal);
            Assert.Equal(bytes, await File.ReadAllBytesAsync(store, TestContext.Current.CancellationToken));
        }
    }
}

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
            if (await conversation.ReadHeadAsync() is not null && conversation.Number == 1) await conversation.SendAsync(SocketConversation.Http("""{"instance":"ending","store":"old"}"""));
        });
        folder.Write("server.json", $$"""{"address":"{{ending.Address}}","pid":1,"instance":"ending"}""");
        await using var local = await LocalMixpanel.OpenAsync(folder.Path, TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal(ending.Address, local.Address);

        var name = await local.StoreNameAsync(TestContext.Current.CancellationToken);

        Assert.NotEqual(ending.Address, local.Address);
        Assert.StartsWith($"{folder.Path}#", name, StringComparison.Ordinal);
        Assert.NotEqual($"{folder.Path}#old", name, StringComparer.Ordinal);
    }
}

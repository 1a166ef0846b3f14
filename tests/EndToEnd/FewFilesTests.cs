using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>The server with a low limit of open files, and with connections that send nothing.</summary>
public sealed class FewFilesTests
{
    [Fact]
    public async Task More_idle_connections_than_files_keep_no_key_from_its_work()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var home = new Home();
        var keys = home.File("keys.txt");
        var made = await Run.MixpanelAsync(home, ["serve", "new-key", "--keys", keys, "--name", "writer", "--scope", "write"]);
        var key = (string)JsonNode.Parse(made.Output)!["key"]!;
        await using var serve = await Serve.StartAsync(home, ["--keys", keys], Credentials.For(mixpanel), files: 300);
        using var http = new HttpClient { Timeout = Hang.Limit, BaseAddress = serve.Address, DefaultRequestHeaders = { { "Authorization", $"Bearer {key}" } } };
        var idle = new List<Socket>();
        try
        {
            for (var i = 0; i < 400; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                idle.Add(socket);
                await socket.ConnectAsync(IPAddress.Loopback, serve.Address.Port, TestContext.Current.CancellationToken);
            }

            await TrackAsync(http, "while they are open");
        }
        finally
        {
            idle.ForEach(socket => socket.Dispose());
        }

        await TrackAsync(http, "after they are gone");
        Assert.Equal(2, (await mixpanel.EventsAsync(cancellationToken: TestContext.Current.CancellationToken)).Count);
    }

    static async Task TrackAsync(HttpClient http, string id)
    {
        var input = new JsonObject
        {
            ["event"] = "E",
            ["properties"] = new JsonObject
            {
                ["time"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
                ["distinct_id"] = "u",
                ["$insert_id"] = id.Replace(' ', '-'),
            },
        };
        using var body = new StringContent(input.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/v1/actions/track_event", UriKind.Relative), body, TestContext.Current.CancellationToken);
        Assert.True(answer.StatusCode is HttpStatusCode.OK,
            $"{id}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
    }
}

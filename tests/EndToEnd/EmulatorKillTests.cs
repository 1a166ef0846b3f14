using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.EndToEnd;

/// <summary>The embedded Mixpanel is killed under load, again and again. Acknowledged data is never lost, and its file opens every time.</summary>
[Trait("tool", "native")]
public sealed class EmulatorKillTests
{
    /// <summary>The number of kills; a campaign sets more.</summary>
    static readonly int Kills = int.Parse(Environment.GetEnvironmentVariable("MIXPANEL_EMULATOR_KILLS") ?? "50", CultureInfo.InvariantCulture);

    const int Senders = 4, EventsPerRequest = 50;

    [Fact]
    public async Task No_acknowledged_event_is_lost()
    {
        using var home = new Home();
        var (sent, acknowledged) = (0, new HashSet<int>());
        var random = new Random(20261123);
        for (var kill = 0; kill < Kills; kill++)
        {
            using var server = Run.StartMixpanel(home, ["emulator", "--port", "0", "--data", home.File("data")]);
            var address = new Uri((await EmulatorProcess.GreetingOfAsync(server)).GetProperty("address").GetString()!);
            var goal = acknowledged.Count + (EventsPerRequest * random.Next(1, 60));
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var sending = Enumerable.Range(0, Senders).Select(_ => SendAsync(address, () => Interlocked.Increment(ref sent), acknowledged, () =>
            {
                if (acknowledged.Count >= goal) reached.TrySetResult();
            })).ToArray();
            await Task.WhenAny(reached.Task, server.WaitForExitAsync());
            Assert.False(server.HasExited);

            server.Kill();
            await server.WaitForExitAsync();
            await Task.WhenAll(sending);
        }

        var done = await Run.MixpanelAsync(home, ["emulator", "export", home.File("events.ndjson"), "--deduplicated", "--data", home.File("data")]);
        Assert.True(done.ExitCode == 0, done.ToString());
        var stored = (await File.ReadAllLinesAsync(home.File("events.ndjson"))).Select(line =>
            JsonElement.Parse(line).GetProperty("properties").GetProperty("n").GetInt32()).ToHashSet();
        Assert.True(acknowledged.Count >= Kills * EventsPerRequest);
        Assert.Empty(acknowledged.Except(stored));
        // An unanswered request may be stored, but only as a whole.
        Assert.All(stored.GroupBy(n => n / EventsPerRequest), request => Assert.Equal(EventsPerRequest, request.Count()));
    }

    static async Task SendAsync(Uri address, Func<int> next, HashSet<int> acknowledged, Action onAcknowledged)
    {
        using var http = new HttpClient { Timeout = Hang.Limit, BaseAddress = address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("local:local"u8));
        while (true)
        {
            var first = next() * EventsPerRequest;
            var numbers = Enumerable.Range(first, EventsPerRequest).ToArray();
            var events = string.Join(',',
                numbers.Select(n => $$$"""{"event":"Counted","properties":{"time":1757000000,"distinct_id":"u{{{n % 50}}}","$insert_id":"n-{{{n}}}","n":{{{n}}}}}"""));
            try
            {
                using var answer = await http.PostAsync("/import?strict=1&project_id=1", new StringContent($"[{events}]", Encoding.UTF8, "application/json"));
                if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
                await answer.Content.LoadIntoBufferAsync();
            }
            catch (HttpRequestException)
            {
                return; // killed
            }

            lock (acknowledged)
            {
                acknowledged.UnionWith(numbers);
                onAcknowledged();
            }
        }
    }
}

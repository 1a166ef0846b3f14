using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;

namespace MixpanelConnector.EndToEnd;

/// <summary>
/// The memory and processor time that JQL scripts make the embedded Mixpanel use, measured from outside: most do it in one step, between script limit checks.
/// </summary>
[Trait("tool", "native")]
public sealed class HostileScriptsTests
{
    const long MostBytes = 256 << 20;
    static readonly TimeSpan MostProcessorTime = TimeSpan.FromSeconds(10);

    static readonly string[] Scripts =
    [
        "'a'.repeat(5e6).match(/a/g);",
        "'a'.repeat(2.4e5).match(/a/g);",
        "[...'a'.repeat(2.4e5).matchAll(/(a)()()()()()()/g)];",
        "Array.from('a'.repeat(2.4e5).matchAll(/a/g));",
        $"'a'.repeat(2.4e5).split(/(a){Many("(a)?", 300)}/);",
        "encodeURIComponent('\u20ac'.repeat(4e6));",
        "escape('\u20ac'.repeat(4e6));",
        "'\ufdfa'.repeat(4e6).normalize('NFKD');",
        "JSON.stringify('\\u0001'.repeat(4e6));",
        $"var text = 'x'.repeat(1e6); JSON.stringify([{Many("text,", 32)}]);",
        "JSON.parse('[' + '[],'.repeat(1.3e6) + '[]]');",
        "new RegExp('(a)'.repeat(3e5));",
        "'a'.match('(a)'.repeat(3e5));",
        $"x = /{Many("(a)", 60_000)}/;",
        "new Array(2e5).fill(0).map(Object);",
        $"new Array(2e4).fill(0).map(Array.bind(null, {Many("1,", 1000)} 1));",
        "new Array(2e4).fill('x'.repeat(1e5) + 'y').map(Function.prototype.call, String.prototype.toUpperCase);",
        "new Array(2e4).fill(4e5).map(String.prototype.repeat.bind('x'));",
        "new Array(2e4).fill(1).map(Object.entries.bind(null, new Array(1000).fill(1)));",
        "new Array(2e4).fill(0).map(JSON.parse.bind(null, '[' + '1,'.repeat(1e3) + '1]'));",
        $"var a = new Array(2e4).fill(0); [{Many("...a,", 3000)}];",
        $"var a = new Array(2e4).fill(0); Math.max({Many("...a,", 3000)} 1);",
        $"x = [{Many("{a:1},", 60_000)}];",
        $"x = [{Many("()=>1,", 60_000)}];",
        $"x = {{{string.Join(',', Enumerable.Range(0, 60_000).Select(n => $"a{n}:1"))}}};",
        "var all = []; for (var i = 0; ; i++) all.push({i: i, b: [i]});",
        "var all = []; for (var i = 0; ; i++) all.push('x'.repeat(1000) + i);",
    ];

    [Fact]
    public async Task No_script_takes_more_than_10_seconds_of_processor_time_or_256_MB()
    {
        if (!OperatingSystem.IsLinux()) return; // measured by /proc
        using var home = new Home();
        using var server = Run.StartMixpanel(home, ["emulator", "--port", "0", "--data", home.File("data")]);
        try
        {
            using var http = new HttpClient
            {
                BaseAddress = new Uri((await EmulatorProcess.GreetingOfAsync(server)).GetProperty("address").GetString()!),
                Timeout = Hang.Limit,
            };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("local:local"u8));
            Assert.Equal(200, await AskAsync(http, "")); // what every first script brings is not a hostile one's doing
            var most = new List<string>();
            foreach (var script in Scripts)
            {
                var before = ProcessorTime(server);
                var status = await AskAsync(http, script);
                var (time, highest) = (ProcessorTime(server) - before, Highest(server.Id));
                most.Add(string.Create(CultureInfo.InvariantCulture,
                    $"{time.TotalSeconds:0.0} s, {highest >> 20} MB after {script[..Math.Min(script.Length, 80)]} ({status})"));
                Assert.True(time < MostProcessorTime && highest <= MostBytes, string.Join('\n', most));
            }

            TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', most));
            Assert.Equal(200, await AskAsync(http, ""));
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync(CancellationToken.None);
        }
    }

    static async Task<int> AskAsync(HttpClient http, string script)
    {
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("script", $"{script}\nfunction main() {{ return [1]; }}")]);
        using var answer = await http.PostAsync("/api/query/jql?project_id=1", form, TestContext.Current.CancellationToken);
        return (int)answer.StatusCode;
    }

    static string Many(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    static TimeSpan ProcessorTime(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime;
    }

    static long Highest(int process) =>
        File.ReadLines($"/proc/{process}/status")
            .Where(line => line.StartsWith("VmHWM", StringComparison.Ordinal))
            .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10).Single();
}

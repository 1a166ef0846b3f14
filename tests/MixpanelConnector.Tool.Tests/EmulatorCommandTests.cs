using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using MixpanelConnector.Emulator;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Cli;

namespace MixpanelConnector.Tool.Tests;

/// <summary>Each option of <c>mixpanel emulator</c>, by its effect on the embedded Mixpanel.</summary>
public sealed class EmulatorCommandTests
{
    const string Events = """[{"event":"A","properties":{"time":1795000000,"distinct_id":"u1","$insert_id":"i-1"}},{"event":"A","properties":{"time":1795000000,"distinct_id":"u1","$insert_id":"i-1"}}]""";
    const string Merge = """[{"event":"$merge","properties":{"$distinct_ids":["a","b"]}}]""";
    const string Names = "/api/query/events/names?project_id=1&type=general";

    [Fact]
    public async Task It_prints_how_to_reach_it_and_keeps_what_it_took_in_its_folder()
    {
        using var folder = new TemporaryFolder();
        await using (var emulator = await RunningEmulator.StartAsync("--data", folder.Path))
        {
            Assert.Equal(1, emulator.Printed.Count(c => c == '\n'));
            Assert.Equal((1, "local", folder.Path),
                (emulator.Greeting.GetProperty("project_id").GetInt32(), emulator.Greeting.GetProperty("token").GetString(),
                    emulator.Greeting.GetProperty("data").GetString()));
            Assert.Equal(HttpStatusCode.OK, (await emulator.ImportAsync(Events)).StatusCode);
            Assert.Equal(0, await emulator.StopAsync());
        }
        await using var again = await RunningEmulator.StartAsync("--data", folder.Path);
        Assert.Equal("""["A"]""", await (await again.GetAsync(Names)).Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Port_is_where_it_listens_and_one_that_is_taken_is_told()
    {
        using var folder = new TemporaryFolder();
        await using var emulator = await RunningEmulator.StartAsync("--data", folder.File("first"));
        using var tool = new Tool();

        var refused = await tool.RunAsync("emulator", "--port", $"{emulator.Address.Port}", "--data", folder.File("second"));

        Assert.Equal((2, "port"), (refused.Exit, refused.Problem.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task Faults_happen_as_their_file_says()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("faults.json", """{"rules":[{"path":"/import","times":1,"status":503,"retry_after":7}]}""");
        await using var emulator = await RunningEmulator.StartAsync("--data", folder.File("data"), "--faults", file);

        var first = await emulator.ImportAsync(Events);
        var second = await emulator.ImportAsync(Events);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(7)), (first.StatusCode, first.Headers.RetryAfter!.Delta));
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
    }

    [Theory]
    [InlineData(true, HttpStatusCode.TooManyRequests)]
    [InlineData(false, HttpStatusCode.OK)]
    public async Task Rate_limits_are_kept_when_asked_for(bool asked, HttpStatusCode status)
    {
        using var folder = new TemporaryFolder();
        await using var emulator = await RunningEmulator.StartAsync(["--data", folder.Path, .. asked ? ["--rate-limits"] : Array.Empty<string>()]);
        for (var i = 0; i < 60; i++)
            Assert.Equal(HttpStatusCode.OK, (await emulator.GetAsync(Names)).StatusCode);

        Assert.Equal(status, (await emulator.GetAsync(Names)).StatusCode);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.BadRequest, "--identity", "simplified")]
    [InlineData(HttpStatusCode.OK, "--identity", "original")]
    public async Task Identity_decides_how_the_project_merges(HttpStatusCode status, params string[] option)
    {
        using var folder = new TemporaryFolder();
        await using var emulator = await RunningEmulator.StartAsync(["--data", folder.Path, .. option]);

        Assert.Equal(status, (await emulator.ImportAsync(Merge)).StatusCode);
    }

    [Theory]
    [InlineData("api.mixpanel.com", HttpStatusCode.OK)]
    [InlineData("data.mixpanel.com", HttpStatusCode.OK)]
    [InlineData("evil.example", HttpStatusCode.MisdirectedRequest)]
    public async Task It_answers_to_the_hosts_that_are_named(string host, HttpStatusCode status)
    {
        using var folder = new TemporaryFolder();
        await using var emulator = await RunningEmulator.StartAsync("--data", folder.Path, "--host", "api.mixpanel.com", "--host", "data.mixpanel.com");

        Assert.Equal(status, (await emulator.GetAsync("/healthz", host)).StatusCode);
    }

    [Fact]
    public async Task Export_writes_what_was_stored()
    {
        using var folder = new TemporaryFolder();
        using var tool = new Tool();
        await using (var emulator = await RunningEmulator.StartAsync("--data", folder.File("data")))
        {
            await emulator.ImportAsync(Events);
            var served = await tool.RunAsync("emulator", "export", folder.File("early.ndjson"), "--data", folder.File("data"));
            Assert.Equal((2, "data"), (served.Exit, served.Problem.GetProperty("field").GetString()));
            Assert.Contains(emulator.Address.AbsoluteUri, served.Err, StringComparison.Ordinal);
        }

        var all = await ExportAsync("all.ndjson");
        Assert.Equal($"2 events were written to {folder.File("all.ndjson")}.\n", all.Out);
        var lines = await File.ReadAllLinesAsync(folder.File("all.ndjson"), TestContext.Current.CancellationToken);
        Assert.Equal((2, "A"), (lines.Length, JsonElement.Parse(lines[0]).GetProperty("event").GetString()));
        Assert.StartsWith("1 event ", (await ExportAsync("once.ndjson", "--deduplicated")).Out, StringComparison.Ordinal);
        Assert.StartsWith("2 events", (await ExportAsync("one.ndjson", "--project-id", "1")).Out, StringComparison.Ordinal);
        foreach (var unknown in (string[])["2", "x"])
        {
            var other = await ExportAsync("other.ndjson", "--project-id", unknown);
            Assert.Equal((2, "project_id", false), (other.Exit, other.Problem.GetProperty("field").GetString(), File.Exists(folder.File("other.ndjson"))));
        }
        tool.Environment["MIXPANEL_PROJECT_ID"] = "2";
        var named = await ExportAsync("other.ndjson");
        Assert.Equal((2, "project_id"), (named.Exit, named.Problem.GetProperty("field").GetString()));
        Assert.Contains("There is no project 2 here, only 1 (Local).", named.Err, StringComparison.Ordinal);
        tool.Environment.Remove("MIXPANEL_PROJECT_ID");
        Assert.StartsWith("2 events", (await ExportAsync("all.parquet")).Out, StringComparison.Ordinal);
        Assert.Equal("PAR1"u8.ToArray(), (await File.ReadAllBytesAsync(folder.File("all.parquet"), TestContext.Current.CancellationToken))[..4]);

        // A set of columns with the properties as JSON: it round-trips.
        var again = await tool.RunAsync("import", folder.File("all.parquet"), "--map", "event=event_name", "--drop", "project_id", "--drop", "insert_id",
            "--drop", "received_at", "--local", "--data", folder.File("again"), "--state", folder.File("state"), "--no-progress");
        Assert.True(again.Exit == 0, again.Err);
        await tool.RunAsync("emulator", "export", folder.File("again.ndjson"), "--data", folder.File("again"));
        Assert.Equal(lines.Select(WithoutStamp).Order(StringComparer.Ordinal),
            (await File.ReadAllLinesAsync(folder.File("again.ndjson"), TestContext.Current.CancellationToken))
                .Select(WithoutStamp)
                .Order(StringComparer.Ordinal));

        var taken = await ExportAsync("all.ndjson");
        Assert.Equal((2, "FILE"), (taken.Exit, taken.Problem.GetProperty("field").GetString()));

        Task<Run> ExportAsync(string file, params string[] options) =>
            tool.RunAsync(["emulator", "export", folder.File(file), "--data", folder.File("data"), .. options]);

        static string WithoutStamp(string line)
        {
            var record = JsonNode.Parse(line)!;
            record["properties"]!.AsObject().Remove("mp_processing_time_ms");
            return string.Join(',',
                record["properties"]!.AsObject()
                    .OrderBy(property => property.Key, StringComparer.Ordinal)
                    .Select(property => $"{property.Key}={property.Value?.ToJsonString()}"))
                + record["event"];
        }
    }

    [Fact]
    public async Task With_local_the_options_of_a_project_say_which_of_the_stored_ones_is_meant()
    {
        using var tool = new Tool();
        var seed = tool.Folder.Write("seed.json",
            """{"projects":[{"id":1,"name":"One","token":"local"},{"id":2,"name":"Two","token":"two","events":[{"event":"B","properties":{"time":1795000000,"distinct_id":"u2","$insert_id":"i-2"}}]}]}""");
        await using var emulator = await RunningEmulator.StartAsync("--data", tool.Folder.File("data"), "--seed", seed);
        await emulator.ImportAsync(Events);
        tool.Environment["MIXPANEL_PROJECT_ID"] = "2"; // of a real account

        Assert.Equal(["A"], await NamesAsync("default"));
        Assert.Equal(["A"], await NamesAsync("one", "--project-id", "1"));
        Assert.Equal(["B"], await NamesAsync("two", "--project-id", "2"));
        var unknown = await ExportAsync("three", "--project-id", "3");
        Assert.NotEqual(0, unknown.Exit);
        Assert.Empty(Directory.GetFiles(Directory.CreateDirectory(tool.Folder.File("three")).FullName, "*.ndjson*"));

        var file = tool.Folder.Write("events.ndjson", """{"event":"C","properties":{"time":1795000000,"distinct_id":"u3","$insert_id":"i-3"}}""");
        foreach (var project in (string[])["1", "2"])
            Assert.Equal(0,
                (await LocalAsync("import", file, "--project-id", project, "--state", tool.Folder.File($"state of {project}"), "--no-progress")).Exit);
        Assert.Equal(["B", "C"], await NamesAsync("both", "--project-id", "2"));

        // A profile goes to the project whose token is known, never to another one.
        var profile = tool.Folder.Write("profiles.ndjson", """{"$distinct_id":"u2","$set":{"plan":"pro"}}""");
        var untold = await LocalAsync("import", profile, "--type", "profiles", "--project-id", "2", "--state", tool.Folder.File("profiles"), "--no-progress");
        Assert.Equal((2, "token"), (untold.Exit, untold.Problem.GetProperty("field").GetString()));
        Assert.Equal(0,
            (await LocalAsync("import", profile, "--type", "profiles", "--project-id", "2", "--token", "two", "--state", tool.Folder.File("profiles"),
                "--no-progress")).Exit);
        Assert.Contains("\"pro\"", (await LocalAsync("query-user-profiles", "--project-id", "2")).Out, StringComparison.Ordinal);
        Assert.DoesNotContain("\"pro\"", (await LocalAsync("query-user-profiles")).Out, StringComparison.Ordinal);

        Task<Run> LocalAsync(params string[] arguments) => tool.RunAsync([.. arguments, "--local", "--data", tool.Folder.File("data")]);

        Task<Run> ExportAsync(string to, params string[] options) =>
            LocalAsync(["export", "events", "--output", "json", "--to", tool.Folder.File(to), "--from-date", "2026-11-18", "--to-date", "2026-11-18",
                "--compression", "none", .. options]);

        async Task<List<string>> NamesAsync(string to, params string[] options)
        {
            var run = await ExportAsync(to, options);
            Assert.True(run.Exit == 0, run.Err);
            return
            [
                .. Directory.GetFiles(tool.Folder.File(to), "*.ndjson")
                    .SelectMany(File.ReadLines)
                    .Select(line => JsonElement.Parse(line).GetProperty("event").GetString()!)
                    .Distinct(StringComparer.Ordinal)
                    .Order(StringComparer.Ordinal),
            ];
        }
    }

    [Fact]
    public async Task In_memory_it_keeps_nothing_and_makes_no_folder_of_that_name()
    {
        await using (var emulator = await RunningEmulator.StartAsync("--data", ":memory:"))
        {
            Assert.Equal(JsonValueKind.Null, emulator.Greeting.GetProperty("data").ValueKind);
            Assert.Equal(HttpStatusCode.OK, (await emulator.ImportAsync(Events)).StatusCode);
            Assert.Equal("""["A"]""", await (await emulator.GetAsync(Names)).Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        Assert.False(Path.Exists(":memory:"));
    }

    [Fact]
    public async Task It_begins_with_its_seed_and_a_seed_that_is_wrong_is_told_with_the_place()
    {
        using var tool = new Tool();
        var (good, bad) = (
            tool.Folder.Write("good.json",
                """{"projects":[{"id":1,"name":"Shop","token":"shop","events":[{"event":"Seeded","properties":{"time":1795000000,"distinct_id":"u1","$insert_id":"i-1"}}]}]}"""),
            tool.Folder.Write("bad.json", """{"projects":[{"id":1,"name":"Shop","events":[{"event":"x","properties":{}}]}]}"""));
        await using (var emulator = await RunningEmulator.StartAsync("--data", ":memory:", "--seed", good))
        {
            Assert.Equal("shop", emulator.Greeting.GetProperty("token").GetString());
            Assert.Equal("""["Seeded"]""", await (await emulator.GetAsync(Names)).Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        var run = await tool.RunAsync("emulator", "--port", "0", "--data", ":memory:", "--seed", bad);
        Assert.Equal((2, "seed"), (run.Exit, run.Problem.GetProperty("field").GetString()));
        Assert.Contains("projects[0].events[0]", run.Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--proxy")]
    [InlineData("--tls")]
    [InlineData("--proxy", "--tls")]
    public async Task A_proxy_and_https_are_told_with_the_certificate_that_they_need(params string[] options)
    {
        using var folder = new TemporaryFolder();
        await using var emulator = await RunningEmulator.StartAsync(["--data", folder.Path, .. options]);

        var authority = emulator.Greeting.GetProperty("certificate_authority").GetString()!;
        Assert.StartsWith("-----BEGIN CERTIFICATE-----", await File.ReadAllTextAsync(authority, TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
        Assert.Equal(options.Contains("--proxy", StringComparer.Ordinal), emulator.Greeting.GetProperty("proxy").ValueKind is JsonValueKind.String);
        Assert.Equal(options.Contains("--tls", StringComparer.Ordinal), emulator.Greeting.GetProperty("tls").ValueKind is JsonValueKind.String);
        Assert.Equal(options.Contains("--proxy", StringComparer.Ordinal) ? authority : null,
            emulator.Greeting.GetProperty("environment").TryGetProperty("NODE_EXTRA_CA_CERTS", out var file) ? file.GetString() : null);
    }

    [Fact]
    public async Task A_person_is_told_what_to_paste()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { ProxyPort = 0, TlsPort = 0 }, TestContext.Current.CancellationToken);
        using var output = new MemoryStream();
        new EmulatorGreeting(mixpanel, "data").Write(
            new Printer(new HostEnvironment
            {
                Environment = _ => null,
                Input = Stream.Null,
                Output = output,
                Error = TextWriter.Null,
                OutputIsTerminal = false,
                ErrorIsTerminal = false,
                TerminalWidth = () => 80,
                TimeProvider = TimeProvider.System,
            },
                asTable: false),
            asJson: false);
        var text = Encoding.UTF8.GetString(output.ToArray());

        Assert.Contains($"\nexport MIXPANEL_ENDPOINT={mixpanel.Address.AbsoluteUri.TrimEnd('/')}\n", text, StringComparison.Ordinal);
        Assert.Contains("MIXPANEL_PROJECT_ID=1 MIXPANEL_ORGANIZATION_ID=1 MIXPANEL_TOKEN=local", text, StringComparison.Ordinal);
        Assert.Contains($"\nexport NODE_EXTRA_CA_CERTS={mixpanel.CertificateAuthorityFile}\n", text, StringComparison.Ordinal);
        Assert.Contains($"\nexport JAVA_TOOL_OPTIONS='-Dhttps.proxyHost=127.0.0.1 ", text, StringComparison.Ordinal);
        Assert.EndsWith("Ctrl+C stops it.\n\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("port", "--port", "65536")]
    [InlineData("proxy", "--proxy", "65536")]
    [InlineData("tls", "--tls", "x")]
    [InlineData("seed", "--seed", "missing.json")]
    [InlineData("port", "--port", "x")]
    [InlineData("identity", "--identity", "both")]
    [InlineData("faults", "--faults", "missing.json")]
    [InlineData("faults", "--faults", "bad.json")]
    public async Task A_mistake_ends_with_2_and_names_the_option(string field, params string[] arguments)
    {
        using var tool = new Tool();
        tool.Folder.Write("bad.json", """{"rules":[{"statuz":503}]}""");
        arguments = [.. arguments.Select(argument => argument.EndsWith(".json", StringComparison.Ordinal) ? tool.Folder.File(argument) : argument)];

        var run =
            await tool.RunAsync(["emulator", "--data", tool.Folder.File("data"), .. field == "port" ? Array.Empty<string>() : ["--port", "0"], .. arguments]);

        Assert.Equal((2, field), (run.Exit, run.Problem.GetProperty("field").GetString()));
    }

    [Theory]
    [InlineData("file")]
    [InlineData("file/below")]
    public async Task Data_that_cannot_be_a_folder_is_told_as_such(string data)
    {
        using var tool = new Tool();
        tool.Folder.Write("file", "x");

        var run = await tool.RunAsync("emulator", "--port", "0", "--data", tool.Folder.File(data));

        Assert.Equal((2, "data"), (run.Exit, run.Problem.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task Export_of_a_folder_that_is_not_there_says_so()
    {
        using var tool = new Tool();

        var run = await tool.RunAsync("emulator", "export", tool.Folder.File("x.ndjson"), "--data", tool.Folder.File("none"));

        Assert.Equal((2, "data"), (run.Exit, run.Problem.GetProperty("field").GetString()));
    }

    /// <summary>The running command, until it is stopped.</summary>
    sealed class RunningEmulator : IAsyncDisposable
    {
        readonly CancellationTokenSource _stop = new();
        readonly Announced _output = new();
        readonly HttpClient _http = new();
        readonly Task<int> _running;

        RunningEmulator(string[] arguments)
        {
            var root = new RootCommand
            {
                CommonOptions.Data,
                EmulatorCommand.Of(new HostEnvironment
                {
                    Environment = _ => null,
                    Input = Stream.Null,
                    Output = _output,
                    Error = TextWriter.Null,
                    OutputIsTerminal = false,
                    ErrorIsTerminal = false,
                    TerminalWidth = () => 80,
                    TimeProvider = new FakeTimeProvider(ImpatientClock.Noon),
                }),
            };
            _running = root.Parse(["emulator", "--port", "0", .. arguments])
                .InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }, _stop.Token);
        }

        public string Printed { get; private set; } = "";

        public JsonElement Greeting { get; private set; }

        public Uri Address { get; private set; } = null!;

        public static async Task<RunningEmulator> StartAsync(params string[] arguments)
        {
            var emulator = new RunningEmulator(arguments);
            await await Task.WhenAny(emulator._output.Whole, emulator._running);
            emulator.Printed = await emulator._output.Whole;
            emulator.Greeting = JsonElement.Parse(emulator.Printed);
            emulator.Address = new Uri(emulator.Greeting.GetProperty("address").GetString()!);
            return emulator;
        }

        public Task<HttpResponseMessage> ImportAsync(string json) =>
            SendAsync(new HttpRequestMessage(HttpMethod.Post, new Uri(Address, "/import?strict=1&project_id=1"))
            {
                Content = new StringContent(json, Encoding.UTF8, "application/json"),
            });

        public Task<HttpResponseMessage> GetAsync(string path, string? host = null)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Address, path));
            request.Headers.Host = host;
            return SendAsync(request);
        }

        public async Task<int> StopAsync()
        {
            await _stop.CancelAsync();
            return await _running;
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _http.Dispose();
            _stop.Dispose();
            await _output.DisposeAsync();
        }

        async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("local:local"u8));
            return await _http.SendAsync(request, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Standard output that signals when the announcement is complete.</summary>
    sealed class Announced : MemoryStream
    {
        readonly TaskCompletionSource<string> _whole = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> Whole => _whole.Task;

        public override void Write(ReadOnlySpan<byte> buffer) => Write(buffer.ToArray(), 0, buffer.Length);

        public override void Write(byte[] buffer, int offset, int count)
        {
            base.Write(buffer, offset, count);
            var text = Encoding.UTF8.GetString(GetBuffer(), 0, (int)Length);
            if (text.EndsWith('\n'))
                _whole.TrySetResult(text);
        }
    }
}

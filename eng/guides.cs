// Follows the guides as a reader would; see eng/guides.sh. The rules that a guide must keep so that it can be followed:
// a csharp, razor or json block has the name of its file in backquotes just before it; json is merged into the existing file;
// sh blocks run in order; one after the words "another terminal" runs while the previous one keeps running.
#:property NoWarn=$(NoWarn);MA0004;MA0009
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

if (args is not [var packages, var work])
{
    Console.Error.WriteLine("usage: bash eng/guides.sh [FOLDER]");
    return 2;
}

Directory.CreateDirectory(work);
var ownPackages = Path.Combine(work, "restored");
var machinesPackages = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
var fallback = Directory.Exists(machinesPackages) && Directory.GetDirectories(machinesPackages, "mixpanelconnector*").Length == 0
    ? $"""<fallbackPackageFolders><add key="machine" value="{machinesPackages}" /></fallbackPackageFolders>"""
    : "";
File.WriteAllText(Path.Combine(work, "nuget.config"), $"""
    <configuration>
      <config><add key="globalPackagesFolder" value="{ownPackages}" /></config>
      <packageSources><add key="packed" value="{packages}" /></packageSources>
      {fallback}
    </configuration>
    """);
Dictionary<string, string> environment = new(StringComparer.Ordinal)
{
    ["PATH"] = Path.Combine(work, "bin") + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH"),
    ["XDG_DATA_HOME"] = Path.Combine(work, "home"),
    ["XDG_STATE_HOME"] = Path.Combine(work, "home"),
    ["DOTNET_NOLOGO"] = "1",
    ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
    ["NUGET_PACKAGES"] = ownPackages,
};
if (!File.Exists("/usr/bin/clang")) environment["CppCompilerAndLinker"] = "gcc";   // the linker for ahead-of-time compilation

var tool = Shell(work, "dotnet tool install MixpanelConnector.Tool --tool-path bin && mixpanel --version");
if (await EndAsync(tool, TimeSpan.FromMinutes(10)) != 0) return 1;
foreach (var (sample, expected) in new[] { ("events", 0), ("events-with-errors", 3) })
{
    using var import = Shell(work, $"mixpanel import '{Path.GetFullPath($"samples/{sample}.ndjson")}' --local --data samples");
    if (await EndAsync(import, TimeSpan.FromMinutes(1)) is var code && code == expected) continue;
    Console.Error.WriteLine($"The installed tool ended with {code}, not {expected}.");
    return 1;
}

using var emulator = Shell(work, "exec mixpanel emulator --port 0 --data data", quiet: true);
try
{
    var greeting = await emulator.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The embedded Mixpanel did not start.");
    var endpoint = System.Text.Json.JsonDocument.Parse(greeting).RootElement.GetProperty("address").GetString()!;
    _ = emulator.StandardOutput.ReadToEndAsync();
    environment["MIXPANEL_ENDPOINT"] = environment["Mixpanel__Endpoint"] = endpoint;
    using var http = new HttpClient { BaseAddress = new Uri(endpoint) };

    var failed = 0;
    (string Page, string[] Events, string? Framework)[] guides =
    [
        ("docs/tracking.md", ["Order placed", "Order shipped"], null),
        ("docs/tracking.md", ["Order placed", "Order shipped"], "net8.0"),
        ("docs/aspnetcore.md", ["Order placed"], null),
        ("docs/minimal-api.md", ["Order placed"], null),
        ("docs/blazor.md", ["Page viewed"], null),
        ("docs/worker.md", ["Invoice sent", "Invoice sent", "Invoice sent"], null),
        ("docs/testing.md", [], null),
        ("docs/typed-events.md", ["Order placed", "Order placed", "Order shipped", "Order shipped"], null),   // once run, and once compiled ahead of time
    ];
    foreach (var (page, events, framework) in guides)
    {
        var before = await StoredAsync(http);
        var name = framework is null ? page : $"{page}, {framework}";
        Console.WriteLine($"\n=== {name}");
        var told = await FollowAsync(page, framework);
        var arrived = (await StoredAsync(http)).Skip(before.Count).Order(StringComparer.Ordinal).ToList();
        if (told is null && !arrived.SequenceEqual(events, StringComparer.Ordinal))
            told = $"Mixpanel has [{string.Join(", ", arrived)}], not [{string.Join(", ", events)}]";
        Console.WriteLine($"=== {name}: {told ?? $"followed; {arrived.Count} events arrived"}");
        if (told is not null) failed++;
    }

    Console.WriteLine($"\n{guides.Length - failed} passed, {failed} failed");
    return failed == 0 ? 0 : 1;
}
finally
{
    await InterruptAsync(emulator);
}

// Returns null if a reader succeeds; otherwise where the reader is stuck. With an older SDK, the templates use that framework, and its
// runtime is installed; here the templates are the newest, and the program is self-contained.
async Task<string?> FollowAsync(string page, string? framework)
{
    var folder = Directory.CreateDirectory(Path.Combine(work, Path.GetFileNameWithoutExtension(page) + framework)).FullName;
    var text = await File.ReadAllTextAsync(page);
    Process? running = null;
    try
    {
        var read = 0;
        foreach (Match block in Regex.Matches(text, "^```(?<language>\\w+)\n(?<text>.*?)^```$",
            RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture))
        {
            var lead = text[read..block.Index];
            read = block.Index + block.Length;
            var (language, content) = (block.Groups["language"].Value, block.Groups["text"].Value);
            if (language != "sh")
            {
                var named = Regex.Matches(lead, @"`(?<name>[\w./]+\.(cs|razor|json))`", RegexOptions.ExplicitCapture);
                if (named.Count == 0) return $"into which file does this go?\n{content}";
                Write(Path.Combine(folder, named[0].Groups["name"].Value), content);
                continue;
            }

            if (running is not null && !lead.Contains("another terminal", StringComparison.Ordinal))
                return $"the guide goes on, and the program before still runs:\n{content}";
            var command = content.Replace("the-token-of-your-project", "local", StringComparison.Ordinal);
            if (framework is not null)
                command = command.Replace("dotnet new console", $"dotnet new console --no-restore && sed -i s/net10.0/{framework}/ *.csproj",
                    StringComparison.Ordinal)
                    .Replace("dotnet run", $"dotnet run --runtime {RuntimeInformation.RuntimeIdentifier} --self-contained", StringComparison.Ordinal);
            var process = Shell(folder, command);
            if (Regex.Match(command, @"--urls http://127\.0\.0\.1:(?<port>\d+)") is { Success: true } listens)
            {
                running = process;
                if (!await ListensAsync(int.Parse(listens.Groups["port"].Value, CultureInfo.InvariantCulture), process))
                    return $"nothing listens after {command}";
                continue;
            }

            using (process)
                if (await EndAsync(process, TimeSpan.FromMinutes(5)) is not 0 and var code) return $"exit {code} from {command}";
        }

        return running is not null && await InterruptAsync(running) is not 0 and var status ? $"exit {status} after Ctrl+C" : null;
    }
    finally
    {
        if (running is { HasExited: false }) running.Kill(entireProcessTree: true);
        running?.Dispose();
    }
}

void Write(string path, string content)
{
    if (path.EndsWith(".json", StringComparison.Ordinal) && File.Exists(path))
    {
        var held = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        foreach (var (name, value) in JsonNode.Parse(content)!.AsObject()) held[name] = value?.DeepClone();
        content = held.ToJsonString();
    }

    File.WriteAllText(path, content);
    Console.WriteLine($"    {Path.GetFileName(path)}: {content.Count(c => c == '\n')} lines");
}

Process Shell(string folder, string command, bool quiet = false)
{
    if (!quiet) Console.WriteLine($"    $ {command.TrimEnd().Replace("\n", "\n    $ ", StringComparison.Ordinal)}");
    // A process group of its own, as a terminal creates one, so that Ctrl+C reaches the program and its parent.
    var start = new ProcessStartInfo("setsid", ["bash", "-e", "-c", command])
    {
        WorkingDirectory = folder,
        RedirectStandardOutput = quiet,
        RedirectStandardInput = true,
        UseShellExecute = false,
    };
    foreach (var (name, value) in environment) start.Environment[name] = value;
    return Process.Start(start)!;
}

static async Task<int> EndAsync(Process process, TimeSpan most)
{
    using var timeout = new CancellationTokenSource(most);
    try
    {
        await process.WaitForExitAsync(timeout.Token);
        return process.ExitCode;
    }
    catch (OperationCanceledException)
    {
        process.Kill(entireProcessTree: true);
        return -1;
    }
}

static async Task<int> InterruptAsync(Process process)
{
    using var kill = Process.Start("kill", ["-INT", "--", $"-{process.Id}"]);
    await kill.WaitForExitAsync();
    return await EndAsync(process, TimeSpan.FromMinutes(1));
}

static async Task<bool> ListensAsync(int port, Process process)
{
    using var patience = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
    for (var tries = 0; tries < 600 && !process.HasExited; tries++)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            await patience.WaitForNextTickAsync();
        }
    }

    return false;
}

static async Task<List<string>> StoredAsync(HttpClient http)
{
    using var request = new HttpRequestMessage(HttpMethod.Get, "/api/2.0/export?project_id=1&from_date=2000-01-01&to_date=2100-01-01");
    request.Headers.Authorization = new("Basic", Convert.ToBase64String("local:local"u8));
    using var response = await http.SendAsync(request);
    response.EnsureSuccessStatusCode();
    var lines = (await response.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    return [.. lines.Select(line => JsonNode.Parse(line)!["event"]!.GetValue<string>())];
}

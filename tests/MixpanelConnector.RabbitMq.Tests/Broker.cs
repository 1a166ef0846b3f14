using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.RabbitMq.Tests;

/// <summary>The installed RabbitMQ, as several nodes on loopback with separate folders.</summary>
public sealed class Broker : IAsyncDisposable
{
    public const string Server = "/usr/lib/rabbitmq/bin/rabbitmq-server", Control = "/usr/lib/rabbitmq/bin/rabbitmqctl";

    readonly TemporaryFolder _folder = new();
    readonly Process?[] _nodes;
    readonly int[] _ports;
    readonly int[] _distribution;
    readonly int _names;
    readonly ConcurrentQueue<string> _said = [];
    Process? _epmd;

    Broker(int nodes)
    {
        _nodes = new Process?[nodes];
        _ports = [.. Enumerable.Range(0, nodes).Select(_ => FreePort())];
        _distribution = [.. Enumerable.Range(0, nodes).Select(_ => FreePort())];
        _names = FreePort();
    }

    /// <summary>Whether RabbitMQ is installed.</summary>
    public static bool IsInstalled => File.Exists(Server);

    public int Nodes => _nodes.Length;

    public static async Task<Broker> StartAsync(int nodes = 1, string settings = "")
    {
        var broker = new Broker(nodes);
        try
        {
            broker.Prepare(settings);
            for (var node = 0; node < nodes; node++) broker.StartNode(node);
            for (var node = 0; node < nodes; node++) await broker.WaitAsync(node);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    public string Address(string queue) =>
        $"amqp://{string.Join(',', _ports.Select(port => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}")))}/{queue}";

    /// <summary>The process of a node.</summary>
    public int ProcessOf(int node) => int.Parse(File.ReadAllText(_folder.File($"{node}.pid")).Trim(), CultureInfo.InvariantCulture);

    public void StartNode(int node)
    {
        File.Delete(_folder.File($"{node}.pid"));
        _nodes[node] = Start(Server, Environment(node), [], _said);
    }

    /// <summary>Like a power loss, except that the system still writes its buffers.</summary>
    public void Kill(int node)
    {
        using var process = Process.GetProcessById(ProcessOf(node));
        process.Kill();
        process.WaitForExit();
    }

    /// <summary>Waits until a node accepts connections. The polling program itself takes a second.</summary>
    public async Task WaitAsync(int node)
    {
        var starts = 0;
        for (var tries = 0; ; tries++)
        {
            var (exitCode, said) = await ControlAsync(node, "--timeout", "120", "await_startup");
            if (exitCode == 0 && await AnswersAsync(_ports[node])) return;
            if (tries == 100) throw new InvalidOperationException($"RabbitMQ did not start: {said}\n{string.Join('\n', _said.TakeLast(100))}");
            if (_nodes[node] is not { HasExited: true }) continue;
            if (++starts == 5) throw new InvalidOperationException($"RabbitMQ ended at once:\n{string.Join('\n', _said.TakeLast(100))}");
            StartNode(node); // its name was not free yet
        }
    }

    /// <summary>The node that is the leader of a queue.</summary>
    public async Task<int> LeaderAsync(string queue)
    {
        for (var tries = 0; tries < 60; tries++)
        {
            for (var node = 0; node < Nodes; node++)
            {
                var (exitCode, json) = await ControlAsync(node, "-q", "list_queues", "name", "leader", "--formatter", "json");
                if (exitCode != 0) continue;
                foreach (var found in JsonElement.Parse(json).EnumerateArray())
                    if (found.GetProperty("name").GetString() == queue
                        && found.GetProperty("leader").GetString() is ['r', 'a', 'b', 'b', 'i', 't', var number, '@', ..])
                        return number - '0';
            }
        }

        throw new InvalidOperationException($"Nobody leads {queue}.");
    }

    public async Task<long> DepthAsync(string queue)
    {
        var (_, json) = await ControlAsync(0, "-q", "list_queues", "name", "messages", "--formatter", "json");
        return JsonElement.Parse(json).EnumerateArray().First(found => found.GetProperty("name").GetString() == queue).GetProperty("messages").GetInt64();
    }

    public async Task<(int ExitCode, string Output)> ControlAsync(int node, params string[] arguments)
    {
        using var process = Start(Control, Environment(node), arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + (process.ExitCode == 0 ? "" : await error));
    }

    public async ValueTask DisposeAsync()
    {
        for (var node = 0; node < Nodes; node++)
        {
            try
            {
                Kill(node);
            }
            catch (Exception e) when (e is ArgumentException or FormatException or IOException or InvalidOperationException)
            {
                // It does not run.
            }

            if (_nodes[node] is not { } starter) continue;
            if (!starter.HasExited) starter.Kill(entireProcessTree: true);
            starter.Dispose();
        }

        if (_epmd is { HasExited: false }) _epmd.Kill();
        await Task.CompletedTask;
        _epmd?.Dispose();
        _folder.Dispose();
    }

    void Prepare(string settings)
    {
        File.WriteAllText(_folder.File(".erlang.cookie"), "MIXPANELTESTS");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_folder.File(".erlang.cookie"), UnixFileMode.UserRead);
        File.WriteAllText(_folder.File("plugins"), "[].");
        for (var node = 0; node < Nodes; node++)
        {
            var peers = Nodes == 1
                ? ""
                : "cluster_formation.peer_discovery_backend = classic_config\n"
                    + string.Concat(Enumerable.Range(0, Nodes)
                        .Select(peer => string.Create(CultureInfo.InvariantCulture,
                            $"cluster_formation.classic_config.nodes.{peer + 1} = rabbit{peer}@localhost\n")));
            File.WriteAllText(_folder.File($"{node}.conf"),
                string.Create(CultureInfo.InvariantCulture, $"listeners.tcp.1 = 127.0.0.1:{_ports[node]}\n{peers}{settings}"));
        }

        _epmd = Start("epmd", new(StringComparer.Ordinal) { ["ERL_EPMD_ADDRESS"] = "127.0.0.1" },
            ["-address", "127.0.0.1", "-port", _names.ToString(CultureInfo.InvariantCulture)]);
    }

    Dictionary<string, string> Environment(int node) => new(StringComparer.Ordinal)
    {
        ["HOME"] = _folder.Path,
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        ["ERL_EPMD_PORT"] = _names.ToString(CultureInfo.InvariantCulture),
        ["RABBITMQ_CONF_ENV_FILE"] = "/dev/null",
        ["RABBITMQ_NODENAME"] = string.Create(CultureInfo.InvariantCulture, $"rabbit{node}@localhost"),
        ["RABBITMQ_CONFIG_FILE"] = _folder.File($"{node}.conf"),
        ["RABBITMQ_MNESIA_BASE"] = _folder.File($"{node}.db"),
        ["RABBITMQ_LOG_BASE"] = _folder.File($"{node}.log"),
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = _folder.File("plugins"),
        ["RABBITMQ_PID_FILE"] = _folder.File($"{node}.pid"),
        ["RABBITMQ_DIST_PORT"] = _distribution[node].ToString(CultureInfo.InvariantCulture),
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1} -rabbit channel_tick_interval 1000",
    };

    static Process Start(string program, Dictionary<string, string> environment, string[] arguments, ConcurrentQueue<string>? said = null)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Clear(); // its settings are variables with names such as LOGS, too
        foreach (var (name, value) in environment) start.Environment[name] = value;
        start.Environment["PATH"] = System.Environment.GetEnvironmentVariable("PATH");
        var process = Process.Start(start)!;
        if (program == Control) return process;
        process.OutputDataReceived += (_, line) => said?.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => said?.Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    static async Task<bool> AnswersAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Below the ephemeral port range: a connection to a closed port in that range may connect to itself.</summary>
    static int FreePort()
    {
        for (var tries = 0; ; tries++)
        {
            var port = 21000 + (Interlocked.Increment(ref s_port) % 11000);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException) when (tries < 1000)
            {
                // The port is in use.
            }
        }
    }

    static int s_port = System.Environment.ProcessId * 37;
}

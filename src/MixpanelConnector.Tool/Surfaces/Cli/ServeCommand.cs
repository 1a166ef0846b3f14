using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using MixpanelConnector.Tool.Surfaces.Http;
using MixpanelConnector.Tool.Surfaces.Mcp;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Serves the actions over HTTP until it is stopped.</summary>
sealed class ServeCommand
{
    readonly NumberOption<int> _port = new("--port", 0, 65535)
    {
        Description = "The port; 0 uses a free one.",
        HelpName = "N",
        DefaultValueFactory = _ => ServeOptions.DefaultPort,
    };
    readonly Option<string> _listen = new("--listen")
    {
        Description = "The address to listen on. Beyond loopback only with --keys, with a certificate or --behind-proxy, and with --allow-host.",
        HelpName = "ADDRESS",
        DefaultValueFactory = _ => "127.0.0.1",
    };
    readonly Option<string> _keys = new("--keys")
    {
        Description = $"The key file, private to its owner; see new-key. Without one, and without {Keys.Variable}, anyone who can reach the server may use it.",
        HelpName = "FILE",
    };
    readonly Option<string> _certificate = new("--certificate") { Description = "The certificate of the server with its chain, in PEM.", HelpName = "FILE" };
    readonly Option<string> _certificateKey = new("--certificate-key")
    {
        Description = "The certificate's key, in PEM, private to its owner.",
        HelpName = "FILE",
    };
    readonly Option<bool> _behindProxy = new("--behind-proxy") { Description = "A proxy in front of the server terminates TLS." };
    readonly Option<string[]> _allowHost = new("--allow-host")
    {
        Description = "A host name that callers use for the server, with the port if it differs; repeatable. Requests for other hosts are refused.",
        HelpName = "NAME",
    };
    readonly Option<string> _state = new("--state")
    {
        Description = "The folder for imports, for responses to requests with an Idempotency-Key, and for the ledger of calls. Default: "
            + "serve in the user's state folder, and for the ledger the one of all commands.",
        HelpName = "DIR",
    };
    readonly NumberOption<int> _rate = new("--rate", 1, 1_000_000)
    {
        Description = "The maximum request rate of a caller per second, with a burst of twice as many after a pause.",
        HelpName = "N",
        DefaultValueFactory = _ => ServeOptions.DefaultRate,
    };
    readonly NumberOption<long> _spool = new("--import-space", 0, long.MaxValue)
    {
        Description = "The maximum disk space of all imports in bytes: bodies, states, dead letters.",
        HelpName = "BYTES",
        DefaultValueFactory = _ => ServeOptions.DefaultSpool,
    };
    readonly Option<string> _longestImport = new("--import-time")
    {
        Description = "The maximum duration of one run of an import, such as 30m or 12h; then it is stopped, and can be resumed. Default: 24h.",
        HelpName = "DURATION",
    };
    readonly Option<string> _queue = new("--queue")
    {
        Description = $"Publish events and profile updates to a RabbitMQ or Kafka queue, and respond when the broker has confirmed them; "
            + $"mixpanel consume sends them to Mixpanel. Updates go to queues of the same name with .profiles and .groups. Default: {QueueSettings.Address}; {QueueSettings.Username} and {QueueSettings.Password} are its credentials.",
        HelpName = "ADDRESS",
    };
    readonly Option<bool> _declare = new("--declare")
    {
        Description = "Create RabbitMQ queues that do not exist, each when it is first needed, as mixpanel consume --declare does.",
    };
    readonly Option<string> _queueOutbox = new("--queue-outbox")
    {
        Description = "The folder where messages wait, synced, while the broker is unavailable or full; they count as accepted. "
            + "Those that must not be published twice, such as increments, get 503 then; with none, all do. Default: queue below --state.",
        HelpName = "DIR|none",
    };
    readonly Option<bool> _allowWrite = new("--allow-write")
    {
        Description = "Also offer agents at /mcp the tools that change data. With keys, only to those with the scope write.",
    };
    readonly Option<string[]> _tools = ToolsOption.New();
    readonly Option<string> _secretDir = SecretFolderOption.New();
    readonly HostEnvironment _host;

    ServeCommand(HostEnvironment host)
    {
        _host = host;
        Command = new DetailedCommand("serve",
            "Serve the actions over HTTP, with a console for people at /, OpenAPI at /openapi.json, bulk imports at /v1/imports, and MCP at /mcp.", $"""
            On loopback, anyone on this machine may use it. Any other address needs keys, and TLS or a proxy that terminates it:
              mixpanel serve new-key --keys keys.txt --name zapier --scope write
              mixpanel serve --listen 0.0.0.0 --keys keys.txt --certificate cert.pem --certificate-key key.pem --allow-host mixpanel.example.com

            Denials and failures are logged to standard error, one line of JSON each; successful requests are not. Metrics and traces are
            exported to {Telemetry.Variable} by OpenTelemetry.

            Example:
              mixpanel serve --local &
              curl http://127.0.0.1:{ServeOptions.DefaultPort}/v1/actions/query_user_profiles --json '{"{"}{"}"}'
            """)
        {
            _port, _listen, _keys, _certificate, _certificateKey, _behindProxy, _allowHost, _state, _rate, _spool, _longestImport, _queue, _declare,
            _queueOutbox, _allowWrite, _tools, _secretDir, NewKeyCommand.Of(host),
        };
        Command.SetAction((parsed, cancellationToken) => RunAsync(parsed, cancellationToken));
    }

    Command Command { get; }

    public static Command Of(HostEnvironment host) => new ServeCommand(host).Command;

    async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var tools = ToolSelection.Parse(parsed.GetValue(_tools));
        await using var session = await Session.OpenAsync(parsed, _host, needsCredential: true, cancellationToken);
        var folders = new Folders(_host.Environment);
        var state = parsed.GetValue(_state);
        using var certificate = Certificate(parsed.GetValue(_certificate), parsed.GetValue(_certificateKey), _host.Stopping);
        var rate = parsed.GetValue(_rate);
        var options = new ServeOptions
        {
            Address = IPAddress.TryParse(parsed.GetValue(_listen), out var address)
                ? address
                : throw Configuration.Invalid("listen", "--listen must be an IP address of this machine, such as 127.0.0.1, ::1 or 0.0.0.0."),
            Port = parsed.GetValue(_port),
            Certificate = certificate,
            BehindProxy = parsed.GetValue(_behindProxy),
            Hosts = parsed.GetValue(_allowHost) ?? [],
            Keys = Keys.Load(parsed.GetValue(_keys), _host, () => new TokenBucket(rate, _host.TimeProvider)),
            Rate = rate,
            Spool = parsed.GetValue(_spool),
            LongestImport = new ImportValues("--").Duration("import_time", parsed.GetValue(_longestImport)) is { } longest
                ? longest > TimeSpan.Zero ? longest : throw Configuration.Invalid("import_time", "--import-time must be above zero.")
                : ServeOptions.DefaultLongestImport,
            StateFolder = Path.GetFullPath(state ?? Path.Combine(folders.State, "serve")),
            Tools = tools,
            ToolsMayWrite = parsed.GetValue(_allowWrite),
            SecretFolder = SecretFolderOption.Of(parsed, _secretDir, folders),
            Destination = session.Destination,
            LiveFeed = session.LiveFeed,
            TerminalImports = new ImportsOfTerminals(ImportStatusCommand.Folder(_host), _host.TimeProvider).Read,
            Telemetry = _host.Environment(Telemetry.Variable) is { Length: > 0 } endpoint ? endpoint : null,
            TimeProvider = _host.TimeProvider,
        };
        if ((parsed.GetValue(_queue) ?? _host.Environment(QueueSettings.Address)) is not { Length: > 0 }
            && (parsed.GetValue(_declare) || parsed.GetValue(_queueOutbox) is not null))
            throw Configuration.Invalid("queue", $"--declare and --queue-outbox need a queue: specify it with --queue, or {QueueSettings.Address}.");
        await using var log = new AuditLog(_host.Error, _host.TimeProvider);
        await using var queue =
            QueueSettings.Of(_host, VerboseLog.Warnings(log), parsed.GetValue(_queue), parsed.GetValue(_declare), parsed.GetValue(_queueOutbox) switch
            {
                "none" => null,
                { Length: > 0 } folder => Path.GetFullPath(folder),
                _ => Path.Combine(options.StateFolder, "queue"),
            });
        var counted = session.Counted(Path.GetFullPath(state ?? folders.State));
        var settings = VerboseLog.AddTo(counted with { Queue = queue, Words = FieldWords.Instance }, parsed, log);
        // A caller that waits is better served by an answer than by several hidden retries.
        using var client = session.NewClient(settings with { MaxRetries = 1, MaxRetryAfter = Limits.LongestRetryAfter });
        try
        {
            await using var gateway = await Gateway.StartAsync(options, client, () => session.NewClient(settings), log, cancellationToken);
            new Printer(_host, asTable: false).Text($"""
                Serving {session.Options} at {gateway.Address.AbsoluteUri.TrimEnd('/')}
                  console  /      reference  /reference      OpenAPI  /openapi.json      actions  /v1/actions      imports  /v1/imports      MCP  /mcp
                {(options.Keys.Open ? "No keys: anyone on this machine may use it. " : "")}Ctrl+C stops it.

                """);
            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = cancellationToken.Register(stopped.SetResult);
            await stopped.Task;
            return ExitCode.Success;
        }
        catch (ServeStateException e)
        {
            throw Configuration.Invalid("state",
                $"The server cannot use its folder {options.StateFolder}: {e.InnerException!.Message} Choose another one with --state DIR.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException)
        {
            throw Configuration.Invalid(e.GetBaseException() is SocketException { SocketErrorCode: SocketError.AddressNotAvailable } ? "listen" : "port",
                $"The server cannot start: {e.Message}");
        }
    }

    static X509Certificate2? Certificate(string? certificate, string? key, CancellationToken stopping)
    {
        if (certificate is null != key is null) throw Configuration.Invalid("certificate", "--certificate and --certificate-key go together.");
        if (certificate is null) return null;
        try
        {
            Secrets.EnsurePrivate(key!, "certificate_key");
            return X509Certificate2.CreateFromPem(Encoding.UTF8.GetString(GivenFile.Read(certificate, stopping)),
                Encoding.UTF8.GetString(GivenFile.Read(key!, stopping)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw Configuration.Invalid("certificate", $"The certificate cannot be used: {e.Message}");
        }
    }
}

/// <summary>Creates a key for the server.</summary>
static class NewKeyCommand
{
    public static Command Of(HostEnvironment host)
    {
        var keys = new Option<string>("--keys")
        {
            Description = "The file to add the key to, created if missing. Only a hash of the key is written.",
            HelpName = "FILE",
            Required = true,
        };
        var name = new Option<string>("--name") { Description = "The name of the key's holder, for the log.", HelpName = "NAME", Required = true };
        var scope = new Option<string>("--scope")
        {
            Description = "The scope of the key: read, or write (which includes read).",
            HelpName = "read|write",
            Required = true,
        };
        scope.AcceptOnlyFromAmong("read", "write");
        var command = new Command("new-key", "Create a key, and print it: it is shown only once. A server accepts it after its next start.")
        {
            keys,
            name,
            scope,
        };
        command.SetAction(parsed =>
        {
            var key = Keys.Make(parsed.GetValue(keys)!, parsed.GetValue(name)!, parsed.GetValue(scope) == "write" ? Scope.Write : Scope.Read);
            new Printer(host,
                CommonOptions.AsTable(parsed)).Json(JsonText.Utf8(new JsonObject
                {
                    ["name"] = parsed.GetValue(name),
                    ["scope"] = parsed.GetValue(scope),
                    ["key"] = key,
                }));
            return ExitCode.Success;
        });
        return command;
    }
}

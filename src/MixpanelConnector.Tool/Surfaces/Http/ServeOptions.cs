using System.Net;
using System.Security.Cryptography.X509Certificates;
using MixpanelConnector.Emulator;
using MixpanelConnector.Tool.Surfaces.Mcp;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>The options of the server.</summary>
sealed record ServeOptions
{
    /// <summary>Ten times the load that the limits of one project allow.</summary>
    public const int DefaultRate = 500;

    public const int DefaultPort = 8124;

    public const long DefaultSpool = 20L << 30;

    public static readonly TimeSpan DefaultLongestImport = TimeSpan.FromHours(24);

    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>0 for a free port.</summary>
    public int Port { get; init; } = DefaultPort;

    public X509Certificate2? Certificate { get; init; }

    /// <summary>Whether a proxy in front of the server terminates TLS.</summary>
    public bool BehindProxy { get; init; }

    /// <summary>The host names that the server accepts, in addition to those of loopback.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    public Keys Keys { get; init; } = Keys.None;

    /// <summary>Requests per second of one caller.</summary>
    public int Rate { get; init; } = DefaultRate;

    /// <summary>The maximum disk space of imports in bytes, including everything they write.</summary>
    public long Spool { get; init; } = DefaultSpool;

    /// <summary>The maximum duration of an import run.</summary>
    public TimeSpan LongestImport { get; init; } = DefaultLongestImport;

    /// <summary>The folder that stores imports, and answers for an Idempotency-Key.</summary>
    public required string StateFolder { get; init; }

    /// <summary>The actions that agents see as separate tools.</summary>
    public ToolSelection Tools { get; init; } = ToolSelection.Default;

    /// <summary>Whether agents get tools that change data.</summary>
    public bool ToolsMayWrite { get; init; }

    /// <summary>The folder in which a tool stores a one-time secret.</summary>
    public required string SecretFolder { get; init; }

    /// <summary>Identifies the Mixpanel that stored answers came from; answers from another one are not reused.</summary>
    public required string Destination { get; init; }

    /// <summary>Opens the feed of the embedded Mixpanel; null with the real one.</summary>
    public Func<CancellationToken, Task<HttpResponseMessage>>? LiveFeed { get; init; }

    /// <summary>Returns the command-line imports, running and ended. Callers with keys are not the user who runs them, and do not see it.</summary>
    public Func<IReadOnlyList<System.Text.Json.JsonElement>>? TerminalImports { get; init; }

    /// <summary>The embedded Mixpanel under whose address to serve; null to listen on its own address.</summary>
    public EmulatedMixpanel? Host { get; init; }

    /// <summary>The endpoint for metrics and traces, from the standard variable; null for none.</summary>
    public string? Telemetry { get; init; }

    /// <summary>The maximum number of open connections. Default: as many as <see cref="Limits"/> and the process allow.</summary>
    public int? Connections { get; init; }

    /// <summary>The maximum time that a request waits for its turn.</summary>
    public TimeSpan LongestQueue { get; init; } = TimeSpan.FromSeconds(1);

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Requires keys and encryption unless the server is reachable from this machine only.</summary>
    /// <exception cref="MixpanelException">The server would be open to others.</exception>
    public ServeOptions Validated()
    {
        if (IPAddress.IsLoopback(Address) && !BehindProxy) return this;
        var where = BehindProxy ? "Behind a proxy" : $"On {Address}";
        if (Keys.Open)
            throw Configuration.Invalid("keys",
                $"{where} anyone could use this server: specify a key file with --keys FILE (mixpanel serve new-key creates one).");
        if (Certificate is null && !BehindProxy)
            throw Configuration.Invalid("certificate",
                $"{where} keys and data would cross the network in the clear: specify --certificate and --certificate-key, "
                + $"or --behind-proxy if a proxy terminates TLS.");
        if (Hosts.Count == 0) throw Configuration.Invalid("allow_host", $"{where} the server needs the name that its callers use: --allow-host NAME.");
        return this;
    }
}

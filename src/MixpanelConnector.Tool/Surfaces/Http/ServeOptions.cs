using System.Net;
using System.Security.Cryptography.X509Certificates;
using MixpanelConnector.Emulator;
using MixpanelConnector.Tool.Surfaces.Mcp;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>How the server is to serve.</summary>
sealed record ServeOptions
{
    /// <summary>Enough for the load that one project's limits allow, by a factor of ten.</summary>
    public const int DefaultRate = 500;

    public const int DefaultPort = 8124;

    public const long DefaultSpool = 20L << 30;

    public static readonly TimeSpan DefaultLongestImport = TimeSpan.FromHours(24);

    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>0 for a free one.</summary>
    public int Port { get; init; } = DefaultPort;

    public X509Certificate2? Certificate { get; init; }

    /// <summary>A proxy in front of the server does TLS.</summary>
    public bool BehindProxy { get; init; }

    /// <summary>Names, beside those of loopback, that the server answers under.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    public Keys Keys { get; init; } = Keys.None;

    /// <summary>Requests a second of one caller.</summary>
    public int Rate { get; init; } = DefaultRate;

    /// <summary>The most bytes that imports take on the disk, with all that they write.</summary>
    public long Spool { get; init; } = DefaultSpool;

    /// <summary>How long a run of an import may take.</summary>
    public TimeSpan LongestImport { get; init; } = DefaultLongestImport;

    /// <summary>Where imports and the answers under an Idempotency-Key are kept.</summary>
    public required string StateFolder { get; init; }

    /// <summary>The actions that are tools of their own for agents.</summary>
    public ToolSelection Tools { get; init; } = ToolSelection.Default;

    /// <summary>Whether agents get tools that change data.</summary>
    public bool ToolsMayWrite { get; init; }

    /// <summary>Where a tool puts a one-time secret.</summary>
    public required string SecretFolder { get; init; }

    /// <summary>Which Mixpanel the answers are from: answers of another are not its.</summary>
    public required string Destination { get; init; }

    /// <summary>Opens the feed of the embedded Mixpanel; null with a real one.</summary>
    public Func<CancellationToken, Task<HttpResponseMessage>>? LiveFeed { get; init; }

    /// <summary>Says what imports of the command line write of themselves while they run. Callers with keys are others than whoever runs them, and are not told.</summary>
    public Func<IReadOnlyList<System.Text.Json.JsonElement>>? TerminalImports { get; init; }

    /// <summary>The embedded Mixpanel under whose address to serve; null for an address of its own.</summary>
    public EmulatedMixpanel? Host { get; init; }

    /// <summary>Where metrics and traces are sent, by the standard variable; null for nowhere.</summary>
    public string? Telemetry { get; init; }

    /// <summary>How many connections may be open. Default: as many as <see cref="Limits"/> and the process allow.</summary>
    public int? Connections { get; init; }

    /// <summary>How long a request waits for its turn.</summary>
    public TimeSpan LongestQueue { get; init; } = TimeSpan.FromSeconds(1);

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Beyond this machine the server wants keys, and an encrypted way to it.</summary>
    /// <exception cref="MixpanelException">It would be open to others.</exception>
    public ServeOptions Validated()
    {
        if (IPAddress.IsLoopback(Address) && !BehindProxy) return this;
        var where = BehindProxy ? "Behind a proxy" : $"On {Address}";
        if (Keys.Open) throw Configuration.Invalid("keys", $"{where} anybody could use this server: name a file of keys with --keys FILE (mixpanel serve new-key makes one).");
        if (Certificate is null && !BehindProxy) throw Configuration.Invalid("certificate", $"{where} keys and data would cross the network in the clear: give --certificate and --certificate-key, or say --behind-proxy when a proxy does TLS.");
        if (Hosts.Count == 0) throw Configuration.Invalid("allow_host", $"{where} the server needs the name that its callers use: --allow-host NAME.");
        return this;
    }
}

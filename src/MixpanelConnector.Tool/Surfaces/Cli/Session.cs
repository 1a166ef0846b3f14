using System.CommandLine;
using System.Globalization;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The context of a command: the effective settings and a client created from them.</summary>
sealed class Session : IAsyncDisposable
{
    readonly LocalMixpanel? _local;
    MixpanelClient? _client;
    HttpClient? _http;

    Session(Configuration configuration, MixpanelOptions options, LocalMixpanel? local)
    {
        Configuration = configuration;
        Options = options;
        _local = local;
    }

    public Configuration Configuration { get; }

    public MixpanelOptions Options { get; }

    /// <summary>The embedded Mixpanel; null with the real one.</summary>
    public LocalMixpanel? Local => _local;

    /// <summary>The folder of the embedded Mixpanel; null with the real one.</summary>
    public string? LocalData => _local?.DataDirectory;

    /// <summary>
    /// Names what is sent to: the real Mixpanel by its settings, the embedded one by its folder, with the project unless that is the usual one.
    /// </summary>
    public string Destination =>
        _local is null ? $"{Options}"
            : Options.ProjectId is { } project and not LocalMixpanel.ProjectId ? string.Create(CultureInfo.InvariantCulture, $"{LocalData}#{project}")
            : _local.DataDirectory;

    /// <summary>The ledger of calls that count against hourly limits, in a state folder.</summary>
    public static string LedgerIn(string state) => Path.Combine(state, "ledger");

    /// <summary>The options with the ledger in a state folder. The embedded Mixpanel has no limits that need one.</summary>
    public MixpanelOptions Counted(string state) => _local is null ? Options with { Ledger = new CallLedger(LedgerIn(state)) } : Options;

    public MixpanelClient Client => _client ??= NewClient(Options);

    /// <summary>A client with other options; the caller disposes it.</summary>
    public MixpanelClient NewClient(MixpanelOptions options) => _local is null ? new(options) : new(options, _http ??= _local.NewHttpClient());

    /// <param name="parsed">The command line.</param>
    /// <param name="host">The environment of the program.</param>
    /// <param name="needsCredential">Whether a credential is required.</param>
    /// <param name="secret">The setting whose value is in the secret file.</param>
    /// <param name="cancellationToken">Cancels the start of the embedded Mixpanel.</param>
    /// <exception cref="MixpanelException">The settings are not valid, or there are no credentials.</exception>
    public static async Task<Session> OpenAsync(ParseResult parsed, HostEnvironment host, bool needsCredential, CancellationToken cancellationToken,
        string secret = Configuration.SecretName)
    {
        var given = CommonOptions.Given(parsed) with { Secret = secret };
        if (parsed.GetValue(CommonOptions.Local))
        {
            if (given.Options.ContainsKey("endpoint"))
                throw Configuration.Invalid("endpoint", "--local and --endpoint are mutually exclusive: choose the embedded Mixpanel or a URL.");
            var folder = parsed.GetValue(CommonOptions.Data) ?? new Folders(host.Environment).LocalData;
            LocalMixpanel local;
            try
            {
                local = await LocalMixpanel.OpenAsync(folder, host.TimeProvider, cancellationToken);
            }
            catch (Emulator.DataFolderInUseException e)
            {
                throw Configuration.Invalid("data", $"The embedded Mixpanel cannot use its folder {folder}: {e.Message}");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                throw new LocalFolderException($"The embedded Mixpanel cannot use its folder {folder}: {e.Message}", e);
            }

            var settings = Configuration.Local(local, given);
            return new Session(settings, VerboseLog.AddTo(settings.ToOptions(host.TimeProvider), parsed, host), local);
        }

        if (parsed.GetValue(CommonOptions.Data) is not null)
            throw Configuration.Invalid("data", "--data is the folder of the embedded Mixpanel: it needs --local.");
        var configuration = Configuration.Load(given, host);
        MixpanelOptions options;
        MixpanelClient client;
        try
        {
            options = VerboseLog.AddTo(configuration.ToOptions(host.TimeProvider), parsed, host);
            client = new(options); // validates them
        }
        catch (MixpanelException e)
        {
            throw configuration.WithSource(e);
        }

        if (needsCredential && !configuration.HasCredential)
        {
            client.Dispose();
            throw Configuration.Invalid("service_account_username",
                "No credentials are configured. Either run mixpanel login, or set MIXPANEL_SERVICE_ACCOUNT_USERNAME, "
                + "MIXPANEL_SERVICE_ACCOUNT_SECRET and MIXPANEL_PROJECT_ID (or MIXPANEL_TOKEN) for your Mixpanel project; "
                    + "or add --local to use the embedded Mixpanel, which needs no account.");
        }

        return new Session(configuration, options, local: null) { _client = client };
    }

    /// <summary>Opens the feed of the embedded Mixpanel; null with the real one.</summary>
    public Func<CancellationToken, Task<HttpResponseMessage>>? LiveFeed =>
        _local is { } local
            ? cancellationToken => LocalMixpanel.WatchAsync(_http ??= local.NewHttpClient(), local.Address, Options.ProjectId ?? LocalMixpanel.ProjectId,
                cancellationToken)
            : null;

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        _http?.Dispose();
        if (_local is not null) await _local.DisposeAsync();
    }
}

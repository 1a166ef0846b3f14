using MixpanelConnector.Emulator;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Everything that <c>serve</c> offers, for an embedded Mixpanel and under its address; agents at /mcp have read access only.</summary>
sealed class EmulatorConsole : IAsyncDisposable
{
    readonly HttpClient _http;
    readonly MixpanelClient _client;
    Gateway? _gateway;

    EmulatorConsole(HttpClient http, MixpanelClient client) => (_http, _client) = (http, client);

    public static string StateFolder(LocalMixpanel local) => Path.Combine(local.DataDirectory, "serve");

    public static async Task<IAsyncDisposable> StartAsync(EmulatedMixpanel mixpanel, LocalMixpanel local, HostEnvironment host,
        CancellationToken cancellationToken)
    {
        var settings = Configuration.Local(local).ToOptions(host.TimeProvider) with { Words = FieldWords.Instance };
        var http = local.NewHttpClient();
        var console = new EmulatorConsole(http, new MixpanelClient(settings with { MaxRetries = 1, MaxRetryAfter = Limits.LongestRetryAfter }, http));
        try
        {
            var options = new ServeOptions
            {
                Host = mixpanel,
                StateFolder = StateFolder(local),
                SecretFolder = new Folders(host.Environment).Secrets,
                Destination = local.DataDirectory,
                LiveFeed = token => LocalMixpanel.WatchAsync(http, local.Address, LocalMixpanel.ProjectId, token),
                TerminalImports = new ImportsOfTerminals(ImportStatusCommand.Folder(host), host.TimeProvider).Read,
                TimeProvider = host.TimeProvider,
            };
            console._gateway = await Gateway.StartAsync(options, console._client, () => new MixpanelClient(settings, http), host.Error, cancellationToken);
            return console;
        }
        catch
        {
            await console.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_gateway is not null) await _gateway.DisposeAsync();
        _client.Dispose();
        _http.Dispose();
    }
}

using MixpanelConnector.Emulator;

namespace MixpanelConnector.Tool;

/// <summary>The embedded Mixpanel that <c>--local</c> uses: the one that already serves the folder, else one of this process's own.</summary>
sealed class LocalMixpanel : IAsyncDisposable
{
    public const string Token = DevelopmentCredentials.ProjectToken;
    public const string Username = DevelopmentCredentials.ServiceAccountUsername;
    public const string Secret = DevelopmentCredentials.ServiceAccountSecret;
    public const long ProjectId = DevelopmentCredentials.ProjectId;
    public const long OrganizationId = DevelopmentCredentials.OrganizationId;

    readonly EmulatedMixpanel? _own;

    LocalMixpanel(Uri address, EmulatedMixpanel? own, string dataDirectory)
    {
        Address = address;
        _own = own;
        DataDirectory = dataDirectory;
    }

    public Uri Address { get; }

    public string DataDirectory { get; }

    public static async Task<LocalMixpanel> OpenAsync(string dataDirectory, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        dataDirectory = Path.GetFullPath(dataDirectory);
        if (EmulatedMixpanel.FindRunning(dataDirectory) is { } running) return new(running, null, dataDirectory);
        try
        {
            var own = await EmulatedMixpanel.StartAsync(new EmulatorOptions { DataDirectory = dataDirectory, TimeProvider = timeProvider }, cancellationToken);
            return new(own.Address, own, dataDirectory);
        }
        catch (DataFolderInUseException e) when (e.Address is { } address)
        {
            return new(address, null, dataDirectory); // another process was faster
        }
    }

    public ValueTask DisposeAsync() => _own?.DisposeAsync() ?? default;
}

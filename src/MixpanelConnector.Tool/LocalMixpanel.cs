using System.Globalization;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.Tool;

/// <summary>
/// The embedded Mixpanel that <c>--local</c> uses: the one that already serves the folder, otherwise one in this process. When the other process ends, this
/// process takes over the folder.
/// </summary>
sealed class LocalMixpanel : IAsyncDisposable
{
    public const string Token = DevelopmentCredentials.ProjectToken;
    public const string Username = DevelopmentCredentials.ServiceAccountUsername;
    public const string Secret = DevelopmentCredentials.ServiceAccountSecret;
    public const string OAuthToken = DevelopmentCredentials.OAuthToken;
    public const long ProjectId = DevelopmentCredentials.ProjectId;
    public const long OrganizationId = DevelopmentCredentials.OrganizationId;

    readonly TimeProvider _timeProvider;
    readonly SemaphoreSlim _opening = new(1, 1);
    EmulatedMixpanel? _own;

    LocalMixpanel(string dataDirectory, TimeProvider timeProvider)
    {
        DataDirectory = dataDirectory;
        _timeProvider = timeProvider;
        Address = null!; // set before it is used
    }

    public Uri Address { get; private set; }

    public string DataDirectory { get; }

    public static async Task<LocalMixpanel> OpenAsync(string dataDirectory, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        var local = new LocalMixpanel(Path.GetFullPath(dataDirectory), timeProvider);
        await local.OpenAsync(cancellationToken);
        return local;
    }

    /// <summary>An embedded Mixpanel that the caller started, and stops.</summary>
    public static LocalMixpanel At(EmulatedMixpanel mixpanel, string dataDirectory, TimeProvider timeProvider) =>
        new(Path.GetFullPath(dataDirectory), timeProvider) { Address = mixpanel.Address };

    /// <summary>Streams the data that a project receives, as newline-delimited JSON.</summary>
    public static async Task<HttpResponseMessage> WatchAsync(HttpClient http, Uri address, long projectId, CancellationToken cancellationToken)
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Get, new Uri(address, string.Create(CultureInfo.InvariantCulture, $"emulator/projects/{projectId}/live")));
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{Username}:{Secret}")));
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <summary>A client that follows the embedded Mixpanel from one process to another.</summary>
    public HttpClient NewHttpClient() =>
        new(new Follow(this, new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false }), disposeHandler: true)
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };

    /// <summary>The folder together with the id of its store: another store in the same folder has another name.</summary>
    public async Task<string> StoreNameAsync(CancellationToken cancellationToken)
    {
        using var http = NewHttpClient();
        using var health = JsonDocument.Parse(await http.GetByteArrayAsync(new Uri(Address, "healthz"), cancellationToken));
        return $"{DataDirectory}#{health.RootElement.GetProperty("store").GetString()}";
    }

    /// <summary>A hint about what to check if the embedded Mixpanel fails.</summary>
    public string Hint()
    {
        var free = "";
        try
        {
            free = string.Create(CultureInfo.InvariantCulture, $" Its disk has {new DriveInfo(DataDirectory).AvailableFreeSpace / 1e6:N1} MB left.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // This is only a hint.
        }

        return $"That was the embedded Mixpanel, whose store is in {DataDirectory}.{free}";
    }

    public async ValueTask DisposeAsync()
    {
        if (_own is not null) await _own.DisposeAsync();
        _opening.Dispose();
    }

    async Task OpenAsync(CancellationToken cancellationToken)
    {
        if (EmulatedMixpanel.FindRunning(DataDirectory) is { } running)
        {
            Address = running;
            return;
        }

        try
        {
            _own = await EmulatedMixpanel.StartAsync(new EmulatorOptions { DataDirectory = DataDirectory, TimeProvider = _timeProvider }, cancellationToken);
            Address = _own.Address;
        }
        catch (DataFolderInUseException e) when (e.Address is { } address)
        {
            Address = address; // another process opened it first
        }
    }

    async Task ReopenAsync(Uri lost, CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (Address == lost && _own is null) await OpenAsync(cancellationToken);
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>
    /// Sends to the process that serves the folder now. A request whose connection failed was not sent, and a GET changes nothing: both are sent again to the
    /// next process.
    /// </summary>
    sealed class Follow(LocalMixpanel local, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        const int MostMoves = 5;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var asked = request.RequestUri!;
            for (var move = 0; ; move++)
            {
                var address = local.Address;
                request.RequestUri = new Uri(address, asked.PathAndQuery);
                try
                {
                    var response = await base.SendAsync(request, cancellationToken);
                    request.RequestUri = asked;
                    return response;
                }
                catch (HttpRequestException e) when ((e.HttpRequestError is HttpRequestError.ConnectionError || request.Method == HttpMethod.Get)
                    && move < MostMoves)
                {
                    await local.ReopenAsync(address, cancellationToken);
                }
            }
        }
    }
}

/// <summary>The folder of the embedded Mixpanel cannot be used, because of its disk or its contents.</summary>
sealed class LocalFolderException(string message, Exception innerException) : Exception(message, innerException);

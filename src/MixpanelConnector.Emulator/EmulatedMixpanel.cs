using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MixpanelConnector.Emulator.Faults;
using MixpanelConnector.Emulator.Folder;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Http.Tls;
using MixpanelConnector.Emulator.Live;
using MixpanelConnector.Emulator.Operations.Control;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator;

/// <summary>
/// An embedded Mixpanel: it listens on loopback, validates, stores and answers as Mixpanel's documentation says.
/// For development and tests; FIDELITY.md says where it differs.
/// </summary>
public sealed class EmulatedMixpanel : IAsyncDisposable
{
    static readonly TimeSpan LongestHandover = TimeSpan.FromSeconds(5);
    static readonly TimeSpan HandoverStep = TimeSpan.FromMilliseconds(50);

    readonly DataFolder? _folder;
    readonly Database _database;
    readonly Snapshots _snapshots;
    readonly EventStore _events;
    readonly Accounts _accounts;
    readonly ProfileStore _profiles;
    readonly LookupTableStore _lookupTables;
    readonly Journal _requests;
    readonly CertificateAuthority? _authority;
    readonly HttpClient _self;
    readonly WebApplication _application;
    readonly GuestRoom _guests;
    bool _isStopped;

    EmulatedMixpanel(DataFolder? folder, Database database, Snapshots snapshots, EventStore events, Accounts accounts, ProfileStore profiles, LookupTableStore lookupTables, Journal requests, GuestRoom guests, WebApplication application, CertificateAuthority? authority, HttpClient self, Server.Addresses addresses)
    {
        _folder = folder;
        _database = database;
        _snapshots = snapshots;
        _events = events;
        _accounts = accounts;
        _profiles = profiles;
        _lookupTables = lookupTables;
        _requests = requests;
        _guests = guests;
        _application = application;
        _authority = authority;
        _self = self;
        (Address, ProxyAddress, TlsAddress) = addresses;
    }

    /// <summary>Where it listens, like <c>http://127.0.0.1:41234/</c>: the one base address for all of Mixpanel's hosts.</summary>
    public Uri Address { get; }

    /// <summary>The proxy that leads Mixpanel's hosts here, like <c>http://127.0.0.1:41235/</c>; null without <see cref="EmulatorOptions.ProxyPort"/>.</summary>
    public Uri? ProxyAddress { get; }

    /// <summary>Where it listens for HTTPS; null without <see cref="EmulatorOptions.TlsPort"/>.</summary>
    public Uri? TlsAddress { get; }

    /// <summary>
    /// The certificate to trust for the proxy and for HTTPS, a file in PEM; null without either. It holds for Mixpanel's hosts and
    /// loopback alone, is kept in the data folder, and without one is gone when the embedded Mixpanel stops.
    /// </summary>
    public string? CertificateAuthorityFile => _authority?.File;

    /// <summary>
    /// The environment variables by which clients of curl, Go, Java, Node.js, Python, Ruby and their like go through the proxy and trust
    /// its certificate; empty without the proxy.
    /// </summary>
    public IReadOnlyDictionary<string, string> ProxyEnvironment => ProxyAddress is null || _authority is null ? FrozenDictionary<string, string>.Empty : new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["HTTPS_PROXY"] = ProxyAddress.AbsoluteUri.TrimEnd('/'),
        ["https_proxy"] = ProxyAddress.AbsoluteUri.TrimEnd('/'), // where both are set, some take this one
        ["NO_PROXY"] = "",
        ["no_proxy"] = "",
        ["SSL_CERT_FILE"] = _authority.File,
        ["CURL_CA_BUNDLE"] = _authority.File,
        ["REQUESTS_CA_BUNDLE"] = _authority.File,
        ["NODE_EXTRA_CA_CERTS"] = _authority.File,
        ["NODE_USE_ENV_PROXY"] = "1",
        ["NODE_OPTIONS"] = $"--require \"{_authority.NodeScript.Replace("\\", "\\\\", StringComparison.Ordinal)}\"",
        ["JAVA_TOOL_OPTIONS"] = $"-Dhttps.proxyHost={ProxyAddress.Host} -Dhttps.proxyPort={ProxyAddress.Port.ToString(CultureInfo.InvariantCulture)} -Djavax.net.ssl.trustStore={_authority.TrustStore} -Djavax.net.ssl.trustStorePassword={CertificateAuthority.TrustStorePassword}",
    };

    /// <summary>The latest requests (at most 10,000) and what became of them, the oldest first. Those to <c>/emulator</c> are not among them.</summary>
    public IReadOnlyList<ReceivedRequest> Requests => _requests.All;

    /// <summary>What arrived, for the assertions of a test.</summary>
    public Received Received => new(this, projectId: null);

    /// <summary>The token and the secret of the first project.</summary>
    internal (string Token, string Secret) FirstProject => _accounts.Projects.First(project => project.Id == DevelopmentCredentials.ProjectId) is var project ? (project.Token, project.Secret) : default;

    /// <summary>Who answers under this address what is no path of Mixpanel's; null for nobody.</summary>
    internal Guest? Guest
    {
        get => _guests.Guest;
        set => _guests.Guest = value;
    }

    /// <summary>Every path that is served, with its methods.</summary>
    internal IEnumerable<(string Method, string Path)> Endpoints => _application.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        .SelectMany(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Select(method => (method, endpoint.RoutePattern.RawText!)));

    /// <summary>Starts one. When this returns, it serves.</summary>
    /// <param name="options">How; the defaults keep everything in memory and take any free port.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="DataFolderInUseException">Another one serves the data folder.</exception>
    /// <exception cref="InvalidDataException">The data folder's database cannot be opened.</exception>
    /// <exception cref="FormatException">The seed is wrong, or another one than the store was made from.</exception>
    public static async Task<EmulatedMixpanel> StartAsync(EmulatorOptions? options = null, CancellationToken cancellationToken = default)
    {
        var clock = new AdjustableClock((options ??= new EmulatorOptions()).TimeProvider);
        options = options with { TimeProvider = clock };
        var folder = options.DataDirectory is { } path ? await TakeAsync(path, cancellationToken).ConfigureAwait(false) : null;
        Database? database = null;
        CertificateAuthority? authority = null;
        EmulatedMixpanel? started = null;
        try
        {
            database = Database.Open(folder?.DatabaseFile, folder is null ? null : folder.ProtectDatabase);
            var identities = IdentityStore.Load(database);
            var events = EventStore.Load(database, identities, new HotShards(options.EventsPerDistinctIdAndDay));
            var profiles = new ProfileStore(database);
            var lookupTables = await LookupTableStore.LoadAsync(database, cancellationToken).ConfigureAwait(false);
            var accounts = await Accounts.LoadAsync(database, options.TimeProvider, options.Identity, cancellationToken).ConfigureAwait(false);
            if (options.ProxyPort is not null || options.TlsPort is not null)
                authority = CertificateAuthority.Open(options.DataDirectory, TimeProvider.System.GetUtcNow());
            var instance = RandomNumberGenerator.GetHexString(32, lowercase: true);
            var faults = new FaultPlan(null); // they begin once the seed is in
            var faulty = new FaultyAnswers(faults);
            var requests = new Journal(options.TimeProvider, instance);
            var documents = new DocumentStore(database);
            var snapshots = new Snapshots(database, events, accounts);
            await snapshots.UndoAsync(cancellationToken).ConfigureAwait(false); // a seed that the process before this one ended in
            var seeding = new Seeding(documents, snapshots, instance);
            var routes = new Routes(
                events, profiles, new QuerySessions(database, options.TimeProvider), identities, documents, lookupTables, new PersonalData(database, identities, profiles), accounts,
                faults, requests, snapshots, seeding, clock, options, instance, database);
            var guests = new GuestRoom();
            var (application, addresses) = await Server.StartAsync(
                options, authority, routes.Map, (context, next) => requests.RunAsync(context, inner => faulty.RunAsync(inner, next)), guests.RunAsync, cancellationToken).ConfigureAwait(false);
            var self = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = addresses.Plain, Timeout = Timeout.InfiniteTimeSpan };
            started = new EmulatedMixpanel(folder, database, snapshots, events, accounts, profiles, lookupTables, requests, guests, application, authority, self, addresses);
            seeding.Connect(self);
            if (options.Seed is { } seed)
                await seeding.ApplyOnceAsync(seed, cancellationToken).ConfigureAwait(false);
            faults.Replace(options.Faults ?? new EmulatorFaults());
            folder?.Announce(new ServerNote(addresses.Plain, Environment.ProcessId, instance));
            return started;
        }
        catch when (started is not null)
        {
            await started.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        catch (Exception e)
        {
            authority?.Dispose();
            database?.Dispose();
            folder?.Dispose();
            if (e is DuckDB.NET.Data.DuckDBException && folder is not null)
                throw Damaged(folder, e);
            throw;
        }
    }

    /// <summary>The address of the process that serves a data folder now; null when none does.</summary>
    /// <param name="dataDirectory">The folder.</param>
    public static Uri? FindRunning(string dataDirectory) =>
        ServerNote.Read(dataDirectory) is { } note && note.Answers() ? note.Address : null;

    /// <summary>Writes the events of a data folder that nobody serves to a new file.</summary>
    /// <param name="dataDirectory">The folder.</param>
    /// <param name="file">The file, which must not be there.</param>
    /// <param name="export">What to write; the defaults are all events of project 1 as NDJSON.</param>
    /// <param name="cancellationToken">Gives up before writing.</param>
    /// <returns>How many events were written.</returns>
    /// <exception cref="DataFolderInUseException">Somebody serves the folder: ask their <c>/api/2.0/export</c>.</exception>
    /// <exception cref="IOException">The file is there already, or cannot be written.</exception>
    /// <exception cref="InvalidDataException">The data folder's database cannot be read.</exception>
    public static async Task<long> ExportAsync(string dataDirectory, string file, EmulatorExport? export = null, CancellationToken cancellationToken = default)
    {
        using var folder = await TakeAsync(dataDirectory, cancellationToken).ConfigureAwait(false);
        Database database;
        try
        {
            database = Database.Open(folder.DatabaseFile, folder.ProtectDatabase);
        }
        catch (DuckDB.NET.Data.DuckDBException e)
        {
            throw Damaged(folder, e);
        }

        using (database)
        {
            try
            {
                return await Task.Run(() => EventFile.Write(database, export ?? new EmulatorExport(), file), cancellationToken).ConfigureAwait(false);
            }
            catch (DuckDB.NET.Data.DuckDBException e)
            {
                throw new IOException($"{file} could not be written from {folder.DatabaseFile}: {e.Message.ReplaceLineEndings(" ")}", e);
            }
        }
    }

    static InvalidDataException Damaged(DataFolder folder, Exception e) =>
        new($"{folder.DatabaseFile} is damaged, or no database of the embedded Mixpanel, or its disk is full. Delete it to begin with an empty one, or use another folder.", e);

    /// <summary>Makes a project, so that a test meets no other.</summary>
    /// <param name="name">What it is called.</param>
    /// <param name="cancellationToken">Gives up before making it.</param>
    public async Task<EmulatedProject> CreateProjectAsync(string name = "test", CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var owner = _accounts.All.First(account => account.Username == DevelopmentCredentials.ServiceAccountUsername);
        var project = await _accounts.PutProjectAsync(owner, new ProjectSettings(name, "", "", "UTC", _accounts.Identity, null), null, cancellationToken).ConfigureAwait(false);
        return new EmulatedProject(this, project!.Id, project.Token, project.Secret);
    }

    internal Task<IReadOnlyList<StoredEvent>> EventsOfAsync(int? projectId, CancellationToken cancellationToken) => _events.ReadAllAsync(deduplicated: true, projectId, cancellationToken);

    /// <summary>The events that were stored, in the order of storing.</summary>
    /// <param name="deduplicated">Only the latest of those that agree in name, time, <c>distinct_id</c> and <c>$insert_id</c>, as reports count them.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public Task<IReadOnlyList<StoredEvent>> EventsAsync(bool deduplicated = false, CancellationToken cancellationToken = default) =>
        _events.ReadAllAsync(deduplicated, projectId: null, cancellationToken);

    /// <summary>How many events were stored.</summary>
    /// <param name="deduplicated">Only the latest of those that agree in name, time, <c>distinct_id</c> and <c>$insert_id</c>, as reports count them.</param>
    /// <param name="cancellationToken">Stops counting.</param>
    public Task<long> CountEventsAsync(bool deduplicated = false, CancellationToken cancellationToken = default) =>
        _events.CountAsync(deduplicated, cancellationToken);

    /// <summary>The user profiles that were stored, by project and <c>distinct_id</c>.</summary>
    /// <param name="cancellationToken">Gives up before reading.</param>
    public Task<IReadOnlyList<StoredProfile>> ProfilesAsync(CancellationToken cancellationToken = default) => Task.Run(
        () => _profiles.ReadAll(ofGroups: false, (kind, row) => new StoredProfile(kind.ProjectId, row.Id, row.Properties)), cancellationToken);

    /// <summary>The group profiles that were stored, by project, group key and group.</summary>
    /// <param name="cancellationToken">Gives up before reading.</param>
    public Task<IReadOnlyList<StoredGroup>> GroupsAsync(CancellationToken cancellationToken = default) => Task.Run(
        () => _profiles.ReadAll(ofGroups: true, (kind, row) => new StoredGroup(kind.ProjectId, kind.GroupKey, row.Id, row.Properties)), cancellationToken);

    /// <summary>The lookup tables that were stored, by project and id.</summary>
    /// <param name="cancellationToken">Gives up before reading.</param>
    public Task<IReadOnlyList<StoredLookupTable>> LookupTablesAsync(CancellationToken cancellationToken = default) => Task.Run(
        IReadOnlyList<StoredLookupTable> () => [.. _lookupTables.ReadAll().Select(table => new StoredLookupTable(table.ProjectId, table.Id, table.Name, table.Csv))], cancellationToken);

    /// <summary>Stops serving, once running requests are answered (for at most 5 seconds), and lets the data folder go.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isStopped, true))
            return;
        _self.Dispose();
        await _application.StopAsync().ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
        _snapshots.Dispose();
        _database.Dispose();
        _authority?.Dispose();
        _folder?.Dispose();
    }

    /// <summary>Waits a moment for one that is about to stop, or about to say where it serves.</summary>
    static async Task<DataFolder> TakeAsync(string path, CancellationToken cancellationToken)
    {
        // The wait is for another process: it goes by the real clock, whatever clock the events go by.
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        while (true)
        {
            if (DataFolder.TryTake(path) is { } folder)
                return folder;
            var address = FindRunning(path);
            if (address is not null || clock.GetElapsedTime(start) > LongestHandover)
                throw new DataFolderInUseException(path, address);
            await Task.Delay(HandoverStep, clock, cancellationToken).ConfigureAwait(false);
        }
    }
}

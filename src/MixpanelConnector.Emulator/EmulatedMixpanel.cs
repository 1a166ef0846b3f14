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
/// An embedded Mixpanel: it listens on loopback, and validates, stores and answers as Mixpanel's documentation specifies. For development and tests;
/// FIDELITY.md lists the differences.
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
    readonly ApplicationSlot _slot;
    bool _isStopped;

    EmulatedMixpanel(DataFolder? folder, Database database, Snapshots snapshots, EventStore events, Accounts accounts, ProfileStore profiles,
        LookupTableStore lookupTables, Journal requests, ApplicationSlot slot, WebApplication application, CertificateAuthority? authority, HttpClient self,
        Server.Addresses addresses)
    {
        _folder = folder;
        _database = database;
        _snapshots = snapshots;
        _events = events;
        _accounts = accounts;
        _profiles = profiles;
        _lookupTables = lookupTables;
        _requests = requests;
        _slot = slot;
        _application = application;
        _authority = authority;
        _self = self;
        (Address, ProxyAddress, TlsAddress) = addresses;
    }

    /// <summary>The address it listens on, such as <c>http://127.0.0.1:41234/</c>: the one base address for all of Mixpanel's hosts.</summary>
    public Uri Address { get; }

    /// <summary>
    /// The proxy that redirects Mixpanel's hosts here, such as <c>http://127.0.0.1:41235/</c>; null without <see cref="EmulatorOptions.ProxyPort"/>.
    /// </summary>
    public Uri? ProxyAddress { get; }

    /// <summary>The address it listens on for HTTPS; null without <see cref="EmulatorOptions.TlsPort"/>.</summary>
    public Uri? TlsAddress { get; }

    /// <summary>
    /// The certificate to trust for the proxy and for HTTPS, as a PEM file; null if neither is used. It is valid for Mixpanel's hosts and loopback only. It is
    /// stored in the data folder; without one, it is deleted when the embedded Mixpanel stops.
    /// </summary>
    public string? CertificateAuthorityFile => _authority?.File;

    /// <summary>
    /// The environment variables that make clients such as curl, Go, Java, Node.js, Python and Ruby use the proxy and trust its certificate; empty without the
    /// proxy.
    /// </summary>
    public IReadOnlyDictionary<string, string> ProxyEnvironment =>
        ProxyAddress is null || _authority is null ? FrozenDictionary<string, string>.Empty : new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["HTTPS_PROXY"] = ProxyAddress.AbsoluteUri.TrimEnd('/'),
            ["https_proxy"] = ProxyAddress.AbsoluteUri.TrimEnd('/'), // if both are set, some clients use this one
            ["NO_PROXY"] = "",
            ["no_proxy"] = "",
            ["SSL_CERT_FILE"] = _authority.File,
            ["CURL_CA_BUNDLE"] = _authority.File,
            ["REQUESTS_CA_BUNDLE"] = _authority.File,
            ["NODE_EXTRA_CA_CERTS"] = _authority.File,
            ["NODE_USE_ENV_PROXY"] = "1",
            ["NODE_OPTIONS"] = $"--require \"{_authority.NodeScript.Replace("\\", "\\\\", StringComparison.Ordinal)}\"",
            ["JAVA_TOOL_OPTIONS"] = $"-Dhttps.proxyHost={ProxyAddress.Host} -Dhttps.proxyPort={ProxyAddress.Port.ToString(CultureInfo.InvariantCulture)} "
            + $"-Djavax.net.ssl.trustStore={_authority.TrustStore} -Djavax.net.ssl.trustStorePassword={CertificateAuthority.TrustStorePassword}",
        };

    /// <summary>The latest requests (at most 10,000) and their outcome, oldest first. Requests to <c>/emulator</c> are not included.</summary>
    public IReadOnlyList<ReceivedRequest> Requests => _requests.All;

    /// <summary>The received data, for assertions in tests.</summary>
    public Received Received => new(this, projectId: null);

    /// <summary>The token and the secret of the first project.</summary>
    internal (string Token, string Secret) FirstProject =>
        _accounts.Projects.First(project => project.Id == DevelopmentCredentials.ProjectId) is var project ? (project.Token, project.Secret) : default;

    /// <summary>Handles paths under this address that are not Mixpanel's; null if nothing does.</summary>
    internal HostedApplication? HostedApplication
    {
        get => _slot.HostedApplication;
        set => _slot.HostedApplication = value;
    }

    /// <summary>Every served path, with its methods.</summary>
    internal IEnumerable<(string Method, string Path)> Endpoints =>
        _application.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        .SelectMany(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Select(method => (method, endpoint.RoutePattern.RawText!)));

    /// <summary>Starts an embedded Mixpanel, which is ready when this returns.</summary>
    /// <param name="options">The options; by default, everything is kept in memory and any free port is used.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="DataFolderInUseException">Another instance serves the data folder.</exception>
    /// <exception cref="InvalidDataException">The data folder's database cannot be opened.</exception>
    /// <exception cref="FormatException">The seed is not valid, or the store was created from another one.</exception>
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
            var faults = new FaultPlan(null); // they apply only after the seed was loaded
            var faulty = new FaultyAnswers(faults);
            var requests = new Journal(options.TimeProvider, instance);
            var documents = new DocumentStore(database);
            var snapshots = new Snapshots(database, events, accounts);
            await snapshots.UndoAsync(cancellationToken).ConfigureAwait(false); // a seed that the previous process did not finish
            var seeding = new Seeding(documents, snapshots, instance);
            var routes = new Routes(
                events, profiles, new QuerySessions(database, options.TimeProvider), identities, documents, lookupTables,
                new PersonalData(database, identities, profiles), accounts,
                faults, requests, snapshots, seeding, clock, options, instance, database);
            var slot = new ApplicationSlot();
            var (application, addresses) = await Server.StartAsync(
                options, authority, routes.Map, (context, next) => requests.RunAsync(context, inner => faulty.RunAsync(inner, next)), slot.RunAsync,
                cancellationToken).ConfigureAwait(false);
            var self = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false })
            {
                BaseAddress = addresses.Plain,
                Timeout = Timeout.InfiniteTimeSpan,
            };
            started = new EmulatedMixpanel(folder, database, snapshots, events, accounts, profiles, lookupTables, requests, slot, application, authority,
                self, addresses);
            seeding.Connect(self);
            if (options.Seed is { } seed) await seeding.ApplyOnceAsync(seed, cancellationToken).ConfigureAwait(false);
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
            if (e is DuckDB.NET.Data.DuckDBException && folder is not null) throw Damaged(folder, e);
            throw;
        }
    }

    /// <summary>Returns the address of the process that currently serves a data folder; null if none does.</summary>
    /// <param name="dataDirectory">The folder.</param>
    public static Uri? FindRunning(string dataDirectory) =>
        ServerNote.Read(dataDirectory) is { } note && note.Answers() ? note.Address : null;

    /// <summary>Writes the events of a data folder that is not being served to a new file.</summary>
    /// <param name="dataDirectory">The folder.</param>
    /// <param name="file">The file, which must not exist.</param>
    /// <param name="export">What to write; by default, all events of project 1 as NDJSON.</param>
    /// <param name="cancellationToken">Cancels before writing.</param>
    /// <returns>The number of events written.</returns>
    /// <exception cref="KeyNotFoundException">The folder has no such project; the message names those that it has.</exception>
    /// <exception cref="DataFolderInUseException">Another process serves the folder: use its <c>/api/2.0/export</c>.</exception>
    /// <exception cref="IOException">The file exists already, or cannot be written.</exception>
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
        new($"{folder.DatabaseFile} is damaged or not a database of the embedded Mixpanel, or its disk is full, "
            + $"or this process has too little memory ({e.Message.ReplaceLineEndings(" ").Trim()}). If it is damaged, delete it to start with an empty one, or use another folder.",
            e);

    /// <summary>Creates a project, to isolate a test from others.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Cancels before it is created.</param>
    /// <returns>The project, with its credentials.</returns>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public async Task<EmulatedProject> CreateProjectAsync(string name = "test", CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ObjectDisposedException.ThrowIf(_isStopped, this);
        var owner = _accounts.All.First(account => account.Username == DevelopmentCredentials.ServiceAccountUsername);
        var project = await _accounts.PutProjectAsync(owner, new ProjectSettings(name, "", "", "UTC", _accounts.Identity, null), null,
            cancellationToken).ConfigureAwait(false);
        return new EmulatedProject(this, project!.Id, project.Token, project.Secret);
    }

    internal Task<IReadOnlyList<StoredEvent>> EventsOfAsync(int? projectId, CancellationToken cancellationToken) =>
        Running(_events).ReadAllAsync(deduplicated: true, projectId, cancellationToken);

    /// <summary>Returns the stored events, in the order in which they were stored.</summary>
    /// <param name="deduplicated">Whether to return only the latest of the events with the same name, time, <c>distinct_id</c> and <c>$insert_id</c>, as
    /// reports count them.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    public Task<IReadOnlyList<StoredEvent>> EventsAsync(bool deduplicated = false, CancellationToken cancellationToken = default) =>
        Running(_events).ReadAllAsync(deduplicated, projectId: null, cancellationToken);

    /// <summary>Returns the number of stored events.</summary>
    /// <param name="deduplicated">Whether to count only the latest of the events with the same name, time, <c>distinct_id</c> and <c>$insert_id</c>, as reports
    /// count them.</param>
    /// <param name="cancellationToken">Cancels counting.</param>
    public Task<long> CountEventsAsync(bool deduplicated = false, CancellationToken cancellationToken = default) =>
        Running(_events).CountAsync(deduplicated, cancellationToken);

    /// <summary>Returns the stored user profiles, sorted by project and <c>distinct_id</c>.</summary>
    /// <param name="cancellationToken">Cancels before reading.</param>
    public Task<IReadOnlyList<StoredProfile>> ProfilesAsync(CancellationToken cancellationToken = default) => Task.Run(
        () => Running(_profiles).ReadAll(ofGroups: false, (kind, row) => new StoredProfile(kind.ProjectId, row.Id, row.Properties)), cancellationToken);

    /// <summary>Returns the stored group profiles, sorted by project, group key and group.</summary>
    /// <param name="cancellationToken">Cancels before reading.</param>
    public Task<IReadOnlyList<StoredGroup>> GroupsAsync(CancellationToken cancellationToken = default) => Task.Run(
        () => Running(_profiles).ReadAll(ofGroups: true, (kind, row) => new StoredGroup(kind.ProjectId, kind.GroupKey, row.Id, row.Properties)),
        cancellationToken);

    /// <summary>Returns the stored lookup tables, sorted by project and id.</summary>
    /// <param name="cancellationToken">Cancels before reading.</param>
    public Task<IReadOnlyList<StoredLookupTable>> LookupTablesAsync(CancellationToken cancellationToken = default) => Task.Run(
        IReadOnlyList<StoredLookupTable> () =>
        [
            .. Running(_lookupTables).ReadAll().Select(table => new StoredLookupTable(table.ProjectId, table.Id, table.Name, table.Csv)),
        ],
        cancellationToken);

    /// <summary>Stops serving once running requests are answered (waiting at most 5 seconds), and releases the data folder.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isStopped, true)) return;
        _self.Dispose();
        await _application.StopAsync().ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
        _snapshots.Dispose();
        _database.Dispose();
        _authority?.Dispose();
        _folder?.Dispose();
    }

    /// <exception cref="ObjectDisposedException">It was stopped.</exception>
    T Running<T>(T store)
    {
        ObjectDisposedException.ThrowIf(_isStopped, this);
        return store;
    }

    /// <summary>Waits briefly for another instance that is about to stop, or about to announce its address.</summary>
    static async Task<DataFolder> TakeAsync(string path, CancellationToken cancellationToken)
    {
        // This waits for another process, so it uses the real clock, whatever clock the events use.
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        while (true)
        {
            if (DataFolder.TryTake(path) is { } folder) return folder;
            var address = FindRunning(path);
            if (address is not null || clock.GetElapsedTime(start) > LongestHandover) throw new DataFolderInUseException(path, address);
            await Task.Delay(HandoverStep, clock, cancellationToken).ConfigureAwait(false);
        }
    }
}

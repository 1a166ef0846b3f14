using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using MixpanelConnector.Emulator.Folder;
using MixpanelConnector.Emulator.Http;
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
    readonly EventStore _events;
    readonly ProfileStore _profiles;
    readonly LookupTableStore _lookupTables;
    readonly WebApplication _application;
    bool _isStopped;

    EmulatedMixpanel(DataFolder? folder, Database database, EventStore events, ProfileStore profiles, LookupTableStore lookupTables, WebApplication application, Uri address)
    {
        _folder = folder;
        _database = database;
        _events = events;
        _profiles = profiles;
        _lookupTables = lookupTables;
        _application = application;
        Address = address;
    }

    /// <summary>Where it listens, like <c>http://127.0.0.1:41234/</c>: the one base address for all of Mixpanel's hosts.</summary>
    public Uri Address { get; }

    /// <summary>Starts one. When this returns, it serves.</summary>
    /// <param name="options">How; the defaults keep everything in memory and take any free port.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="DataFolderInUseException">Another one serves the data folder.</exception>
    /// <exception cref="InvalidDataException">The data folder's database cannot be opened.</exception>
    public static async Task<EmulatedMixpanel> StartAsync(EmulatorOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new EmulatorOptions();
        var folder = options.DataDirectory is { } path ? await TakeAsync(path, cancellationToken).ConfigureAwait(false) : null;
        Database? database = null;
        try
        {
            database = Database.Open(folder?.DatabaseFile, folder is null ? null : folder.ProtectDatabase);
            var events = EventStore.Load(database);
            var identities = IdentityStore.Load(database);
            var profiles = new ProfileStore(database);
            var lookupTables = await LookupTableStore.LoadAsync(database, cancellationToken).ConfigureAwait(false);
            var accounts = await Accounts.LoadAsync(database, options.TimeProvider, options.Identity, cancellationToken).ConfigureAwait(false);
            var instance = RandomNumberGenerator.GetHexString(32, lowercase: true);
            var routes = new Routes(events, profiles, identities, new DocumentStore(database), lookupTables, accounts, options, instance);
            var (application, address) = await Server.StartAsync(options.Port, routes.Map, cancellationToken).ConfigureAwait(false);
            folder?.Announce(new ServerNote(address, Environment.ProcessId, instance));
            return new EmulatedMixpanel(folder, database, events, profiles, lookupTables, application, address);
        }
        catch (Exception e)
        {
            database?.Dispose();
            folder?.Dispose();
            if (e is DuckDB.NET.Data.DuckDBException && folder is not null)
                throw new InvalidDataException($"{folder.DatabaseFile} is damaged, or no database of the embedded Mixpanel, or its disk is full. Delete it to begin with an empty one, or use another folder.", e);
            throw;
        }
    }

    /// <summary>The address of the process that serves a data folder now; null when none does.</summary>
    /// <param name="dataDirectory">The folder.</param>
    public static Uri? FindRunning(string dataDirectory) =>
        ServerNote.Read(dataDirectory) is { } note && note.Answers() ? note.Address : null;

    /// <summary>The events that were stored, in the order of storing.</summary>
    /// <param name="deduplicated">Only the latest of those that agree in name, time, <c>distinct_id</c> and <c>$insert_id</c>, as reports count them.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public Task<IReadOnlyList<StoredEvent>> EventsAsync(bool deduplicated = false, CancellationToken cancellationToken = default) =>
        _events.ReadAllAsync(deduplicated, cancellationToken);

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
        await _application.StopAsync().ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
        _database.Dispose();
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

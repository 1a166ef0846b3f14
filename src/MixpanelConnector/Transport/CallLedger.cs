using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MixpanelConnector.Files;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>
/// The calls that count against Mixpanel's limits of 60 an hour, kept in a folder that processes share: each is entered, and the
/// entry synced, before it is sent, also when it fails. A call beyond the limit is not sent: it ends with
/// <see cref="ErrorKind.RateLimited"/>, and <see cref="MixpanelError.RetryAfter"/> says when the next one may come.
/// There is a list for each endpoint or region, project and kind of call: raw exports, and queries.
/// </summary>
public sealed record CallLedger
{
    const int MixpanelsHour = 60, MixpanelsSecond = 3;

    /// <summary>A list beyond this many entries loses those that are older than an hour.</summary>
    const int MostEntries = 2000;

    const string Form = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";
    const int EntryLength = 29; // with its line feed

    static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(5);

    /// <summary>Keeps the calls in a folder.</summary>
    /// <param name="folder">The folder; made when it is missing.</param>
    public CallLedger(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Folder = folder;
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>How many calls of a kind a project has in any hour; 0 for any number. Default: null, which means Mixpanel's own limit, 60.</summary>
    public int? CallsPerHour { get; init; }

    /// <summary>How many calls of a kind a project has in any second; 0 for any number. Beyond it a call waits. Default: null, which means Mixpanel's own limit, 3 raw exports, and any number of queries.</summary>
    public int? CallsPerSecond { get; init; }

    /// <summary>What a project's calls belong to, when that is not its endpoint or its region, such as a local store whose address changes. Default: none.</summary>
    public string? Store { get; init; }

    /// <summary>Enters a call. Null when it may be sent; otherwise how long the limit is used up for.</summary>
    /// <exception cref="MixpanelException">The ledger cannot be kept: the call must not be sent.</exception>
    internal async Task<TimeSpan?> EnterAsync(MixpanelOptions options, CallKind kind, CancellationToken cancellationToken)
    {
        var (perHour, perSecond) = (CallsPerHour ?? MixpanelsHour, CallsPerSecond ?? (kind is CallKind.Export ? MixpanelsSecond : 0));
        while (true)
        {
            TimeSpan? pause;
            using (var file = await OpenAsync(options, kind, cancellationToken).ConfigureAwait(false))
            {
                pause = Guarded(() =>
                {
                    var now = options.TimeProvider.GetUtcNow();
                    var calls = Read(file, now);
                    if (perHour > 0 && calls.Count >= perHour) return calls[^perHour] + Hour - now;
                    if (perSecond > 0 && calls.Count >= perSecond && calls[^perSecond] + Second is var free && free > now) return -(free - now);
                    Append(file, calls, now);
                    return default(TimeSpan?);
                });
            }

            if (pause is null || pause >= TimeSpan.Zero) return pause;
            await Task.Delay(-pause.Value, options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>How many calls the hour has left; null for any number.</summary>
    /// <exception cref="MixpanelException">The ledger cannot be read.</exception>
    internal async Task<int?> LeftAsync(MixpanelOptions options, CallKind kind, CancellationToken cancellationToken)
    {
        var perHour = CallsPerHour ?? MixpanelsHour;
        if (perHour == 0) return null;
        using var file = await OpenAsync(options, kind, cancellationToken).ConfigureAwait(false);
        return Guarded(() => Math.Max(0, perHour - Read(file, options.TimeProvider.GetUtcNow()).Count));
    }

    /// <summary>The list, locked.</summary>
    async Task<FileStream> OpenAsync(MixpanelOptions options, CallKind kind, CancellationToken cancellationToken)
    {
        Guarded(() =>
        {
            OwnFolder.Make(Folder);
            return true;
        });
        var path = Path.Combine(Folder, NameOf(options, kind));
        while (true)
        {
            if (Guarded(() => FileLock.TryTake(path)) is { } file) return file;
            await Task.Delay(LockPause, TimeProvider.System, cancellationToken).ConfigureAwait(false); // whoever has it keeps it for an fsync, by the real clock
        }
    }

    string NameOf(MixpanelOptions options, CallKind kind)
    {
        var api = kind is CallKind.Export ? Api.Export : Api.Query;
        var owner = $"{Store ?? Hosts.BaseAddress(options, api).AbsoluteUri}\n{options.ProjectId?.ToString(CultureInfo.InvariantCulture) ?? options.Token}";
        return $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(owner)))[..20]}-{(kind is CallKind.Export ? "exports" : "queries")}";
    }

    /// <summary>The calls of the last hour, the oldest first. One that a clock put far ahead is left out; an entry that was cut was never sent.</summary>
    static List<DateTimeOffset> Read(FileStream file, DateTimeOffset now)
    {
        var bytes = new byte[Math.Min(file.Length, (long)MostEntries * 2 * EntryLength) / EntryLength * EntryLength];
        file.Position = (file.Length / EntryLength * EntryLength) - bytes.Length;
        file.ReadExactly(bytes);
        var calls = new List<DateTimeOffset>();
        for (var at = 0; at < bytes.Length; at += EntryLength)
        {
            if (DateTimeOffset.TryParseExact(Encoding.ASCII.GetString(bytes, at, EntryLength - 1), Form, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var call) && call > now - Hour && call < now + Hour) calls.Add(call);
        }

        calls.Sort();
        return calls;
    }

    static void Append(FileStream file, List<DateTimeOffset> calls, DateTimeOffset now)
    {
        var whole = file.Length / EntryLength * EntryLength;
        if (whole > MostEntries * EntryLength && calls.Count < MostEntries / 2)
        {
            // Those that are kept count a second time if this is cut short: rather too many than too few.
            file.Position = 0;
            foreach (var call in calls) file.Write(Entry(call));
            file.Write(Entry(now));
            file.Flush();
            file.SetLength(file.Position);
        }
        else
        {
            file.SetLength(whole);
            file.Position = whole;
            file.Write(Entry(now));
            file.Flush();
        }

        Durable.Sync(file);
    }

    static byte[] Entry(DateTimeOffset call) => Encoding.ASCII.GetBytes(call.UtcDateTime.ToString(Form, CultureInfo.InvariantCulture) + "\n");

    T Guarded<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotOursException or NotSyncedException)
        {
            throw new MixpanelException(new(ErrorKind.Unavailable, $"The ledger of calls in {Folder} cannot be kept, and without it nothing is sent: {e.Message}"), e);
        }
    }
}

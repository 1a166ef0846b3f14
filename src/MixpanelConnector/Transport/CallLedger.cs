using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using MixpanelConnector.Files;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>
/// The calls that count against Mixpanel's limits of 60 an hour, stored in a folder that processes share. Each call is entered, and the
/// entry synced, before it is sent, also when it then fails. A call beyond the limit is not sent: it ends with
/// <see cref="ErrorKind.RateLimited"/>, and <see cref="MixpanelError.RetryAfter"/> is the time until the next call is allowed.
/// There is a list for each endpoint or region, project and kind of call: raw exports, and queries.
/// An entry that cannot be read counts as a call made when it is found, which is logged once, as a warning; one that is cut off at the end of a list does not
/// count, since a call is sent only after its entry has been synced. An entry ahead of the clock, which was wrong, counts as a call made when it is found if it
/// is ahead by less than an hour, and is ignored while it is further ahead: no entry holds a limit for longer than an hour.
/// </summary>
public sealed record CallLedger
{
    const int MixpanelsHour = 60, MixpanelsSecond = 3;

    /// <summary>When a list exceeds this number of entries, those older than an hour are removed.</summary>
    const int MostEntries = 2000;

    /// <summary>The category of the log, which a program may show on its own.</summary>
    const string LogCategory = "MixpanelConnector.CallLedger";

    const string NotUpdated = "The call ledger cannot be updated, and nothing is sent without it";

    const string Form = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";
    const int EntryLength = 29; // with the line feed

    static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(5);
    static readonly TimeSpan LongestLock = TimeSpan.FromSeconds(30);

    /// <summary>Creates a ledger that stores the calls in a folder.</summary>
    /// <param name="folder">The folder; created if it is missing.</param>
    public CallLedger(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Folder = folder;
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>The maximum number of calls of a kind per project in any hour; 0 for no limit. Default: null, which means Mixpanel's own limit, 60.</summary>
    public int? CallsPerHour { get; init; }

    /// <summary>
    /// The maximum number of calls of a kind per project in any second; 0 for no limit. Beyond it a call waits. Default: null, which means Mixpanel's own
    /// limit: 3 raw exports, and no limit for queries.
    /// </summary>
    public int? CallsPerSecond { get; init; }

    /// <summary>The owner of a project's calls, if that is not its endpoint or region, such as a local store whose address changes. Default: none.</summary>
    public string? Store { get; init; }

    /// <summary>The longest wait for another process that has locked the ledger.</summary>
    internal TimeSpan LockTimeout { get; init; } = LongestLock;

    /// <summary>Enters a call. Returns null when it may be sent; otherwise the time until the limit allows it.</summary>
    /// <exception cref="MixpanelException">The ledger cannot be written: the call must not be sent.</exception>
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
                    var calls = Read(file, options, now, perHour);
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

    /// <summary>Returns the number of calls left in the hour; null for no limit.</summary>
    /// <exception cref="MixpanelException">The ledger cannot be read.</exception>
    internal async Task<int?> LeftAsync(MixpanelOptions options, CallKind kind, CancellationToken cancellationToken)
    {
        var perHour = CallsPerHour ?? MixpanelsHour;
        if (perHour == 0) return null;
        using var file = await OpenAsync(options, kind, cancellationToken).ConfigureAwait(false);
        return Guarded(() => Math.Max(0, perHour - Read(file, options, options.TimeProvider.GetUtcNow(), perHour).Count));
    }

    /// <summary>Opens the list, locked.</summary>
    async Task<FileStream> OpenAsync(MixpanelOptions options, CallKind kind, CancellationToken cancellationToken)
    {
        Guarded(() =>
        {
            OwnFolder.Make(Folder);
            return true;
        });
        var path = Path.Combine(Folder, NameOf(options, kind));
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (Guarded(() => FileLock.TryTake(path)) is { } file) return file;
            // The lock is held for the duration of an fsync, by the real clock.
            if (TimeProvider.System.GetElapsedTime(began) > LockTimeout)
                throw new MixpanelException(new(ErrorKind.Unavailable,
                    $"{NotUpdated}: another process has locked it for {LockTimeout.TotalSeconds:0} seconds. End that process if it hangs.")
                {
                    LocalDetail = $"The ledger is in {Folder}.",
                });
            await Task.Delay(LockPause, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
    }

    string NameOf(MixpanelOptions options, CallKind kind)
    {
        var api = kind is CallKind.Export ? Api.Export : Api.Query;
        var owner = $"{Store ?? Hosts.BaseAddress(options, api).AbsoluteUri}\n{options.ProjectId?.ToString(CultureInfo.InvariantCulture) ?? options.Token}";
        return $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(owner)))[..20]}-{(kind is CallKind.Export ? "exports" : "queries")}";
    }

    /// <summary>
    /// Returns the calls of the last hour, the oldest first. A call far in the future, from a wrong clock, is ignored; an entry cut off at the end was never
    /// sent. Anything else that is not an entry was one: it is replaced by a call made now, so that the limit is not exceeded, and is reported only once. So
    /// is a call ahead by less than an hour, without a report, so that it neither holds the limit for longer nor makes the next call wait.
    /// </summary>
    static List<DateTimeOffset> Read(FileStream file, MixpanelOptions options, DateTimeOffset now, int perHour)
    {
        var mostCalls = Math.Max(MostEntries * 2L, perHour) + 1; // the first may be cut in half
        var bytes = new byte[Math.Min(file.Length, mostCalls * EntryLength)];
        file.Position = file.Length - bytes.Length;
        file.ReadExactly(bytes);
        var (calls, unreadable) = (new List<DateTimeOffset>(), 0L);
        var rest = bytes.AsSpan(bytes.Length < file.Length ? bytes.AsSpan().IndexOf((byte)'\n') + 1 : 0);
        while (rest.Length > 0)
        {
            var end = rest.IndexOf((byte)'\n');
            if (end < 0 && rest.Length < EntryLength) break;
            var line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (!DateTimeOffset.TryParseExact(Encoding.ASCII.GetString(line), Form, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var call))
                unreadable += Math.Max(1, (line.Length + 1 + (EntryLength / 2)) / EntryLength); // the nearest number of entries
            else calls.Add(call);
        }

        var ahead = calls.RemoveAll(call => call > now && call < now + Hour);
        if (ahead + unreadable > 0)
        {
            calls.AddRange(Enumerable.Repeat(now, (int)Math.Min(ahead + unreadable, mostCalls)));
            Write(file, calls);
            Durable.Sync(file);
        }

        if (unreadable > 0) CallLedgerLog.Damaged(HarmlessLogger.Create(options, LogCategory), file.Name, unreadable); // only once: what is written is readable
        calls.RemoveAll(call => call <= now - Hour || call >= now + Hour);
        calls.Sort();
        return calls;
    }

    static void Append(FileStream file, List<DateTimeOffset> calls, DateTimeOffset now)
    {
        var whole = file.Length / EntryLength * EntryLength;
        if (whole > MostEntries * EntryLength && calls.Count < MostEntries / 2)
        {
            Write(file, [.. calls, now]);
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

    /// <summary>Replaces the list. If this is interrupted, calls count twice: rather too many than too few.</summary>
    static void Write(FileStream file, List<DateTimeOffset> calls)
    {
        file.Position = 0;
        foreach (var call in calls) file.Write(Entry(call));
        file.Flush();
        file.SetLength(file.Position);
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
            throw new MixpanelException(new(ErrorKind.Unavailable, $"{NotUpdated}.") { LocalDetail = $"The ledger is in {Folder}: {e.Message}" }, e);
        }
    }
}

/// <summary>The log of the ledger: a class, since code for logging is not generated in a record.</summary>
static partial class CallLedgerLog
{
    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The call ledger {File} was damaged. What cannot be read counts as calls made now: {Count}. If there were none within the last hour, "
            + "delete the file")]
    public static partial void Damaged(ILogger logger, string file, long count);
}

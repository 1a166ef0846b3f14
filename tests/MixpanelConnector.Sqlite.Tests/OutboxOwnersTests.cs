using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Sqlite.Tests;

/// <summary>Trackers of several projects share a folder, and each sends only its own records.</summary>
public sealed class OutboxOwnersTests : IDisposable
{
    static readonly Uri Here = new("http://127.0.0.1:1");
    static readonly Uri There = new("http://127.0.0.1:2");
    static readonly string A = new('a', 32);
    static readonly string B = new('b', 32);

    /// <summary>Two owners, with the settings of each.</summary>
    public static readonly Dictionary<string, (MixpanelOptions One, MixpanelOptions Other)> Pairs = new(StringComparer.Ordinal)
    {
        ["two tokens"] = (new() { Token = A, Endpoint = Here }, new() { Token = B, Endpoint = Here }),
        ["two projects of one account"] = (Account(1, A), Account(2, B)),
        ["two endpoints"] = (new() { Token = A, Endpoint = Here }, new() { Token = A, Endpoint = There }),
        ["two regions"] = (new() { Token = A }, new() { Token = A, Region = MixpanelRegion.Eu }),
        ["a token and an account"] = (new() { Token = A, Endpoint = Here }, Account(2, B)),
    };

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, bool, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, bool, bool>();
            foreach (var pair in Pairs.Keys)
                foreach (var otherFirst in (bool[])[false, true])
                    foreach (var opensBoth in (bool[])[false, true])
                        cases.Add(pair, otherFirst, opensBoth);
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task Each_sends_its_own_whoever_starts_first(string pair, bool otherFirst, bool atTheSameTime)
    {
        var (one, other) = Pairs[pair];
        await using (var first = new Tracked(one, _folder.Path, isDown: true))
        await using (var second = new Tracked(other, _folder.Path, isDown: true))
        {
            foreach (var (tracked, name) in ((Tracked, string)[])[(first, "one"), (second, "other")])
            {
                await tracked.Tracker.TrackAsync(name, "u");
                await tracked.Tracker.Profile("u").SetAsync("Name", name);
                await tracked.Tracker.Group("company", "acme").SetAsync("Name", name);
            }
        }

        var (early, late) = otherFirst ? ((other, "other"), (one, "one")) : ((one, "one"), (other, "other"));
        await using (var first = new Tracked(early.Item1, _folder.Path))
        {
            if (!atTheSameTime) await first.DisposeAsync();
            await using var second = new Tracked(late.Item1, _folder.Path);
            await second.Tracker.FlushAsync();
            await first.FlushAsync();

            AssertSent(first, early.Item2);
            AssertSent(second, late.Item2);
        }

        using var empty = SqliteOutbox.Open(_folder.Path);
        Assert.All(Enum.GetValues<TrackedKind>(), kind => Assert.Equal(0, empty.Count(kind).Records));
    }

    [Fact]
    public async Task What_is_of_others_stays_and_is_told()
    {
        await using (var first = new Tracked(new() { Token = A, Endpoint = Here }, _folder.Path, isDown: true)) await first.Tracker.TrackAsync("one", "u");

        await using (var other = new Tracked(new() { Token = B, Endpoint = Here }, _folder.Path))
        {
            await other.Tracker.TrackAsync("other", "u");
            await other.Tracker.FlushAsync();
            Assert.Equal(0, other.Tracker.Pending);
            Assert.Single(other.Mixpanel.Stored);
            Assert.StartsWith("Warning: 1 records in the outbox belong to other projects", Assert.Single(other.Log.From(LogLevel.Warning)),
                StringComparison.Ordinal);
        }

        await using var again = new Tracked(new() { Token = A, Endpoint = Here }, _folder.Path);
        await again.Tracker.FlushAsync();
        Assert.Contains("one", Assert.Single(again.Mixpanel.Stored), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_outbox_that_keeps_owners_together_does_not_mix_them_either()
    {
        await using (var first = new Tracked(new() { Token = A, Endpoint = Here }, _folder.Path, isDown: true)) await first.Tracker.TrackAsync("one", "u");

        await using var other = new Tracked(new() { Token = B, Endpoint = Here }, new Unclaimed(SqliteOutbox.Open(_folder.Path)));
        await other.Tracker.TrackAsync("other", "u");
        await other.Tracker.FlushAsync();

        Assert.Contains("other", Assert.Single(other.Mixpanel.Stored), StringComparison.Ordinal);
        Assert.Equal(0, other.Tracker.Pending);
    }

    [Fact]
    public async Task No_token_and_no_secret_is_in_the_folder_but_where_records_have_it()
    {
        await using (var first = new Tracked(Account(7, A), _folder.Path, isDown: true)) await first.Tracker.TrackAsync("E", "u");

        foreach (var file in Directory.EnumerateFiles(_folder.Path))
        {
            var text = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
            Assert.DoesNotContain(A, text, StringComparison.Ordinal);
            Assert.DoesNotContain("secret-of-the-account", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Records_of_an_earlier_version_are_sent_where_their_project_is_beyond_doubt_and_stay_otherwise()
    {
        MakeOldDatabase();

        await using (var tracked = new Tracked(new() { Token = A, Endpoint = Here }, _folder.Path))
        {
            await tracked.Tracker.FlushAsync();
            Assert.Contains("of A", Assert.Single(tracked.Mixpanel.Stored), StringComparison.Ordinal); // its token is in it
            Assert.StartsWith("Warning: 3 records in the outbox", Assert.Single(tracked.Log.From(LogLevel.Warning)), StringComparison.Ordinal);
        }

        await using (var tracked = new Tracked(new() { Token = B, Endpoint = Here }, _folder.Path))
        {
            await tracked.Tracker.FlushAsync();
            Assert.Contains("of B", Assert.Single(tracked.Mixpanel.Stored), StringComparison.Ordinal);
        }

        await using (var tracked = new Tracked(new() { Token = A, Endpoint = Here }, _folder.Path, adopts: true))
        {
            await tracked.Tracker.FlushAsync();
            Assert.Equal(["old-1", "old-2"],
                tracked.Mixpanel.Stored.Select(stored => System.Text.Json.JsonElement.Parse(stored).GetProperty("event").GetString()!)
                    .Order(StringComparer.Ordinal),
                StringComparer.Ordinal);
            Assert.Empty(tracked.Log.From(LogLevel.Warning));
        }
    }

    static void AssertSent(Tracked tracked, string name)
    {
        Assert.Equal(3, tracked.Mixpanel.Stored.Count);
        Assert.All(tracked.Mixpanel.Stored, stored => Assert.Contains($"\"{name}\"", stored, StringComparison.Ordinal));
        Assert.Equal(["/engage", "/groups", "/import"], tracked.Mixpanel.Requests.Select(request => request.Path).Order(StringComparer.Ordinal),
            StringComparer.Ordinal);
    }

    /// <summary>The format of the first version: rows without an owner.</summary>
    void MakeOldDatabase()
    {
        using var connection = new SqliteConnection($"Data Source={_folder.File("outbox-1.db")};Pooling=False");
        connection.Open();
        Execute("""
            PRAGMA journal_mode = WAL;
            CREATE TABLE batches (number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, records INTEGER NOT NULL, at INTEGER NOT NULL, content BLOB NOT NULL, sum BLOB NOT NULL) STRICT;
            CREATE INDEX batches_of_kind ON batches (kind, number);
            CREATE TABLE damaged (number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, records INTEGER NOT NULL, at INTEGER NOT NULL, content BLOB NOT NULL, sum BLOB NOT NULL) STRICT;
            PRAGMA user_version = 1;
            """);
        Add(1, TrackedKind.Event, Event("old-1"), Event("old-2"));
        Add(2, TrackedKind.Profile, Update(A, "of A"));
        Add(3, TrackedKind.Group, Update(B, "of B"));

        void Add(long number, TrackedKind kind, params string[] records)
        {
            var content = new List<byte>();
            foreach (var bytes in records.Select(Encoding.UTF8.GetBytes))
            {
                var head = new byte[9];
                BinaryPrimitives.WriteInt32LittleEndian(head, bytes.Length);
                head[8] = 1;
                content.AddRange(head);
                content.AddRange(bytes);
            }

            var key = new byte[24];
            BinaryPrimitives.WriteInt64LittleEndian(key, number);
            BinaryPrimitives.WriteInt32LittleEndian(key.AsSpan(8), (int)kind);
            BinaryPrimitives.WriteInt32LittleEndian(key.AsSpan(12), records.Length);
            BinaryPrimitives.WriteInt64LittleEndian(key.AsSpan(16), 1_795_435_200_000);
            Execute($"INSERT INTO batches VALUES ({number}, {(int)kind}, {records.Length}, "
                + $"1795435200000, x'{Convert.ToHexString([.. content])}', x'{Convert.ToHexString(XxHash128.Hash([.. key, .. content]))}')");
        }

        void Execute(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }

        static string Event(string name) => $$$"""{"event":"{{{name}}}","properties":{"distinct_id":"u","time":1795435200000,"$insert_id":"{{{name}}}"}}""";

        static string Update(string token, string name) => $$$"""{"$token":"{{{token}}}","$distinct_id":"u","$set":{"Name":"{{{name}}}"}}""";
    }

    static MixpanelOptions Account(long project, string token) =>
        new() { ServiceAccount = new("bot", new MixpanelSecret("secret-of-the-account")), ProjectId = project, Token = token, Endpoint = Here };

    sealed class Tracked : IAsyncDisposable
    {
        readonly HttpClient _http;
        readonly MixpanelClient _client;
        bool _isDisposed;

        public Tracked(MixpanelOptions options, string folder, bool isDown = false, bool adopts = false)
            : this(options, SqliteOutbox.Open(folder), isDown, adopts) { }

        public Tracked(MixpanelOptions options, ITrackerOutbox outbox, bool isDown = false, bool adopts = false)
        {
            if (isDown) Mixpanel.Script = _ => MixpanelDouble.Answer(503, "");
            _http = new HttpClient(Mixpanel) { Timeout = Hang.Limit };
            _client = new MixpanelClient(
                options with
                {
                    TimeProvider = ImpatientClock.ForImports(),
                    AttemptTimeout = TimeSpan.FromHours(2),
                    LoggerFactory = isDown ? new RecordedLog() : Log,
                },
                _http);
            Tracker = new MixpanelTracker(_client,
                new TrackerOptions
                {
                    Outbox = outbox,
                    AdoptUnowned = adopts,
                    StopTimeout = isDown ? TimeSpan.Zero : TimeSpan.FromHours(2),
                    Patience = TimeSpan.FromHours(2),
                });
        }

        public MixpanelDouble Mixpanel { get; } = new();

        public RecordedLog Log { get; } = new();

        public MixpanelTracker Tracker { get; }

        public Task FlushAsync() => _isDisposed ? Task.CompletedTask : Tracker.FlushAsync();

        public async ValueTask DisposeAsync()
        {
            if (_isDisposed) return;
            _isDisposed = true;
            await Tracker.DisposeAsync();
            _client.Dispose();
            _http.Dispose();
        }
    }

    /// <summary>An outbox from before trackers recorded the owner.</summary>
    sealed class Unclaimed(ITrackerOutbox inner) : ITrackerOutbox
    {
        public long Quarantined => inner.Quarantined;

        public long LastNumber => inner.LastNumber;

        public IReadOnlyList<long> Append(IReadOnlyList<OutboxBatch> batches) =>
            inner.Append([.. batches.Select(batch => new OutboxBatch(batch.Kind, batch.Records, batch.At, batch.Content))]);

        public IReadOnlyList<OutboxBatch> Read(TrackedKind kind, long after, int records) => inner.Read(kind, after, records);

        public void Remove(IReadOnlyList<long> numbers) => inner.Remove(numbers);

        public (long Records, DateTimeOffset? Oldest) Count(TrackedKind kind) => inner.Count(kind);

        public void Dispose() => inner.Dispose();
    }
}

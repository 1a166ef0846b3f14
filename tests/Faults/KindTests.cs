using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using DuckDB.NET.Data;

namespace MixpanelConnector.Faults;

/// <summary>
/// Every format and every type of record: killed and stopped while answers are lost, late or errors, and
/// restarted until done. The records that the server accepted are compared with the source of the input.
/// </summary>
public sealed class KindTests
{
    const int Records = 400;
    const int BadEvery = 50;
    const int FirstTime = 1_790_000_000;

    static readonly string Query = string.Create(CultureInfo.InvariantCulture,
        $"SELECT 'e' AS event, {FirstTime} + i AS time, CASE WHEN i % {BadEvery} = {BadEvery - 1} THEN NULL ELSE 'u' || i END AS distinct_id, i AS n, 'v, "
        + $"\"' || i AS text FROM range({Records}) t(i) ORDER BY i");

    /// <summary>The arguments of the importer, by kind.</summary>
    static readonly Dictionary<string, Func<Bed, Task<string[]>>> Kinds = new(StringComparer.Ordinal)
    {
        ["json array"] = bed => bed.Gives("in.json", Text($"[\n{string.Join(" ,\n", Enumerable.Range(0, Records).Select(Event))}\n]\n")),
        ["gzip with members"] = bed => bed.Gives("in.ndjson.gz",
            [.. Enumerable.Range(0, 4).SelectMany(part => Gzip(Lines(Enumerable.Range(part * Records / 4, Records / 4))))]),
        ["csv"] = bed => Copies(bed, "in.csv", "FORMAT csv, HEADER"),
        ["tsv, zstd"] = bed => Copies(bed, "in.tsv.zst", "FORMAT csv, HEADER, DELIMITER '\t', COMPRESSION zstd"),
        ["parquet"] = bed => Copies(bed, "in.parquet", "FORMAT parquet, ROW_GROUP_SIZE 100"),
        ["folder"] = async bed =>
        {
            await bed.Gives("in/a.ndjson", Lines(Enumerable.Range(0, 100)));
            await bed.Gives("in/b.ndjson.gz", Gzip(Lines(Enumerable.Range(100, 100))));
            await bed.Gives("in/below/a.ndjson", Lines(Enumerable.Range(200, Records - 200)));
            return [bed.File("in")];
        },
        ["standard input"] = async bed =>
        {
            bed.StandardInput = (await bed.Gives("in.ndjson", Lines(Enumerable.Range(0, Records))))[0];
            return ["-", "--source-id", "stream"];
        },
        ["replay"] = async bed =>
        {
            bed.RefusesAll = true;
            var dead = bed.File("to-replay");
            using var importer =
                bed.Start([.. await bed.Gives("in.ndjson", Lines(Enumerable.Range(0, Records))), "--state", bed.File("first"), "--dead-letter", dead]);
            var refused = await importer.EndAsync();
            Assert.True(refused.ExitCode == 3, refused.ToString());
            Assert.Equal(Records, File.ReadLines(dead).Count());
            bed.RefusesAll = false;
            return ["--replay", dead];
        },
        ["profiles"] = bed => bed.Gives("in.ndjson",
            Text(string.Concat(Enumerable.Range(0, Records)
                .Select(n => IsAddition(n)
                    ? $$$"""{"$distinct_id":"u{{{n}}}","$add":{"n":{{{n}}}}}""" + "\n"
                    : $$$"""{"$distinct_id":"u{{{n}}}","$set":{"n":{{{n}}}}}""" + "\n"))),
            "--type", "profiles"),
        ["groups, csv"] = bed => bed.Gives("in.csv", Text("$group_id,n\n" + string.Concat(Enumerable.Range(0, Records).Select(n => $"g{n},{n}\n"))), "--type",
            "groups", "--group-key", "company"),
        ["groups"] = bed => bed.Gives("in.json",
            Text($"[{string.Join(',', Enumerable.Range(0, Records).Select(n => $$$"""{"$group_id":"g{{{n}}}","$set":{"n":{{{n}}}}}"""))}]"), "--type", "groups",
            "--group-key", "company"),
        ["lookup table"] = bed => bed.Gives("in.csv", Text("id,n\n" + string.Concat(Enumerable.Range(0, Records).Select(n => $"i{n},{n}\n"))), "--type",
            "lookup-table", "--table-id", "7b6c1f0e-0b5b-4c5e-9a39-3e4f0c6f2a11"),
    };

    public static TheoryData<string> AllKinds => [.. Kinds.Keys];

    [Theory]
    [MemberData(nameof(AllKinds))]
    public async Task Each_kind_is_delivered_once_and_whole(string kind)
    {
        // The kinds share the number of kills of the other campaign.
        for (var seed = Campaign.Number("SEED", 20261123); seed < Campaign.Number("SEED", 20261123) + Math.Max(1, Campaign.Number("KILLS", 50) / 50); seed++)
        {
#pragma warning disable CA5394 // to be repeated, not to be secret
            var random = new Random(KillCampaign.HashCodeOf(seed, Kinds.Keys.Order(StringComparer.Ordinal).Index().First(pair => pair.Item == kind).Index));
            await using var bed = await Bed.StartAsync(random.Next());
            var input = await Kinds[kind](bed);
            string[] command = [.. input, "--state", bed.File("state"), "--report", bed.File("report")];
            foreach (var signal in (Signal[])[Signal.Kill, Signal.Term, Signal.Kill])
            {
                using var importer = bed.Start(command);
                await bed.UntilAsync(bed.Requests + random.Next(1, 12), importer.Exit);
                await Task.WhenAny(Task.Delay(random.Next(8)), importer.Exit);
                importer.Send(signal);
                var stopped = await importer.EndAsync();
                Assert.True(stopped.ExitCode is 0 or 3 or 137 or 143, $"{kind}, seed {seed}: {stopped}");
            }
#pragma warning restore CA5394

            using var last = bed.Start(command);
            var done = await last.EndAsync();
            Assert.True(done.ExitCode is 0 or 3, $"{kind}, seed {seed}: {done}");
            var report = JsonElement.Parse(await File.ReadAllBytesAsync(bed.File("report"), TestContext.Current.CancellationToken));
            var dead = DeadLine.ReadAll(bed.File("state/dead-letters.ndjson"));
            long Count(string name) => report.GetProperty(name).GetInt64();
            Assert.Equal((Records, Records - dead.Count, dead.Count, 0L, 0L, done.ExitCode),
                (Count("read"), Count("accepted"), Count("rejected"), Count("pending"), Count("blank"), report.GetProperty("exit_code").GetInt32()));
            Assert.Equal(done.ExitCode, dead.Count > 0 ? 3 : 0);
            switch (kind)
            {
                case "lookup table":
                    Assert.NotEmpty(bed.Tables);
                    var table = await File.ReadAllTextAsync(input[0], TestContext.Current.CancellationToken);
                    Assert.All(bed.Tables, taken => Assert.Equal(table, taken));
                    break;
                case "profiles" or "groups" or "groups, csv":
                    JudgeUpdates(bed, dead, hasAdditions: kind == "profiles");
                    break;
                default:
                    JudgeEvents(bed, dead);
                    break;
            }
        }
    }

    static void JudgeEvents(Bed bed, IReadOnlyList<DeadLine> dead)
    {
        Assert.Equal(Records / BadEvery, dead.Count);
        Assert.All(dead, letter => Assert.Equal("distinct_id_missing", letter.Code));
        Assert.Equal(Enumerable.Range(0, Records).Where(n => !IsBad(n)), bed.Events.Select(taken => taken.N).Distinct().Order());
        Assert.All(bed.Events.GroupBy(taken => taken.N), taken => Assert.Single(taken.Select(one => one.Id).Distinct(StringComparer.Ordinal)));
        Assert.All(bed.Events.GroupBy(taken => taken.Id, StringComparer.Ordinal), taken => Assert.Single(taken.Select(one => one.N).Distinct()));
        foreach (var (n, id, json) in bed.Events)
        {
            var properties = json.GetProperty("properties");
            Assert.Equal(("e", FirstTime + n, $"u{n}", $"v, \"{n}", 5),
                (json.GetProperty("event").GetString(), properties.GetProperty("time").GetInt32(), properties.GetProperty("distinct_id").GetString(),
                    properties.GetProperty("text").GetString(), properties.GetPropertyCount()));
            Assert.NotEmpty(id);
            if (bed.RefusedIds.TryGetValue(n, out var first)) Assert.Equal(first, id); // the same on a replay
        }
    }

    static void JudgeUpdates(Bed bed, IReadOnlyList<DeadLine> dead, bool hasAdditions)
    {
        var letters = dead.ToDictionary(letter => NumberOf(JsonElement.Parse(letter.Raw)));
        for (var n = 0; n < Records; n++)
        {
            var times = bed.Updates.GetValueOrDefault(n);
            if (letters.TryGetValue(n, out var letter))
                Assert.True(hasAdditions && IsAddition(n) && letter.MaybeDelivered && times <= 1, $"{n}: {letter}, taken {times} times");
            else Assert.True(times == 1 || (times > 1 && !(hasAdditions && IsAddition(n))), $"{n} was taken {times} times");
        }
    }

    static bool IsBad(int n) => n % BadEvery == BadEvery - 1;

    static bool IsAddition(int n) => n % 3 == 0;

    static int NumberOf(JsonElement update) =>
        (update.TryGetProperty("$add", out var added) ? added : update.GetProperty("$set")).GetProperty("n").GetInt32();

    static string Event(int n) => IsBad(n)
        ? $$$"""{"event":"e","properties":{"time":{{{FirstTime + n}}},"n":{{{n}}},"text":"v, \"{{{n}}}"}}"""
        : $$$"""{"event":"e","properties":{"time":{{{FirstTime + n}}},"distinct_id":"u{{{n}}}","n":{{{n}}},"text":"v, \"{{{n}}}"}}""";

    static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    static byte[] Lines(IEnumerable<int> numbers) => Text(string.Concat(numbers.Select(n => Event(n) + "\n")));

    static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
        return packed.ToArray();
    }

    static Task<string[]> Copies(Bed bed, string name, string format)
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"COPY ({Query}) TO '{bed.File(name)}' ({format})";
        command.ExecuteNonQuery();
        return Task.FromResult<string[]>([bed.File(name)]);
    }

    /// <summary>A folder and a server that accepts every type of record, with faults derived from a seed.</summary>
    sealed class Bed : IAsyncDisposable
    {
        readonly TemporaryFolder _folder = new();
        readonly int _seed;
        RecordingServer? _server;
        int _requests;
        TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        Bed(int seed) => _seed = seed;

        public int Requests => Volatile.Read(ref _requests);

        /// <summary>The standard input of the importer; null for none.</summary>
        public string? StandardInput { get; set; }

        /// <summary>Whether each event is refused individually.</summary>
        public bool RefusesAll { get; set; }

        public List<(int N, string Id, JsonElement Json)> Events { get; } = [];

        public Dictionary<int, string> RefusedIds { get; } = [];

        /// <summary>The number of times each update was applied.</summary>
        public Dictionary<int, int> Updates { get; } = [];

        public List<string> Tables { get; } = [];

        public static async Task<Bed> StartAsync(int seed)
        {
            var bed = new Bed(seed);
            bed._server = await RecordingServer.StartAsync(bed.Decide);
            return bed;
        }

        public string File(string name) => _folder.File(name);

        public async Task<string[]> Gives(string name, byte[] content, params string[] options)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(File(name))!);
            await System.IO.File.WriteAllBytesAsync(File(name), content);
            return [File(name), .. options];
        }

        public Importer Start(IEnumerable<string> arguments)
        {
            string[] command =
            [
                .. ToolUnderTest.Command, "import", .. arguments, "--batch-events", "10", "--senders", "3", "--no-progress", "--backoff-min", "1ms",
                "--backoff-max", "20ms",
            ];
            KeyValuePair<string, string>[] settings =
            [
                new("XDG_CONFIG_HOME", File("config")), new("XDG_DATA_HOME", File("data")), new("XDG_STATE_HOME", File("user-state")),
                new("MIXPANEL_ENDPOINT", _server!.Url), new("MIXPANEL_SERVICE_ACCOUNT_USERNAME", "u"), new("MIXPANEL_SERVICE_ACCOUNT_SECRET", "s"),
                new("MIXPANEL_PROJECT_ID", "1"), new("MIXPANEL_TOKEN", "t"),
            ];
            return StandardInput is null
                ? Importer.StartOther(command[0], command.Skip(1), settings)
                : Importer.StartOther("bash", ["-c", $"exec \"$@\" < '{StandardInput}'", "bash", .. command], settings);
        }

        /// <summary>Waits for a request or for the exit.</summary>
        public async Task UntilAsync(int requests, Task or)
        {
            while (Requests < requests && !or.IsCompleted)
            {
                var changed = Volatile.Read(ref _changed).Task;
                if (Requests < requests) await Task.WhenAny(changed, or);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _server!.DisposeAsync();
            _folder.Dispose();
        }

        Answer Decide(RecordedRequest request)
        {
            var number = Interlocked.Increment(ref _requests);
            Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
            switch ((uint)KillCampaign.HashCodeOf(_seed, number) % 12)
            {
                case 0:
                    return Answer.Json("""{"code":503,"error":"told to"}""", 503);
                case 1:
                    return Answer.Json("""{"code":429,"error":"told to"}""", 429);
                case 2:
                    return Answer.Reset;
                case 3:
                    Take(request);
                    return Answer.Json("""{"code":500,"error":"told to"}""", 500);
                case 4:
                    Take(request);
                    return Answer.Reset;
                case 5:
                    Take(request);
                    return Answer.Cut("""{"code":200,"num_rec""");
                default:
                    return Take(request);
            }
        }

        Answer Take(RecordedRequest request)
        {
            if (request.Path.StartsWith("/lookup-tables/", StringComparison.Ordinal))
            {
                Tables.Add(request.Text);
                return Answer.Json("""{"code":200,"status":"OK"}""");
            }

            var records = request.Json.EnumerateArray().ToList();
            if (request.Path is "/engage" or "/groups")
            {
                foreach (var record in records) Updates[NumberOf(record)] = Updates.GetValueOrDefault(NumberOf(record)) + 1;
                return Answer.Json("""{"status":1,"error":null}""");
            }

            foreach (var record in records)
            {
                var properties = record.GetProperty("properties");
                var (n, id) = (properties.GetProperty("n").GetInt32(), properties.GetProperty("$insert_id").GetString()!);
                if (RefusesAll) RefusedIds[n] = id;
                else Events.Add((n, id, Copy(record)));
            }

            return RefusesAll
                ? Answer.Json(
                    $$"""{"code":400,"error":"some data points in the request failed validation","failed_records":[{{string.Join(',', records.Index().Select(record => $$"""{"index":{{record.Index}},"field":"event","message":"not now"}"""))}}],"num_records_imported":0,"status":"Bad Request"}""",
                    400)
                : Answer.Json($$"""{"code":200,"num_records_imported":{{records.Count}},"status":"OK"}""");
        }

        /// <summary>A copy that does not depend on the request.</summary>
        static JsonElement Copy(JsonElement record) => JsonElement.Parse(record.GetRawText());
    }
}

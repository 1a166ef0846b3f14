using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Faults;

/// <summary>
/// Migrations that are killed at random moments, and restarted until they are done. At the end, both sides have the same events, counted and
/// compared; profiles, annotations and schemas exist once; the report accounts for every record of every day.
/// </summary>
public sealed class MigrationKillTests
{
    const int Days = 24, Profiles = 230, PageSize = 100, Annotations = 12;

    [Fact]
    public async Task A_migration_that_is_killed_ends_with_the_same_events_on_both_sides()
    {
        var (seed, kills, killed) = (Campaign.Number("SEED", 20261123), Campaign.Number("MIGRATION_KILLS", 20), 0);
#pragma warning disable CA5394 // to be repeated, not to be secret
        var random = new Random(seed);
        var target = new Target();
        await using var server = await RecordingServer.StartAsync(request => target.AnswerTo(request, random));
        using var folder = new TemporaryFolder();
        WriteProfiles(folder, server.Url);
        for (var round = 0; killed < kills; round++)
        {
            target = new Target();
            for (var isDone = false; !isDone && killed < kills;)
            {
                using var migration = Start(round);
                var goal = server.Requests.Count + random.Next(8);
                while (migration.IsRunning && server.Requests.Count < goal) await Task.WhenAny(Task.Delay(1), migration.Exit);
                await Task.WhenAny(Task.Delay(random.Next(40)), migration.Exit);
                migration.Send(Signal.Kill);
                var ended = await migration.EndAsync();
                if (ended.ExitCode == 137) killed++;
                else isDone = true;
                Campaign.Show(string.Create(CultureInfo.InvariantCulture, $"{killed} of {kills} kills"));
            }

            var done = await RunAsync(round, "--verify");
            Assert.True(done.ExitCode == 0, $"round {round} of seed {seed}: {done}");
            Judge(JsonNode.Parse(done.Output)!, target);
            Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(Directory.GetDirectories(folder.File($"state{round}/migrations")).Single(),
                "work"))); // what was downloaded is gone
            var before = server.Requests.Count(IsSending);
            Assert.Equal(0, (await RunAsync(round)).ExitCode);
            Assert.Equal(before, server.Requests.Count(IsSending)); // nothing is sent again
        }
#pragma warning restore CA5394

        Importer Start(int round, params string[] more) => Importer.Start(
            ["migrate", "--from", "old", "--to", "new", "--from-date", "2026-09-01", "--to-date", Day(Days), "--output", "json", "--state",
                folder.File($"state{round}"), "--calls-per-hour", "0", "--calls-per-second", "0", "--backoff-min", "10ms", "--backoff-max", "20ms", .. more],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["HOME"] = folder.Path, ["XDG_CONFIG_HOME"] = folder.File("config") });

        async Task<Ended> RunAsync(int round, params string[] more)
        {
            using var migration = Start(round, more);
            return await migration.EndAsync();
        }
    }

    static bool IsSending(RecordedRequest request) =>
        request.Path is "/import" or "/engage" || (request.Method == "POST" && request.Path.StartsWith("/api/app/", StringComparison.Ordinal));

    static void WriteProfiles(TemporaryFolder folder, string url)
    {
        Directory.CreateDirectory(folder.File("config/mixpanel"));
        var path = folder.Write("config/mixpanel/profiles.json", $$"""{"old":{{Of(1)}},"new":{{Of(2)}}}""");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        string Of(int project) =>
            $$"""{"endpoint":"{{url}}","project_id":{{project}},"token":"token-{{project}}","service_account_username":"robot","service_account_secret":"s3cret-of-the-account"}""";
    }

    static void Judge(JsonNode report, Target target)
    {
        Assert.True((bool)report["verified"]!);
        var (read, accepted, duplicates, merges) = (0L, 0L, 0L, 0L);
        for (var day = 1; day <= Days; day++)
        {
            var expected = Source.Kept(day);
            Assert.Equal(expected.Order(StringComparer.Ordinal),
                target.Events.Where(stored => stored.Value.Day == day).Select(stored => stored.Key).Order(StringComparer.Ordinal));
            var account = report["events"]!["days"]![day - 1]!;
            Assert.Equal(Day(day), (string)account["day"]!);
            var lines = Source.Lines(day).Count;
            Assert.Equal((lines, expected.Count, 0, 0),
                ((int)account["read"]!, (int)account["accepted"]!, (int)account["rejected"]!, (int)account["pending"]!));
            Assert.Equal(lines - expected.Count, account["left_out"]!.AsObject().Sum(reason => (int)reason.Value!));
            read += lines;
            accepted += expected.Count;
            duplicates += (int?)account["left_out"]!["duplicate"] ?? 0;
            merges += (int?)account["left_out"]!["identity_event"] ?? 0;
        }

        Assert.Equal((read, accepted, duplicates, merges),
            ((long)report["events"]!["read"]!, (long)report["events"]!["accepted"]!, (long)report["events"]!["left_out"]!["duplicate"]!,
                (long)report["events"]!["left_out"]!["identity_event"]!));
        Assert.Equal(read, accepted + duplicates + merges);
        Assert.All(target.Events.Values, stored => Assert.Equal(Source.PropertiesOf(stored.Number), stored.Properties));

        Assert.Equal(Profiles, target.Profiles.Count);
        Assert.All(Enumerable.Range(0, Profiles), profile => Assert.Equal($$"""{"n":{{profile}}}""", target.Profiles[$"p{profile}"]));
        Assert.Equal((Profiles, Profiles), ((int)report["profiles"]!["read"]!, (int)report["profiles"]!["accepted"]!));

        Assert.Equal(Annotations, target.Annotations.Count); // one of which it had
        Assert.Equal(target.Annotations.Count, target.Annotations.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal((Annotations, Annotations - 1, 1),
            ((int)report["annotations"]!["read"]!, (int)report["annotations"]!["accepted"]!, (int)report["annotations"]!["left_out"]!["present"]!));
        Assert.Equal((2, 2), ((int)report["schemas"]!["read"]!, (int)report["schemas"]!["accepted"]!));
    }

    static string Day(int day) => string.Create(CultureInfo.InvariantCulture, $"2026-09-{day:00}");

    /// <summary>The events of the source: each day has a different size, one is empty; some events are duplicates, some merged users.</summary>
    static class Source
    {
        static long TimeOf(int day, int number) => new DateTimeOffset(2026, 9, day, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds() + number;

        static int SizeOf(int day) => day == 5 ? 0 : day * 130;

        static string InsertIdOf(int day, int number) => string.Create(CultureInfo.InvariantCulture, $"{day}-{number}");

        public static string PropertiesOf(int number) => string.Create(CultureInfo.InvariantCulture, $"\"n\":{number},\"t\":\"é\\u2028\",\"f\":1.50");

        public static List<string> Lines(int day)
        {
            var lines = new List<string>();
            for (var number = 0; number < SizeOf(day); number++)
            {
                lines.Add(Line(day, number, processed: 5));
                if (number % 10 == 3) lines.Add(Line(day, number, processed: 4));
                if (number % 50 == 7)
                    lines.Add(string.Create(CultureInfo.InvariantCulture,
                        $$$"""{"event":"$merge","properties":{"time":{{{TimeOf(day, number)}}},"distinct_id":"u","$insert_id":"m{{{number}}}"}}"""));
            }

            return lines;
        }

        static string Line(int day, int number, int processed) => string.Create(
            CultureInfo.InvariantCulture,
            $$$"""{"event":"E{{{number % 7}}}","properties":{"time":{{{TimeOf(day, number)}}},"distinct_id":"u{{{number % 90}}}","$insert_id":"{{{InsertIdOf(day, number)}}}","mp_processing_time_ms":{{{processed}}},"$import":true,{{{PropertiesOf(number)}}}}}""");

        public static string Key(string name, long time, string user, string id) => string.Create(CultureInfo.InvariantCulture, $"{name} {time} {user} {id}");

        /// <summary>The events expected in the target.</summary>
        public static List<string> Kept(int day) =>
            [.. Enumerable.Range(0, SizeOf(day)).Select(number => Key($"E{number % 7}", TimeOf(day, number), $"u{number % 90}", InsertIdOf(day, number)))];
    }

    /// <summary>Both projects: the source serves, the target stores; sometimes an answer is lost after the records were stored.</summary>
    sealed class Target
    {
        public Dictionary<string, (int Day, int Number, string Properties)> Events { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, string> Profiles { get; } = new(StringComparer.Ordinal);

        public List<string> Annotations { get; } = ["2026-09-02 00:00:00 a2"];

#pragma warning disable CA5394
        public Answer AnswerTo(RecordedRequest request, Random random)
        {
            var isOfSource = request.Query.Contains("project_id=1", StringComparison.Ordinal);
            switch (request.Path)
            {
                case "/api/2.0/export":
                    var day = int.Parse(request.Query.Split("from_date=2026-09-")[1][..2], CultureInfo.InvariantCulture);
                    var lines = isOfSource ? Source.Lines(day) : [.. Events.Where(stored => stored.Value.Day == day).Select(stored => Exported(stored.Key))];
                    var body = Gzip(string.Concat(lines.Select(line => line + "\n")));
                    return new Answer { Body = random.Next(25) == 0 ? body[..^9] : body, Headers = [("Content-Encoding", "gzip")] };
                case "/import":
                    var events = request.Json.EnumerateArray().ToList();
                    events.ForEach(Keep);
                    return random.Next(20) == 0
                        ? Answer.Plain("gone", 503)
                        : Answer.Json($$"""{"code":200,"num_records_imported":{{events.Count}},"status":"OK"}""");
                case "/api/query/engage":
                    var page = request.Text.Split("page=") is [_, var text, ..] ? int.Parse(text.Split('&')[0], CultureInfo.InvariantCulture) : 0;
                    var ids = isOfSource ? [.. Enumerable.Range(0, MigrationKillTests.Profiles).Select(id => $"p{id}")] : Profiles.Keys.ToList();
                    var some = ids.Skip(page * PageSize).Take(PageSize).Select(id => $$$"""{"$distinct_id":"{{{id}}}","$properties":{"n":{{{id[1..]}}}}}""");
                    return Answer.Json($$"""{"page":{{page}},"page_size":{{PageSize}},"session_id":"s","status":"ok","total":{{ids.Count}},"results":[{{string.Join(',', some)}}]}""");
                case "/engage":
                    foreach (var update in request.Json.EnumerateArray())
                    {
                        Assert.True(update.GetProperty("$ignore_time").GetBoolean());
                        Profiles[update.GetProperty("$distinct_id").GetString()!] = update.GetProperty("$set").GetRawText();
                    }

                    return Answer.Json("""{"status":1,"error":null}""");
                case "/lookup-tables":
                    return Answer.Json("""{"code":200,"status":"OK","results":null}""");
                case "/api/app/projects/1/schemas":
                    return Answer.Json(
                        """{"status":"ok","results":[{"entityType":"event","name":"E1","schemaJson":{"description":"one"}},{"entityType":"event","name":"E2","schemaJson":{"description":"two"}}]}""");
                case "/api/app/projects/2/schemas":
                    return Answer.Json("""{"status":"ok","results":{"added":2,"deleted":0}}""");
                case "/api/app/projects/1/annotations":
                    return Listed(Enumerable.Range(1, MigrationKillTests.Annotations)
                        .Select(number => string.Create(CultureInfo.InvariantCulture, $"2026-09-{number:00} 00:00:00 a{number}")));
                case "/api/app/projects/2/annotations" when request.Method == "GET":
                    return Listed(Annotations);
                case "/api/app/projects/2/annotations":
                    Annotations.Add($"{request.Json.GetProperty("date").GetString()} {request.Json.GetProperty("description").GetString()}");
                    return Answer.Json("""{"status":"ok","results":{"id":1,"date":"2026-09-01 00:00:00","description":"a","tags":[]}}""");
                case "/api/app/projects/2/annotations/tags":
                    return Answer.Json("[]");
                default:
                    return Answer.Plain("The test has no answer to this.", 500);
            }
        }
#pragma warning restore CA5394

        static Answer Listed(IEnumerable<string> annotations) =>
            Answer.Json($$"""{"status":"ok","results":[{{string.Join(',', annotations.Select((annotation, number) => $$"""{"id":{{number + 1}},"date":"{{annotation[..19]}}","description":"{{annotation[20..]}}","tags":[]}"""))}}]}""");

        void Keep(JsonElement sent)
        {
            var properties = sent.GetProperty("properties");
            var (time, id) = (properties.GetProperty("time").GetInt64(), properties.GetProperty("$insert_id").GetString()!);
            var others = string.Join(',',
                properties.EnumerateObject()
                    .Where(property => property.Name is not ("time" or "distinct_id" or "$insert_id"))
                    .Select(property => $"\"{property.Name}\":{property.Value.GetRawText()}"));
            Events[Source.Key(sent.GetProperty("event").GetString()!, time, properties.GetProperty("distinct_id").GetString()!, id)] =
                (DateTimeOffset.FromUnixTimeMilliseconds(time).Day, int.Parse(id.Split('-')[1], CultureInfo.InvariantCulture), others);
        }

        static string Exported(string key)
        {
            var parts = key.Split(' ');
            return $$$"""{"event":"{{{parts[0]}}}","properties":{"time":{{{parts[1]}}},"distinct_id":"{{{parts[2]}}}","$insert_id":"{{{parts[3]}}}","mp_processing_time_ms":9}}""";
        }

        static byte[] Gzip(string text)
        {
            using var body = new MemoryStream();
            using (var gzip = new GZipStream(body, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(text));
            return body.ToArray();
        }
    }
}

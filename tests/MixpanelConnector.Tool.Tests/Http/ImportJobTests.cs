using System.Text;
using System.Text.Json;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary>Bulk imports as jobs.</summary>
[Collection(nameof(Alone))]
public sealed class ImportJobTests
{
    static readonly (string, string) Ndjson = ("Content-Type", "application/x-ndjson");
    static readonly string Events =
        string.Concat(Enumerable.Range(0, 3).Select(n => $$$"""{"event":"E","properties":{"time":1690000000,"distinct_id":"u{{{n}}}"}}""" + "\n"));

    /// <summary>Accepts everything, with the counts of Mixpanel.</summary>
    static Answer Accept(RecordedRequest request) => Answer.Json($$"""{"code":200,"num_records_imported":{{request.Json.GetArrayLength()}},"status":"OK"}""");

    [Fact]
    public async Task A_body_is_imported_and_its_account_kept_over_a_restart()
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var taken = await served.PostAsync("/v1/imports?source_id=old", Events + """{"event":"E","properties":{}}""", Ndjson);
        Assert.Equal(202, (int)taken.StatusCode);
        var job = await EndAsync(served, taken.Headers.Location!.ToString());

        Assert.Equal(("finished", 4, 3, 1), (job.GetProperty("status").GetString(), Report(job, "read"), Report(job, "accepted"), Report(job, "rejected")));
        var letters = (await (await served.SendAsync(HttpMethod.Get, $"{taken.Headers.Location}/dead-letters", (string?)null)).TextAsync()).TrimEnd();
        Assert.Equal("body", JsonElement.Parse(Assert.Single(letters.Split('\n'))).GetProperty("source").GetString());
        Assert.DoesNotContain(served.Folder.Path, letters + job, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(served.Folder.Path, "body", SearchOption.AllDirectories));

        await served.RestartAsync();
        Assert.Equal(job.ToString(), (await (await served.SendAsync(HttpMethod.Get, taken.Headers.Location.ToString(), (string?)null)).JsonAsync()).ToString());
        Assert.Equal(204, (int)(await served.SendAsync(HttpMethod.Delete, taken.Headers.Location.ToString(), (string?)null)).StatusCode);
        Assert.Equal(404, (int)(await served.SendAsync(HttpMethod.Get, taken.Headers.Location.ToString(), (string?)null)).StatusCode);
        Assert.Empty(Directory.EnumerateDirectories(served.Folder.File("state/imports")));
    }

    [Fact]
    public async Task An_import_is_called_as_its_caller_says()
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var taken = await (await served.PostAsync("/v1/imports?name=May%20%E2%80%AE.csv&source_id=s&dry_run=true", Events, Ndjson)).JsonAsync();
        Assert.Equal(("May \u202e.csv", "s", true),
            (taken.GetProperty("name").GetString(), taken.GetProperty("source_id").GetString(), taken.GetProperty("dry_run").GetBoolean()));
        Assert.Equal("s", (await (await served.PostAsync("/v1/imports?source_id=s", Events, Ndjson)).JsonAsync()).GetProperty("name").GetString());
        Assert.Equal(400, (int)(await served.PostAsync($"/v1/imports?name={new string('n', 256)}", Events, Ndjson)).StatusCode);
    }

    [Fact]
    public async Task Cancelling_an_import_that_has_ended_leaves_it_as_it_is()
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var path = (await served.PostAsync("/v1/imports", Events, Ndjson)).Headers.Location!.ToString();
        var job = await EndAsync(served, path);

        Assert.Equal(409, (int)(await served.PostAsync($"{path}/cancel", "{}")).StatusCode);
        Assert.Equal(job.ToString(), (await (await served.SendAsync(HttpMethod.Get, path, (string?)null)).JsonAsync()).ToString());
        Assert.Equal(404, (int)(await served.PostAsync("/v1/imports/none/cancel", "{}")).StatusCode);
    }

    [Fact]
    public async Task The_same_body_under_the_same_key_is_one_import_and_another_body_is_refused()
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var first = await (await served.PostAsync("/v1/imports", Events, Ndjson, ("Idempotency-Key", "k"))).JsonAsync();
        var second = await served.PostAsync("/v1/imports", Events, Ndjson, ("Idempotency-Key", "k"));
        Assert.Equal(first.GetProperty("id").GetString(), (await second.JsonAsync()).GetProperty("id").GetString());
        Assert.True(second.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(422, (int)(await served.PostAsync("/v1/imports", Events + "\n", Ndjson, ("Idempotency-Key", "k"))).StatusCode);
        Assert.Equal(422, (int)(await served.PostAsync("/v1/imports?strict=0", Events, Ndjson, ("Idempotency-Key", "k"))).StatusCode);
        Assert.Equal("k", first.GetProperty("source_id").GetString());
        await EndAsync(served, $"/v1/imports/{first.GetProperty("id").GetString()}");
        Assert.Single(served.Mixpanel.Requests);
    }

    [Fact]
    public async Task An_acknowledged_body_waits_on_the_disk_while_Mixpanel_is_away_and_goes_on_after_a_restart()
    {
        var away = true;
        await using var served = await Served.StartAsync(options => options, request => Volatile.Read(ref away) ? Answer.Json("{}", 503) : Accept(request));
        var taken = await served.PostAsync("/v1/imports", Events, Ndjson);
        var path = taken.Headers.Location!.ToString();
        while (served.Mixpanel.Requests.Count == 0) await Task.Yield();
        await served.StopAsync();
        Volatile.Write(ref away, false);
        await served.RestartAsync();

        var job = await EndAsync(served, path);
        Assert.Equal(("finished", 3), (job.GetProperty("status").GetString(), Report(job, "accepted")));
    }

    [Fact]
    public async Task A_cancelled_import_stops_and_can_be_resumed()
    {
        var away = true;
        await using var served = await Served.StartAsync(options => options, request => Volatile.Read(ref away) ? Answer.Json("{}", 503) : Accept(request));
        var path = (await served.PostAsync("/v1/imports", Events, Ndjson)).Headers.Location!.ToString();
        while (served.Mixpanel.Requests.Count == 0) await Task.Yield();

        Assert.Equal("cancelled", (await (await served.SendAsync(HttpMethod.Delete, path, (string?)null)).JsonAsync()).GetProperty("status").GetString());
        Volatile.Write(ref away, false);
        while ((int)(await served.PostAsync($"{path}/resume", "{}")).StatusCode == 409) await Task.Yield(); // it stops at a checkpoint first
        var job = await EndAsync(served, path);
        Assert.Equal(("finished", 3), (job.GetProperty("status").GetString(), Report(job, "accepted")));
        Assert.Equal("not_stopped", await (await served.PostAsync($"{path}/resume", "{}")).KindAsync());
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_not_imported_and_leaves_nothing()
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(served.Gateway.Address.Host, served.Gateway.Address.Port, TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes(
                $"POST /v1/imports HTTP/1.1\r\nHost: {served.Gateway.Address.Authority}\r\nContent-Type: application/x-ndjson\r\nContent-Length: "
                + $"100000\r\n\r\n{Events}"),
            TestContext.Current.CancellationToken);
        while (!Directory.EnumerateFiles(served.Folder.Path, "body", SearchOption.AllDirectories).Any()) await Task.Yield();
        client.Client.LingerState = new(true, 0);
        client.Close();
        while (Directory.EnumerateDirectories(served.Folder.File("state/imports")).Any()) await Task.Yield();

        Assert.Equal("{\"imports\":[]}", await (await served.SendAsync(HttpMethod.Get, "/v1/imports", (string?)null)).TextAsync());
        Assert.Empty(served.Mixpanel.Requests);
    }

    [Fact]
    public async Task Bodies_together_have_a_limit_on_the_disk()
    {
        await using var served = await Served.StartAsync(options => options with { Spool = 1000 }, Accept);
        Assert.Equal("no_room", await (await served.PostAsync("/v1/imports", new string('\n', 1001), Ndjson)).KindAsync());
        using var chunked = new StreamContent(new MemoryStream(new byte[5000]));
        chunked.Headers.ContentType = new("application/x-ndjson");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/imports") { Content = chunked };
        request.Headers.TransferEncodingChunked = true;
        Assert.Equal(507, (int)(await served.Http.SendAsync(request, TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(202, (int)(await served.PostAsync("/v1/imports", Events, Ndjson)).StatusCode);
    }

    [Fact]
    public async Task Dead_letters_count_and_what_is_too_much_stops_the_import_with_its_reason()
    {
        const int Space = 1_500_000;
        await using var served = await Served.StartAsync(options => options with { Spool = Space }, Accept);
        var bad = string.Concat(Enumerable.Repeat($$$"""{"event":"","properties":{"p":"{{{new string('x', 900)}}}"}}""" + "\n", 20_000));
        var path = (await served.SendAsync(HttpMethod.Post, "/v1/imports", Gzip(bad), Ndjson, ("Content-Encoding", "gzip"))).Headers.Location!.ToString();
        var job = await EndAsync(served, path);

        Assert.Equal("stopped", job.GetProperty("status").GetString());
        Assert.Contains("--import-space", job.GetProperty("problem").GetString(), StringComparison.Ordinal);
        Assert.InRange(new DirectoryInfo(served.Folder.File("state/imports")).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length), 1,
            Space);
        await EndAsync(served, (await served.PostAsync("/v1/imports", Events, Ndjson)).Headers.Location!.ToString());

        await served.RestartAsync(options => options with { Spool = 200_000_000 });
        Assert.Equal(415, (int)(await served.PostAsync($"{path}/resume", "", ("Content-Type", "text/plain"))).StatusCode);
        Assert.Equal(202, (int)(await served.SendAsync(HttpMethod.Post, $"{path}/resume", (string?)null)).StatusCode);
        job = await EndAsync(served, path);
        Assert.Equal(("finished", 20_000), (job.GetProperty("status").GetString(), Report(job, "rejected")));
        Assert.Equal("dead-letters.ndjson",
            Path.GetFileName(Assert.Single(Directory.EnumerateFiles(Path.Combine(served.Folder.File("state/imports"), path.Split('/')[^1]), "*",
                SearchOption.AllDirectories))));
    }

    [Fact]
    public async Task Whoever_reads_dead_letters_slowly_holds_nobody_up()
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var bad = string.Concat(Enumerable.Repeat($$$"""{"event":"","properties":{"p":"{{{new string('x', 900)}}}"}}""" + "\n", 5_000)) + "{";
        var path = (await served.PostAsync("/v1/imports", bad, Ndjson)).Headers.Location!.ToString();
        Assert.Equal("stopped", (await EndAsync(served, path)).GetProperty("status").GetString());
        using var slow = await served.BeginAsync("GET", $"{path}/dead-letters", null); // and nothing of it is read

        Assert.Equal(5_000, (await (await served.SendAsync(HttpMethod.Get, $"{path}/dead-letters", (string?)null)).TextAsync()).Count(c => c == '\n'));
        Assert.Equal(202, (int)(await served.PostAsync($"{path}/resume", "{}")).StatusCode);
        await EndAsync(served, path);
        Assert.Equal(204, (int)(await served.SendAsync(HttpMethod.Delete, path, (string?)null)).StatusCode);
    }

    [Fact]
    public async Task Two_callers_with_one_key_and_one_line_have_two_records()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("keys.txt");
        string[] keys = [Keys.Make(file, "one", Scope.Write), Keys.Make(file, "two", Scope.Write)];
        var loaded = Keys.Load(file, new HostEnvironment { Environment = _ => null, Input = Stream.Null, Output = Stream.Null, Error = TextWriter.Null },
            () => new TokenBucket(500, TimeProvider.System));
        await using var served = await Served.StartAsync(options => options with { Keys = loaded }, Accept);
        var jobs = new List<string>();
        foreach (var key in (string[])[.. keys, keys[0]])
        {
            var taken = await (await served.PostAsync("/v1/imports", Events, Ndjson, ("Idempotency-Key", "k"), ("Authorization", $"Bearer {key}"))).JsonAsync();
            jobs.Add(taken.GetProperty("id").GetString()!);
            await EndAsync(served, $"/v1/imports/{jobs[^1]}", ("Authorization", $"Bearer {key}"));
        }

        Assert.Equal(jobs[0], jobs[2]);
        Assert.NotEqual(jobs[0], jobs[1], StringComparer.Ordinal);
        Assert.Equal(6,
            served.Mixpanel.Requests.SelectMany(request => request.Json.EnumerateArray())
                .Select(record => record.GetProperty("properties").GetProperty("$insert_id").GetString())
                .Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task A_disk_that_takes_nothing_is_said_and_the_server_goes_on_once_it_does()
    {
        await using var served = await Served.StartAsync(options => options,
            request => request.Json.ValueKind is JsonValueKind.Array ? Accept(request) : Answer.Json(Served.Created));
        Assert.Equal(200, await ReadyAsync(served));
        served.Gateway.Database.Execute("PRAGMA query_only = 1");
        Assert.Equal("disk_failed", await (await served.PostAsync("/v1/imports", Events, Ndjson)).KindAsync());
        var refused = await served.PostAsync("/v1/actions/create_service_account", Served.Create, ("Idempotency-Key", "k"));
        Assert.Equal((507, "disk_failed"), ((int)refused.StatusCode, await refused.KindAsync()));
        Assert.Empty(served.Mixpanel.Requests);
        while (await ReadyAsync(served) == 200)
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken); // a success holds for a second

        served.Gateway.Database.Execute("PRAGMA query_only = 0");
        Assert.Equal(200, await ReadyAsync(served));
        Assert.Equal(200, (int)(await served.PostAsync("/v1/actions/create_service_account", Served.Create, ("Idempotency-Key", "k"))).StatusCode);
        Assert.Equal("finished",
            (await EndAsync(served, (await served.PostAsync("/v1/imports", Events, Ndjson)).Headers.Location!.ToString())).GetProperty("status").GetString());
        await served.StopAsync();
        Assert.Contains("state_not_written", served.Log, StringComparison.Ordinal);

        static async Task<int> ReadyAsync(Served served) => (int)(await served.SendAsync(HttpMethod.Get, "/readyz", (string?)null)).StatusCode;
    }

    [Theory]
    [InlineData("?type=groups", "group_key")]
    [InlineData("?type=people", "type")]
    [InlineData("?fix=all", "fix")]
    [InlineData("?strict=1&strict=0", "strict")]
    [InlineData("?properties=[]", "properties")]
    [InlineData("?type=lookup-table", "table_id")]
    [InlineData("?map=insert_id=id", "map")]
    [InlineData("?column_type=n", "column_type")]
    [InlineData("?delimiter=ab", "delimiter")]
    [InlineData("?allow_empty=1", "allow_empty")]
    public async Task An_option_that_does_not_fit_is_refused_before_the_body(string query, string field)
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var answer = await served.PostAsync($"/v1/imports{query}", Events, Ndjson);
        Assert.Equal((400, field), ((int)answer.StatusCode, (await answer.JsonAsync()).GetProperty("field").GetString()));
    }

    [Fact]
    public async Task A_body_in_columns_is_read_as_its_parameters_say()
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var taken = await served.PostAsync("/v1/imports?delimiter=~&event=Buy&column_type=n=text&null_values=NULL&null_values=-",
            "time~distinct_id~n~a~b\n1790000000~u1~7~NULL~-\n", ("Content-Type", "text/csv"));
        var job = await EndAsync(served, taken.Headers.Location!.ToString());
        Assert.Equal(("finished", 1), (job.GetProperty("status").GetString(), Report(job, "accepted")));
        var sent = served.Mixpanel.Requests[^1].Json[0];
        Assert.Equal("Buy", sent.GetProperty("event").GetString());
        Assert.Equal("$insert_id distinct_id n time",
            string.Join(' ', sent.GetProperty("properties").EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal)));
        Assert.Equal("7", sent.GetProperty("properties").GetProperty("n").GetString());
    }

    [Theory]
    [InlineData("", "stopped", 6)]
    [InlineData("?allow_empty=true", "finished", 0)]
    public async Task A_body_without_a_record_stops_unless_that_is_right(string query, string status, int exit)
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var job = await EndAsync(served, (await served.PostAsync($"/v1/imports{query}", "\n", Ndjson)).Headers.Location!.ToString());
        Assert.Equal((status, exit), (job.GetProperty("status").GetString(), Report(job, "exit_code")));
        Assert.DoesNotContain(served.Folder.Path, job.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_large_body_is_never_in_memory_as_a_whole()
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var line = Encoding.UTF8.GetBytes($$$"""{"event":"E","properties":{"time":1690000000,"distinct_id":"u","x":"{{{new string('x', 900)}}}"}}""" + "\n");
        using var content = new StreamContent(new Repeated(line, 60_000));
        content.Headers.ContentType = new("application/x-ndjson");
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var answer = await served.Http.PostAsync(new Uri("/v1/imports?dry_run=true", UriKind.Relative), content, TestContext.Current.CancellationToken);
        Assert.Equal(202, (int)answer.StatusCode);
        Assert.Equal(60_000L * line.Length, (await answer.JsonAsync()).GetProperty("bytes").GetInt64());
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 30_000_000);
        var job = await EndAsync(served, answer.Headers.Location!.ToString());
        Assert.Equal((60_000, 0), (Report(job, "accepted"), served.Mixpanel.Requests.Count));
    }

    internal static int Report(JsonElement job, string count) => job.GetProperty("report").GetProperty(count).GetInt32();

    static byte[] Gzip(string text)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(compressed, System.IO.Compression.CompressionLevel.Optimal))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return compressed.ToArray();
    }

    internal static async Task<JsonElement> EndAsync(Served served, string path, params (string, string)[] headers)
    {
        while (true)
        {
            var job = await (await served.SendAsync(HttpMethod.Get, path, (string?)null, headers)).JsonAsync();
            if (job.GetProperty("status").GetString() is not ("queued" or "running")) return job;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The same bytes, repeated.</summary>
    sealed class Repeated(byte[] bytes, int times) : Stream
    {
        long _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => _position; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            count = (int)Math.Min(count, ((long)bytes.Length * times) - _position);
            for (var n = 0; n < count; n++) buffer[offset + n] = bytes[(_position + n) % bytes.Length];
            _position += count;
            return count;
        }

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}

/// <summary>Runs alone, because memory is measured for the whole process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

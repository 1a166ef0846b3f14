using System.IO.Compression;
using System.Text;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests.Export;

/// <summary>When a day is complete, and what happens if it is not: each row has Mixpanel's answers in order, and the resulting content of the folder.</summary>
public sealed class WholeDayTests
{
    static readonly string A = Exported.Event("A", 1), B = Exported.Event("B", 1, 1), C = Exported.Event("C", 1, 2);

    static readonly Dictionary<string, (Answer[] Answers, int Exit, string Text)> Rows = new(StringComparer.Ordinal)
    {
        ["plain"] = ([Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["gzip"] = ([Exported.Lines(A, B).Gzipped()], 0, $"{A}\n{B}\n"),
        ["chunked"] = ([Chunked($"{A}\n{B}\n")], 0, $"{A}\n{B}\n"),
        ["empty"] = ([Answer.Plain("")], 0, ""),
        ["empty though gzip was said"] = ([Answer.Plain("").With("Content-Encoding", "gzip").With("Content-Length", "0")], 0, ""),
        ["the last line without its line feed"] = ([Answer.Plain($"{A}\n{B}")], 0, $"{A}\n{B}\n"),
        ["duplicates stay, in their order"] = ([Exported.Lines(B, A, B)], 0, $"{B}\n{A}\n{B}\n"),
        ["bytes stay as they are"] = ([Exported.Lines(Odd)], 0, $"{Odd}\n"),
        ["lines end at the line feed alone"] = ([Exported.Lines(Exported.Event("A\u2028B\u0085C", 1), A + "\r")], 0,
            $"{Exported.Event("A\u2028B\u0085C", 1)}\n{A}\r\n"),
        ["a time that is written with a fraction"] = ([Exported.Lines(A.Replace("00000,", "00000.0,", StringComparison.Ordinal))], 0,
            $"{A.Replace("00000,", "00000.0,", StringComparison.Ordinal)}\n"),

        ["terminated early"] = ([Exported.Lines(A, "terminated early"), Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["export terminated early"] = ([Exported.Lines(A, "export terminated early").Gzipped(), Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["terminated early, and a line after it"] = ([Exported.Lines(A, "terminated early", B), Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["terminated early within a record"] = ([Answer.Plain($"{A}\n{B[..20]}export terminated early"), Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["terminated early, again and again"] = ([.. Enumerable.Repeat(Exported.Lines(A, "terminated early"), 5)], 5, ""),
        ["an error in the last line"] = ([Exported.Lines(A, """{"error":"Timeout Error.","request":"/api/2.0/export"}"""), Exported.Lines(A, B)], 0,
            $"{A}\n{B}\n"),
        ["an error in the last line, without its line feed"] = ([Answer.Plain($$"""{{A}}{{"\n"}}{"error": "x"}"""), Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["an event that is called error"] = ([Exported.Lines(Exported.Event("error", 1), A[..^1] + ",\"error\":1}")], 0,
            $"{Exported.Event("error", 1)}\n{A[..^1]},\"error\":1}}\n"),
        ["a body that ends before its length"] = ([Answer.RawText($"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n{A}\n"), Exported.Lines(A, B)], 0,
            $"{A}\n{B}\n"),
        ["a body that ends before its last chunk"] = (
            [Answer.RawText($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{A.Length + 1:x}\r\n{A}\n\r\n"), Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["a body without an end of its own"] = ([Answer.RawText($"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{A}\n"), Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["a gzip body without an end of its own"] = ([Closing(Gzip($"{A}\n{B}\n"))], 0, $"{A}\n{B}\n"),
        ["gzip without its trailer"] = ([Zipped(Gzip($"{A}\n")[..^8]), Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["gzip that is cut short"] = ([Zipped(Gzip($"{A}\n")[..^20]), Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["gzip with another checksum"] = ([Zipped([.. Gzip($"{A}\n")[..^8], 1, 2, 3, 4, .. Gzip($"{A}\n")[^4..]]), Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["gzip with another length"] = ([Zipped([.. Gzip($"{A}\n")[..^4], 1, 0, 0, 0]), Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["nothing though gzip was said"] = (
            [Answer.RawText("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), Exported.Lines(A, B)], 0,
            $"{A}\n{B}\n"),
        ["another compression"] = ([Exported.Lines(A).With("Content-Encoding", "br"), Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["a reset"] = ([Answer.Reset, Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["an event of another day"] = ([Exported.Lines(A, Exported.Event("X", 2)), Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["seconds in place of milliseconds"] = ([Exported.Lines(A.Replace("000,\"d", ",\"d", StringComparison.Ordinal)), Exported.Lines(A, B)], 0,
            $"{A}\n{B}\n"),
        ["cut within its last line, again and again"] = ([.. Enumerable.Repeat(Answer.Plain($"{A}\n{B[..30]}"), 5)], 5, ""),
        ["500, 429, 503"] = ([Answer.Plain("", 500), Answer.Plain("", 429), Answer.Plain("", 503).With("Retry-After", "7"), Exported.Lines(A)], 0, $"{A}\n"),
        ["429, again and again"] = ([.. Enumerable.Repeat(Answer.Plain("", 429), 5)], 5, ""),
        ["401"] = ([Answer.Plain("", 401)], 4, ""),
        ["400 in plain text"] = ([Answer.Plain("Unable to authenticate request", 400)], 4, ""),
        ["403"] = ([Answer.Plain("", 403)], 4, ""),
        ["a redirect"] = ([Answer.Redirect("https://elsewhere.example/")], 5, ""),
        ["a page"] = ([.. Enumerable.Repeat(Answer.Plain("<html>\n<body>gateway</body>", type: "text/html"), 5)], 5, ""),

        ["a record in two lines"] = ([Answer.Plain($"{A}\n{B[..40]}\n{B[40..]}\n{C}\n")], 0, $"{A}\n{B}\n{C}\n"),
        ["a record in three lines"] = ([Answer.Plain($"{B[..10]}\n{B[10..40]}\n{B[40..]}\n")], 0, $"{B}\n"),
        ["a record in two lines, the last without its line feed"] = ([Answer.Plain($"{A}\n{B[..40]}\n{B[40..]}")], 0, $"{A}\n{B}\n"),
        ["two records in two lines each"] = ([Answer.Plain($"{A[..50]}\n{A[50..]}\n{B[..40]}\n{B[40..]}\n")], 0, $"{A}\n{B}\n"),
        ["rubbish before a record in two lines"] = ([.. Enumerable.Repeat(Answer.Plain($"rubbish\n{B[..40]}\n{B[40..]}\n"), 2)], 3, $"{B}\n"),
        ["rubbish that is gone in a second download"] = ([Exported.Lines(A, "rubbish"), Exported.Lines(A, B)], 0, $"{A}\n{B}\n"),
        ["rubbish that stays"] = ([.. Enumerable.Repeat(Exported.Lines(A, "rubbish", B), 2)], 3, $"{A}\n{B}\n"),
        ["rubbish of which some stays"] = ([Exported.Lines(A, "rubbish", "more"), Exported.Lines("more", A, B)], 3, $"{A}\n{B}\n"),
        ["rubbish that is always another"] = ([.. Enumerable.Range(0, 5).Select(i => Exported.Lines(A, $"rubbish {i}"))], 5, ""),
        ["nothing but rubbish"] = ([.. Enumerable.Repeat(Exported.Lines("rubbish"), 2)], 3, ""),
        ["an error that is not the last line"] = ([.. Enumerable.Repeat(Exported.Lines("""{"error":"x"}""", A), 2)], 3, $"{A}\n"),
        ["an event without a time"] = ([.. Enumerable.Repeat(Exported.Lines(A, """{"event":"X","properties":{}}"""), 2)], 3, $"{A}\n"),
        ["bytes that are no text"] = (
            [.. Enumerable.Repeat(new Answer { Body = [.. Encoding.UTF8.GetBytes($"{A}\n{B[..12]}"), 0xff, .. Encoding.UTF8.GetBytes($"{B[12..]}\n")] }, 2)], 3,
            $"{A}\n"),
        ["a line of five megabytes"] = ([.. Enumerable.Repeat(Exported.Lines(A, new string('x', 5_000_000), B), 2)], 3, $"{A}\n{B}\n"),
        ["blank lines hold nothing"] = ([Exported.Lines(A, "", B, "  ")], 0, $"{A}\n{B}\n"),
    };

    static string Odd =>
        """{ "event" : "\u00e4\/", "properties":{"n":1.0,"n2":12345678901234567890,"time":1790812800000,"x":{"a":[1,"1",null]},"distinct_id":7,"big":1e400}, "extra":true }""";

    public static TheoryData<string> Names => [.. Rows.Keys];

    [Theory, MemberData(nameof(Names))]
    public async Task A_day_is_taken_when_it_is_whole(string name)
    {
        var (answers, exit, text) = Rows[name];
        await using var server = await RecordingServer.StartAsync(answers);
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));

        var run = await tool.RunAsync("export", "events", "--output", "json", "--to", to.Folder, "--from-date", "2026-10-01", "--to-date", "2026-10-01");

        Assert.True(run.Exit == exit, $"{run.Exit}\n{run.Err}");
        Assert.Equal(answers.Length, server.Requests.Count);
        Assert.Equal(text, to.Records);
        Assert.Equal((exit, answers.Length, answers.Length - 1),
            (run.Json.GetProperty("exit_code").GetInt32(), run.Json.GetProperty("requests").GetInt32(), run.Json.GetProperty("retries").GetInt32()));
        Assert.Equal(exit is 0 or 3, (bool)to.Manifest["complete"]!);
        Assert.Equal(exit == 3, File.Exists(Path.Combine(to.Folder, "2026-10-01.unreadable")));
        Assert.DoesNotContain(".part", to.Names, StringComparison.Ordinal);
        Assert.All(server.Requests,
            request => Assert.Equal("GET /api/2.0/export?from_date=2026-10-01&to_date=2026-10-01&time_in_ms=true&project_id=12345 gzip",
                $"{request.Line} {request.Header("Accept-Encoding")}"));
        Assert.Equal(exit is 0 or 3 ? 0 : 6,
            (await tool.RunAsync("import", to.Folder, "--dry-run", "--allow-empty", "--keep-going")).Exit is var imported and not 3 ? imported : 0);
    }

    [Fact]
    public async Task What_stays_unreadable_is_kept_as_it_is_and_counted()
    {
        var answer = new Answer
        {
            Body = [.. Encoding.UTF8.GetBytes($"{A}\nrub\rbish\n"), 0xff, 0xfe, (byte)'\n', .. Encoding.UTF8.GetBytes($"{B[..40]}\n{C}\n")],
        };
        await using var server = await RecordingServer.StartAsync(answer, answer);
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));

        var run = await tool.RunAsync("export", "events", "--output", "json", "--to", to.Folder, "--from-date", "2026-10-01", "--to-date", "2026-10-01");

        Assert.Equal((3, 3, 2), (run.Exit, run.Json.GetProperty("unreadable").GetInt32(), run.Json.GetProperty("records").GetInt32()));
        Assert.Equal([.. Encoding.UTF8.GetBytes("rub\rbish\n"), 0xff, 0xfe, (byte)'\n', .. Encoding.UTF8.GetBytes($"{B[..40]}\n")],
            await File.ReadAllBytesAsync(Path.Combine(to.Folder, "2026-10-01.unreadable"), TestContext.Current.CancellationToken));
        Assert.DoesNotContain("rub", run.Err, StringComparison.Ordinal);
        Assert.Equal(3,
            (await tool.RunAsync("export", "events", "--output", "json", "--to", to.Folder, "--from-date", "2026-10-01", "--to-date", "2026-10-01")).Exit);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task A_day_that_never_comes_whole_does_not_keep_the_others()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            Exported.DayOf(request) == 2 ? Exported.Lines("terminated early") : Exported.Lines(Exported.Event("A", Exported.DayOf(request))));
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));

        var run = await tool.RunAsync("export", "events", "--output", "json", "--to", to.Folder, "--from-date", "2026-10-01", "--to-date", "2026-10-05",
            "--calls-per-second", "0");

        Assert.Equal((5, 9, "2026-10-01.ndjson.gz 2026-10-03.ndjson.gz 2026-10-04.ndjson.gz 2026-10-05.ndjson.gz manifest.json"),
            (run.Exit, server.Requests.Count, to.Names));
        Assert.Contains("2026-10-02 was requested 5 times", run.Err, StringComparison.Ordinal);
        Assert.Contains(TimeSpan.FromSeconds(2), tool.Clock.Waits.Select(wait => TimeSpan.FromSeconds(Math.Floor(wait.TotalSeconds))));
    }

    [Fact]
    public async Task Joined_records_are_counted()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Plain($"{A[..50]}\n{A[50..]}\n{B[..40]}\n{B[40..]}\n{C}\n"));
        using var tool = Tool.At(server);
        var run = await tool.RunAsync("export", "events", "--output", "json", "--to", tool.Folder.File("out"), "--from-date", "2026-10-01", "--to-date",
            "2026-10-01", "--report", tool.Folder.File("report"));

        Assert.Equal((2, 3), (run.Json.GetProperty("joined").GetInt32(), run.Json.GetProperty("records").GetInt32()));
        Assert.Equal(run.Out, await File.ReadAllTextAsync(tool.Folder.File("report"), TestContext.Current.CancellationToken));
        Assert.Equal(
            ["kind", "days", "files", "records", "bytes", "requests", "retries", "joined", "unreadable", "resumed_files", "elapsed_seconds", "manifest",
                "exit_code"],
            run.Json.EnumerateObject().Select(member => member.Name), StringComparer.Ordinal);
    }

    static byte[] Gzip(string text)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return compressed.ToArray();
    }

    static Answer Zipped(byte[] body) => new() { Body = body, Headers = [("Content-Encoding", "gzip")] };

    static Answer Closing(byte[] body) => new() { Raw = [.. "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"u8, .. body] };

    static Answer Chunked(string text) =>
        Answer.RawText($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{Encoding.UTF8.GetByteCount(text):x}\r\n{text}\r\n0\r\n\r\n");
}

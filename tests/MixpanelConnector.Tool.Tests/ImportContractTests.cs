using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Sqlite;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Cli;

namespace MixpanelConnector.Tool.Tests;

/// <summary>
/// The contract of <c>mixpanel import</c> with users and scripts, in documented order: each option, the report, the
/// record accounting, each exit code and their precedence, dead letters. Signals (130, 143) need a process: ImportProcessTests; the audit
/// (9) needs a state with wrong counts: AuditTests.
/// </summary>
public sealed class ImportContractTests
{
    const string TableId = "7b6c1f0e-0b5b-4c5e-9a39-3e4f0c6f2a11";

    /// <summary>Each option of the command, and a test of its effect.</summary>
    static readonly Dictionary<string, Func<Bed, Task>> Options = new(StringComparer.Ordinal)
    {
        ["--format"] = async bed =>
        {
            var input = bed.Write("events", "event,time,distinct_id\nbuy,1790000000,ann\n");
            Assert.Equal(0, (await bed.ImportAsync(input, "--format", "csv")).Exit);
            Assert.Equal("buy", bed.Sent.Single().GetProperty("event").GetString());
            Assert.Equal(6, (await bed.ImportAsync(input, "--format", "parquet", "--dry-run")).Exit);
            Assert.Equal(2, (await bed.ImportAsync(input, "--format", "xml")).Exit);
        },
        ["--map"] = async bed =>
        {
            var input = bed.Write("in.csv", "action,at,who\nbuy,1790000000,ann\n");
            Assert.Equal(0, (await bed.ImportAsync(input, "--map", "event=action", "--map", "time=at", "--map", "distinct_id=who")).Exit);
            Assert.Equal(("buy", "ann"), (bed.Sent.Single().GetProperty("event").GetString(), bed.Properties.GetProperty("distinct_id").GetString()));
        },
        ["--column-type"] = async bed =>
        {
            var input = bed.Write("in.csv", "event,time,distinct_id,n\nbuy,1790000000,ann,7\n");
            Assert.Equal(0, (await bed.ImportAsync(input, "--column-type", "n=text")).Exit);
            Assert.Equal(JsonValueKind.String, bed.Properties.GetProperty("n").ValueKind);
            Assert.Equal(2, (await bed.ImportAsync(input, "--column-type", "n=money")).Exit);
            Assert.Equal(2, (await bed.ImportAsync(input, "--column-type", "n=number")).Exit); // the checkpoint was made with another
        },
        ["--event"] = async bed =>
        {
            Assert.Equal(0, (await bed.ImportAsync(bed.Write("in.csv", "time,distinct_id\n1790000000,ann\n"), "--event", "buy")).Exit);
            Assert.Equal("buy", bed.Sent.Single().GetProperty("event").GetString());
        },
        ["--delimiter"] = async bed =>
        {
            Assert.Equal(0, (await bed.ImportAsync(bed.Write("in", "event~time~distinct_id\nbuy~1790000000~ann\n"), "--delimiter", "~")).Exit);
            Assert.Equal("ann", bed.Properties.GetProperty("distinct_id").GetString());
            Assert.Equal(2, (await bed.ImportAsync(bed.File("in"), "--delimiter", "tabs")).Exit);
        },
        ["--encoding"] = async bed =>
        {
            File.WriteAllBytes(bed.File("in.csv"), [.. "event,time,distinct_id\nbuy,1790000000,M"u8, 0xFC, .. "ller\n"u8]);
            Assert.Equal(0, (await bed.ImportAsync(bed.File("in.csv"), "--encoding", "windows-1252")).Exit);
            Assert.Equal("Müller", bed.Properties.GetProperty("distinct_id").GetString());
            Assert.Equal(2, (await bed.ImportAsync(bed.File("in.csv"), "--encoding", "windows-12520")).Exit);
        },
        ["--quote"] = async bed =>
        {
            Assert.Equal(0, (await bed.ImportAsync(bed.Write("in.csv", "event,time,distinct_id\n'b,uy',1790000000,ann\n"), "--quote", "'")).Exit);
            Assert.Equal("b,uy", bed.Sent.Single().GetProperty("event").GetString());
        },
        ["--escape"] = async bed =>
        {
            Assert.Equal(0, (await bed.ImportAsync(bed.Write("in.csv", "event,time,distinct_id\n\"b\\\"uy\",1790000000,ann\n"), "--escape", "\\")).Exit);
            Assert.Equal("b\"uy", bed.Sent.Single().GetProperty("event").GetString());
        },
        ["--skip-lines"] = async bed => Assert.Equal(0,
            (await bed.ImportAsync(bed.Write("in.csv", "# made by hand\nevent,time,distinct_id\nbuy,1790000000,ann\n"), "--skip-lines", "1")).Exit),
        ["--no-header"] = async bed => Assert.Equal(0,
            (await bed.ImportAsync(bed.Write("in.csv", "buy,1790000000,ann\n"), "--no-header", "--column-names", "event,time,distinct_id")).Exit),
        ["--column-names"] = async bed => Assert.Equal(2,
            (await bed.ImportAsync(bed.Write("in.csv", "buy,1790000000,ann\n"), "--no-header", "--column-names", "event,event,event")).Exit),
        ["--decimal"] = async bed =>
        {
            Assert.Equal(0, (await bed.ImportAsync(bed.Write("in.csv", "event;time;distinct_id;price\nbuy;1790000000;ann;1,50\n"), "--decimal", ",")).Exit);
            Assert.Equal("1.50", bed.Properties.GetProperty("price").GetRawText());
        },
        ["--time-format"] = async bed =>
        {
            Assert.Equal(0, (await bed.ImportAsync(bed.Write("in.csv", "event,time,distinct_id\nbuy,30.10.2026,ann\n"), "--time-format", "%d.%m.%Y")).Exit);
            Assert.Equal(1793318400000, bed.Properties.GetProperty("time").GetInt64());
        },
        ["--time-zone"] = async bed =>
        {
            Assert.Equal(0,
                (await bed.ImportAsync(bed.Write("in.csv", "event,time,distinct_id\nbuy,2026-10-30 01:00:00,ann\n"), "--time-zone", "Europe/Berlin")).Exit);
            Assert.Equal(1793318400000, bed.Properties.GetProperty("time").GetInt64());
        },
        ["--null-values"] = async bed =>
        {
            Assert.Equal(0,
                (await bed.ImportAsync(bed.Write("in.csv", "event,time,distinct_id,a,b,c\nbuy,1790000000,ann,NULL,\\N,1\n"), "--null-values", "NULL",
                    "--null-values", "\\N")).Exit);
            Assert.Equal((false, false, true),
                (bed.Properties.TryGetProperty("a", out _), bed.Properties.TryGetProperty("b", out _), bed.Properties.TryGetProperty("c", out _)));
        },
        ["--vendor"] = async bed =>
        {
            var run = await bed.ImportAsync(
                bed.Write("in",
                    """{"event_type":"buy","event_time":"2026-10-01 00:00:00","user_id":"ann"}""" + "\n" + """{"event_type":"$identify","user_id":"ann"}"""
                        + "\n"),
                "--vendor", "amplitude");
            Assert.Equal((0, 2, 1, 1),
                (run.Exit, run.Number("read"), run.Number("accepted"), run.Json.GetProperty("left_out").GetProperty("profiles").GetInt32()));
            Assert.Equal("amplitude-to-mixpanel", bed.Properties.GetProperty("$source").GetString());
        },
        ["--mapping"] = async bed =>
        {
            var mapping = bed.Write("mine.json", """{"name":"shop","events":{"event":"kind","time":{"path":"at","unit":"s"},"user_id":"who"}}""");
            Assert.Equal(0, (await bed.ImportAsync(bed.Write("in", """{"kind":"buy","at":1790000000,"who":"ann"}""" + "\n"), "--mapping", mapping)).Exit);
            Assert.Equal("ann", bed.Properties.GetProperty("$user_id").GetString());
        },
        ["--show-mapping"] = async bed =>
        {
            var run = await bed.ImportAsync(bed.Write("in", """{"event_type":"buy","event_time":"2026-10-01 00:00:00","user_id":"ann"}""" + "\n"), "--vendor",
                "amplitude", "--show-mapping", "1");
            Assert.Equal(0, run.Exit);
            Assert.Contains("amplitude-to-mixpanel", run.Json.GetRawText(), StringComparison.Ordinal);
            Assert.Empty(bed.Server.Requests);
        },
        ["--identity"] = async bed =>
        {
            Assert.Equal(0,
                (await bed.ImportAsync(bed.Write("in", """{"event_type":"buy","event_time":"2026-10-01 00:00:00","device_id":"d"}""" + "\n"), "--vendor",
                    "amplitude", "--identity", "original")).Exit);
            Assert.Equal("d", bed.Properties.GetProperty("distinct_id").GetString());
        },
        ["--inspect"] = async bed =>
        {
            var run = await bed.ImportAsync(bed.Write("in.csv", "event_type,ts,user_id\nbuy,1790000000,ann\n"), "--inspect", "--state", bed.File("checkpoint"));
            Assert.Equal((0, 1, "event_type"),
                (run.Exit, run.Number("refused"), run.Json.GetProperty("proposal").GetProperty("map").GetProperty("event").GetString()));
            Assert.Empty(bed.Server.Requests);
            Assert.False(Directory.Exists(bed.File("checkpoint")));
        },
        ["--keep-going"] = async bed =>
        {
            var input = bed.Write("in.csv", $"event_type,time,distinct_id\n{string.Concat(Enumerable.Repeat("buy,1790000000,ann\n", 1000))}");
            Assert.Equal(2, (await bed.ImportAsync(input)).Exit);
            var run = await bed.ImportAsync(input, "--keep-going");
            Assert.Equal((3, 1000), (run.Exit, run.Number("rejected")));
        },
        ["--allow-empty"] = async bed =>
        {
            var input = bed.Write("in.csv", "event,time,distinct_id\n");
            Assert.Equal(6, (await bed.ImportAsync(input)).Exit);
            Assert.Equal(0, (await bed.ImportAsync(input, "--allow-empty")).Exit);
        },
        ["--type"] = async bed =>
        {
            Assert.Equal(0, (await bed.ImportAsync(bed.Events(1))).Exit); // events, by default
            Assert.Equal(0, (await bed.ImportAsync(bed.Events(1), "--type", "events", "--restart")).Exit);
            Assert.Equal(0,
                (await bed.ImportAsync(bed.Write("people", """{"$distinct_id":"ann","$set":{"plan":"pro"}}"""), "--type", "profiles", "--token", "t")).Exit);
            Assert.Equal(0,
                (await bed.ImportAsync(bed.Write("groups", """{"$group_id":"acme","$set":{"seats":5}}"""), "--type", "groups", "--group-key", "company",
                    "--token", "t")).Exit);
            Assert.Equal(0, (await bed.ImportAsync(bed.Write("table.csv", "id,name\n1,a\n"), "--type", "lookup-table", "--table-id", TableId)).Exit);
            Assert.Equal($"/import /import /engage /groups /lookup-tables/{TableId}", string.Join(' ', bed.Server.Requests.Select(request => request.Path)));
            Assert.Equal(2, (await bed.ImportAsync(bed.Events(1), "--type", "cohorts")).Exit);
        },
        ["--group-key"] = async bed =>
        {
            var input = bed.Write("groups", """{"$group_id":"acme","$set":{"seats":5}}""");
            Assert.Equal(2, (await bed.ImportAsync(input, "--type", "groups", "--token", "t")).Exit);
            Assert.Equal(0, (await bed.ImportAsync(input, "--type", "groups", "--token", "t", "--group-key", "company")).Exit);
            Assert.Equal("company", bed.Sent.Single().GetProperty("$group_key").GetString());
        },
        ["--table-id"] = async bed =>
        {
            var input = bed.Write("table.csv", "id,name\n1,a\n1,b\n");
            Assert.Equal(2, (await bed.ImportAsync(input, "--type", "lookup-table")).Exit);
            var bad = await bed.ImportAsync(input, "--type", "lookup-table", "--table-id", TableId); // all or nothing
            Assert.Equal((3, 0, 1, 1, 0), (bad.Exit, bad.Number("accepted"), bad.Number("rejected"), bad.Number("pending"), bed.Server.Requests.Count));
        },
        ["--strict"] = async bed =>
        {
            await bed.ImportAsync(bed.Events(1));
            await bed.ImportAsync(bed.Events(1), "--strict", "0", "--restart");
            Assert.Contains("strict=1", bed.Server.Requests[0].Query, StringComparison.Ordinal);
            Assert.Contains("strict=0", bed.Server.Requests[1].Query, StringComparison.Ordinal);
        },
        ["--properties"] = async bed =>
        {
            var file = bed.Write("shared.json", """{"n":"shared","plan":"pro"}""");
            bed.Tool.Input = File.ReadAllText(file);
            foreach (var value in (string[])[File.ReadAllText(file), $"@{file}", "@-"])
            {
                Assert.Equal(0, (await bed.ImportAsync(bed.Events(1), "--properties", value, "--restart")).Exit);
                Assert.Equal(("pro", 0),
                    (bed.Properties.GetProperty("plan").GetString(), bed.Properties.GetProperty("n").GetInt32())); // an event's own value wins
            }
        },
        ["--state"] = async bed =>
        {
            var (input, folder) = (bed.Events(3), bed.File("checkpoint"));
            var first = await bed.ImportAsync(input, "--state", folder);
            var again = await bed.ImportAsync(input, "--state", folder);
            Assert.Equal((first.Exit, first.Out), (again.Exit, again.Out)); // the same account, and nothing is sent again
            Assert.Single(bed.Server.Requests);
            Assert.Equal(3, Assert.Single(SqliteImportState.List(bed.Tool.Folder.Path)).Totals.Accepted);

            bed.Events(5);
            var grown = await bed.ImportAsync(input, "--state", folder);
            Assert.Equal((0, 5, 3), (grown.Exit, grown.Number("accepted"), grown.Number("resumed_from")));
            Assert.Equal(2, (await bed.ImportAsync(input, "--state", folder, "--project-id", "777")).Exit); // another project's
        },
        ["--restart"] = async bed =>
        {
            await bed.ImportAsync(bed.Events(2));
            Assert.Equal(2, (await bed.ImportAsync(bed.Events(2), "--drop", "n")).Exit);
            var again = await bed.ImportAsync(bed.Events(2), "--drop", "n", "--restart");
            Assert.Equal((0, 2, 0), (again.Exit, again.Number("read"), again.Number("resumed_from")));
            Assert.Equal(2, bed.Server.Requests.Count);
        },
        ["--new-ids"] = async bed =>
        {
            bed.Tool.Input = """{"event":"e","properties":{"time":1790000000,"distinct_id":"u"}}""" + "\n";
            string[] again = ["-", "--state", bed.File("state"), "--source-id", "two", "--restart"];
            await bed.ImportAsync("-", "--state", bed.File("state"), "--source-id", "one");
            var refused = await bed.ImportAsync(again);
            Assert.Equal((2, true), (refused.Exit, refused.Err.Contains("--new-ids", StringComparison.Ordinal)));
            Assert.Equal(0, (await bed.ImportAsync([.. again, "--new-ids"])).Exit);
            Assert.Equal(2, bed.Server.Requests.Count);
        },
        ["--dead-letter"] = async bed =>
        {
            var input = bed.Write("in", "nonsense\n");
            var usual = await bed.ImportAsync(input);
            Assert.StartsWith(bed.Tool.Folder.File(".local/state/mixpanel/imports"), usual.Json.GetProperty("dead_letter").GetString(),
                StringComparison.Ordinal);
            Assert.Single(File.ReadAllLines(usual.Json.GetProperty("dead_letter").GetString()!));
            var named = await bed.ImportAsync(input, "--dead-letter", bed.File("dead"), "--restart");
            Assert.Equal(bed.File("dead"), named.Json.GetProperty("dead_letter").GetString());
            Assert.Single(File.ReadAllLines(bed.File("dead")));
        },
        ["--replay"] = async bed =>
        {
            bed.Script = request => Answer.Json(
                """{"code":400,"error":"e","failed_records":[{"index":0,"insert_id":"","field":"properties.x","message":"refused"}],"num_records_imported":0,"status":"Bad Request"}""",
                400);
            var input = bed.Write("in", """{"event":"e","properties":{"time":1790000000,"distinct_id":"u"}}""");
            Assert.Equal(3, (await bed.ImportAsync(input, "--dead-letter", bed.File("dead"))).Exit);
            bed.Script = bed.Accept;
            Assert.Equal(0, (await bed.ImportAsync("--replay", bed.File("dead"))).Exit);
            var ids = bed.Server.Requests.Select(request => request.Json[0].GetProperty("properties").GetProperty("$insert_id").GetString()).ToList();
            Assert.Equal(ids[0], ids[1]);
            Assert.Equal(2, (await bed.ImportAsync(input, "--replay", bed.File("dead"))).Exit);
        },
        ["--report"] = async bed =>
        {
            var run = await bed.ImportAsync(bed.Events(2), "--report", bed.File("report.json"));
            Assert.Equal(run.Out, File.ReadAllText(bed.File("report.json")));
        },
        ["--senders"] = async bed =>
        {
            Assert.Equal((2, 2),
                ((await bed.ImportAsync(bed.Events(1), "--senders", "0")).Exit, (await bed.ImportAsync(bed.Events(1), "--senders", "21")).Exit));

            // None of these is answered, so that each sender sends one request.
            var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            bed.Script = _ =>
            {
                if (bed.Server.Requests.Count == 3) arrived.TrySetResult();
                return Answer.Stall;
            };
            var import = bed.ImportAsync(bed.Events(50), "--senders", "3", "--batch-events", "1", "--max-outage", "10s");
            await arrived.Task.WaitAsync(Hang.Limit);
            await bed.StopServerAsync();
            Assert.Equal(5, (await import).Exit);
            Assert.Equal(3, bed.Server.Requests.Count);
        },
        ["--batch-events"] = async bed =>
        {
            await bed.ImportAsync(bed.Events(7), "--batch-events", "3", "--senders", "1");
            Assert.Equal([3, 3, 1], bed.Server.Requests.Select(request => request.Json.GetArrayLength()));
            Assert.Equal(2, (await bed.ImportAsync(bed.Events(7), "--batch-events", "2001")).Exit);
        },
        ["--batch-bytes"] = async bed =>
        {
            var run = await bed.ImportAsync(bed.Events(40), "--batch-bytes", "2000");
            Assert.Equal((0, 40), (run.Exit, run.Number("accepted")));
            Assert.All(bed.Server.Requests, request => Assert.InRange(request.Content.Length, 1, 2000));
            Assert.Equal(2, (await bed.ImportAsync(bed.Events(40), "--batch-bytes", "20000000")).Exit);
        },
        ["--backoff-min"] = async bed =>
        {
            await bed.OutageAsync("--backoff-min", "11s", "--backoff-max", "24s");
            Assert.InRange(bed.Pauses[0].TotalSeconds, 11, 11 * 1.5);
            Assert.Equal(2, (await bed.ImportAsync(bed.Events(1), "--backoff-min", "soon")).Exit);
        },
        ["--backoff-max"] = async bed =>
        {
            await bed.OutageAsync("--backoff-min", "11s", "--backoff-max", "24s");
            Assert.True(bed.Pauses.Count > 10);
            Assert.All(bed.Pauses.Skip(2).SkipLast(3), pause => Assert.InRange(pause.TotalSeconds, 24, 24 + 5.5));
        },
        ["--max-outage"] = async bed =>
        {
            var began = bed.Tool.Clock.GetUtcNow();
            await bed.OutageAsync("--backoff-min", "11s", "--backoff-max", "24s");
            Assert.InRange(bed.Tool.Clock.GetUtcNow() - began, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(11));
        },
        ["--fix"] = async bed =>
        {
            var input = bed.Write("in",
                """{"event":"e","properties":{"time":"2026-09-21T13:46:40Z","distinct_id":"u","a":null}}""" + "\n"
                    + """{"event":"e","properties":{"time":1790000000,"$user_id":"u2","$device_id":"d","a":null}}""" + "\n");
            var none = await bed.ImportAsync(input, "--dry-run");
            Assert.Equal((3, 1, 1), (none.Exit, none.Number("accepted"), none.Number("rejected")));
            Assert.Contains("--fix time", none.Err, StringComparison.Ordinal);
            Assert.False(none.Json.TryGetProperty("fixed", out _)); // nothing was asked for
            foreach (var (fix, count) in ((string, string)[])
            [
                ("time", """{"time":1}"""),
                ("ids", """{"ids":1}"""),
                ("nulls", """{"nulls":2}"""),
                ("time,ids,nulls", """{"time":1,"ids":1,"nulls":2}"""),
            ])
            {
                var run = await bed.ImportAsync(input, "--fix", fix, "--restart", "--new-ids");
                Assert.Equal(count, run.Json.GetProperty("fixed").GetRawText());
            }

            Assert.Equal(["u", "u2"], bed.Sent.Select(sent => sent.GetProperty("properties").GetProperty("distinct_id").GetString()!).ToArray());
        },
        ["--rename"] = async bed =>
        {
            var run = await bed.ImportAsync(bed.Events(1), "--rename", "n=m");
            Assert.Equal((0, """{"renamed":1}""", true), (run.Exit, run.Json.GetProperty("fixed").GetRawText(), bed.Properties.TryGetProperty("m", out _)));
        },
        ["--drop"] = async bed =>
        {
            var run = await bed.ImportAsync(bed.Events(1), "--drop", "n");
            Assert.Equal((0, """{"dropped":1}""", false), (run.Exit, run.Json.GetProperty("fixed").GetRawText(), bed.Properties.TryGetProperty("n", out _)));
        },
        ["--time-offset"] = async bed =>
        {
            var run = await bed.ImportAsync(bed.Events(1), "--time-offset", "-1.5");
            Assert.Equal((0, """{"time_offset":1}""", 1_790_000_000 - 5400),
                (run.Exit, run.Json.GetProperty("fixed").GetRawText(), bed.Properties.GetProperty("time").GetInt64()));
        },
        ["--dry-run"] = async bed =>
        {
            bed.Tool.Environment.Clear(); // no credentials
            var run = await bed.ImportAsync(bed.Write("in", Bed.Event(1) + "\nnonsense\n"), "--dry-run");
            Assert.Equal((3, 1, 1), (run.Exit, run.Number("accepted"), run.Number("rejected")));
            Assert.Empty(bed.Server.Requests);
            Assert.Equal([bed.File("in")], Directory.GetFileSystemEntries(bed.Tool.Folder.Path));
        },
        ["--source-id"] = async bed =>
        {
            bed.Tool.Input = """{"event":"e","properties":{"time":1790000000,"distinct_id":"u"}}""" + "\n";
            var first = await bed.ImportAsync("-", "--source-id", "one");
            var again = await bed.ImportAsync("-", "--source-id", "one");
            Assert.Equal((first.Exit, first.Out), (again.Exit, again.Out));
            Assert.Contains("Everything was imported before", again.Err, StringComparison.Ordinal);
            Assert.Single(bed.Server.Requests);
            await bed.ImportAsync("-", "--source-id", "two");
            Assert.Equal(2,
                bed.Server.Requests.Select(request => request.Json[0].GetProperty("properties").GetProperty("$insert_id").GetString())
                    .Distinct(StringComparer.Ordinal).Count());

            // Without a name it cannot be resumed, so nothing is left behind.
            var states = SqliteImportState.List(bed.Tool.Folder.File(".local/state/mixpanel/imports")).Count;
            Assert.Equal((0, JsonValueKind.Null),
                (await bed.ImportAsync("-")) is var unnamed ? (unnamed.Exit, unnamed.Json.GetProperty("dead_letter").ValueKind) : default);
            Assert.Equal(states, SqliteImportState.List(bed.Tool.Folder.File(".local/state/mixpanel/imports")).Count);
            bed.Tool.Input = "nonsense\n";
            Assert.Single(File.ReadAllLines((await bed.ImportAsync("-")).Json.GetProperty("dead_letter").GetString()!));
        },
        ["--no-progress"] = async bed =>
        {
            bed.Tool.Environment["TERM"] = "xterm";
            Assert.Contains("accepted", (await bed.ImportAsync(bed.Events(1))).Err, StringComparison.Ordinal);
            Assert.Equal("", (await bed.ImportAsync(bed.Events(1), "--no-progress", "--restart")).Err);
            bed.Tool.Environment["TERM"] = "dumb";
            Assert.Equal("", (await bed.ImportAsync(bed.Events(1), "--restart")).Err);
        },
    };

    public static TheoryData<string> OptionNames => [.. Options.Keys];

    [Theory, MemberData(nameof(OptionNames))]
    public async Task An_option_does_what_it_says(string option)
    {
        await using var bed = await Bed.StartAsync(terminal: option is "--no-progress");
        await Options[option](bed);
    }

    [Fact]
    public void Every_option_of_the_help_is_in_the_table_and_no_other()
    {
        using var tool = new Tool();
        using var stop = new Stop();
        using var none = new MemoryStream();
        var root = CommandLine.Build(new HostEnvironment { Environment = _ => null, Input = none, Output = none, Error = TextWriter.Null }, stop);
        var offered = root.Subcommands.Single(command => command.Name == "import").Options.Select(option => option.Name);
        Assert.Equal(offered.Order(StringComparer.Ordinal), Options.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_report_has_exactly_its_fields_and_its_counts_add_up()
    {
        await using var bed = await Bed.StartAsync();
        var run = await bed.ImportAsync(bed.Write("in", Bed.Event(1) + "\n\nnonsense\n" + Bed.Event(2) + "\n" + Bed.Event(3)[..^4]));
        Assert.Equal("read,accepted,rejected,pending,blank,bytes,requests,retries,resumed_from,elapsed_seconds,dead_letter,exit_code,reasons",
            string.Join(',', run.Json.EnumerateObject().Select(field => field.Name)));
        Assert.Equal((5, 2, 1, 1, 1), (run.Number("read"), run.Number("accepted"), run.Number("rejected"), run.Number("pending"), run.Number("blank")));
        Assert.Equal((6, 6), (run.Exit, run.Number("exit_code")));
        Assert.Equal(run.Number("rejected"), File.ReadLines(run.Json.GetProperty("dead_letter").GetString()!).Count());
    }

    [Fact]
    public async Task A_dead_letter_has_exactly_its_fields()
    {
        await using var bed = await Bed.StartAsync();
        bed.Script = request => Answer.Json(
            """{"code":400,"error":"e","failed_records":[{"index":0,"insert_id":"id-1","field":"properties.n","message":"refused"}],"num_records_imported":0,"status":"Bad Request"}""",
            400);
        var large = "{\"x\":\"" + new string('x', 1 << 20) + "\"}";
        byte[] text =
        [
            .. Encoding.UTF8.GetBytes("\n" + Bed.Event(1) + "\n"),
            0xc3,
            (byte)'\n',
            .. Encoding.UTF8.GetBytes(large + "\n" + """{"event":"e","properties":{"time":1}}"""),
        ];
        File.WriteAllBytes(bed.File("in"), text);
        await bed.ImportAsync(bed.File("in"), "--dead-letter", bed.File("dead"));

        var letters = File.ReadLines(bed.File("dead"))
            .Select(line => JsonElement.Parse(line))
            .OrderBy(letter => letter.GetProperty("line").GetInt32()).ToList();
        Assert.Equal(
            [
                "source,line,offset,raw,code,field,message,http_status,insert_id,attempts,maybe_delivered",
                "source,line,offset,raw_base64,code,message,insert_id,attempts,maybe_delivered",
                "source,line,offset,raw,raw_truncated,length,sha256,code,message,attempts,maybe_delivered",
                "source,line,offset,raw,code,field,message,insert_id,attempts,maybe_delivered",
            ],
            letters.Select(letter => string.Join(',', letter.EnumerateObject().Select(field => field.Name))).ToArray());
        var refused = letters[0];
        Assert.Equal((bed.File("in"), 2, 1, Bed.Event(1)),
            (refused.GetProperty("source").GetString(), refused.GetProperty("line").GetInt32(), refused.GetProperty("offset").GetInt32(), refused.Raw()));
        Assert.Equal(("rejected", "properties.n", 400, "id-1", 1, false),
            (refused.GetProperty("code").GetString(), refused.GetProperty("field").GetString(), refused.GetProperty("http_status").GetInt32(),
                refused.GetProperty("insert_id").GetString(), refused.GetProperty("attempts").GetInt32(), refused.GetProperty("maybe_delivered").GetBoolean()));
        Assert.Equal([0xc3], letters[1].GetProperty("raw_base64").GetBytesFromBase64());
        Assert.Equal((64 << 10, large.Length), (letters[2].Raw().Length, letters[2].GetProperty("length").GetInt32()));
    }

    /// <summary>What is said about the same command, and what it then does.</summary>
    [Theory]
    [InlineData("", "events", false)]
    [InlineData("", "profiles", false)]
    [InlineData("--source-id one", "events", true)]
    [InlineData("--state STATE", "events", true)]
    public async Task A_stream_is_said_to_resume_only_if_it_does(string options, string type, bool resumes)
    {
        await using var bed = await Bed.StartAsync();
        bed.Tool.Environment["MIXPANEL_TOKEN"] = "token";
        bed.Tool.Input = string.Concat(Enumerable.Range(1, 2)
            .Select(n => (type == "events"
                ? $$$"""{"event":"e","properties":{"time":1790000000,"distinct_id":"u{{{n}}}"}}"""
                : $$$"""{"$distinct_id":"u{{{n}}}","$set":{"a":1}}""")
                + "\n"));
        string[] command =
        [
            "-",
            "--type",
            type,
            "--batch-events",
            "1",
            "--senders",
            "1",
            .. options.Replace("STATE", bed.File("state"), StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries),
        ];
        bed.Script = request => bed.Server.Requests.Count > 1 ? Answer.Json("{}", 401) : bed.Accept(request);

        var first = await bed.ImportAsync(command);

        Assert.Equal((4, 1), (first.Exit, first.Number("accepted")));
        Assert.Equal(resumes, first.Err.Contains("it resumes", StringComparison.Ordinal));
        Assert.Equal(!resumes, first.Err.Contains("not resumed", StringComparison.Ordinal));
        Assert.Equal(!resumes && type == "events",
            first.Err.Contains("once", StringComparison.Ordinal) && first.Err.Contains("counts events", StringComparison.Ordinal));
        var sent = bed.Server.Requests.Count;
        bed.Script = bed.Accept;
        var again = await bed.ImportAsync(command);
        Assert.Equal((0, 2), (again.Exit, again.Number("accepted")));
        Assert.Equal(resumes ? 1 : 2, bed.Server.Requests.Count - sent);
        if (!resumes && type == "events") Assert.Equal(bed.Server.Requests[0].Text, bed.Server.Requests[sent].Text); // the same computed id
    }

    [Fact]
    public async Task Status_lists_the_last_changed_first_with_what_is_pending()
    {
        await using var bed = await Bed.StartAsync();
        bed.Script = request => request.Text.Contains("id-2", StringComparison.Ordinal) ? Answer.Json("{}", 401) : bed.Accept(request);
        foreach (var (name, last) in ((string, int)[])[("a", 1), ("b", 2), ("c", 1), ("d", 1)])
            await bed.ImportAsync(bed.Write(name, Bed.Event(1) + "\n" + (last == 1 ? "" : Bed.Event(last) + "\n")), "--batch-events", "1", "--senders", "1");
        foreach (var (folder, name) in SqliteImportState.List(bed.Tool.Folder.File(".local/state/mixpanel/imports"))
            .Select(state => (state.Folder, state.Sources[0].Id)))
            File.SetLastWriteTimeUtc(Path.Combine(folder, "import.db"), DateTime.UnixEpoch.AddDays("dbac".IndexOf(name, StringComparison.Ordinal)));

        var imports = (await bed.ImportAsync("status")).Json.GetProperty("imports").EnumerateArray().ToList();

        Assert.Equal("c a b d", string.Join(" ", imports.Select(one => one.GetProperty("sources").GetString())));
        Assert.Equal([0, 0, 1, 0], imports.Select(one => one.GetProperty("pending").GetInt64()));
        Assert.All(imports,
            one => Assert.Equal(one.GetProperty("read").GetInt64(),
                ((string[])["accepted", "rejected", "pending", "blank"]).Sum(count => one.GetProperty(count).GetInt64())));
    }

    [Fact]
    public async Task A_bad_record_is_named_on_standard_error_without_its_values()
    {
        await using var bed = await Bed.StartAsync();
        var run = await bed.ImportAsync(bed.Write("in", """{"event":"e","properties":{"time":"private","distinct_id":"secret"}}"""));
        Assert.StartsWith($"{bed.File("in")}:1: time_invalid: the time is text", run.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("private", run.Err + run.Out, StringComparison.Ordinal);
    }

    /// <summary>Combinations of failures in one import, and the resulting exit code.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(2, "option")]
    [InlineData(3, "bad record")]
    [InlineData(4, "credentials")]
    [InlineData(5, "outage")]
    [InlineData(6, "cut input")]
    [InlineData(7, "full disk")]
    [InlineData(7, "damaged state")]
    [InlineData(7, "no report")]
    [InlineData(8, "busy state")]
    [InlineData(5, "outage", "bad record")]
    [InlineData(6, "cut input", "bad record")]
    [InlineData(6, "cut input", "outage", "bad record")]
    [InlineData(4, "credentials", "cut input", "bad record")]
    [InlineData(7, "full disk", "credentials", "cut input", "bad record")]
    [InlineData(7, "full disk", "outage")]
    [InlineData(2, "option", "full disk", "damaged state")]
    public async Task Each_exit_code_has_its_cause_and_its_place(int code, params string[] troubles)
    {
        await using var bed = await Bed.StartAsync();
        bool Has(string trouble) => troubles.Contains(trouble, StringComparer.Ordinal);
        var state = bed.File("state");
        List<string> command = [bed.File("in"), "--state", state, "--max-outage", "1m"];
        bed.Script = request => Has("credentials") ? Answer.Json("{}", 401) : Has("outage") ? Answer.Plain("", 503) : bed.Accept(request);
        bed.Write("in", Bed.Event(1) + "\n" + (Has("bad record") ? "nonsense\n" : "") + (Has("cut input") ? "{\"event\":" : ""));
        if (Has("option")) command.AddRange(["--batch-events", "0"]);
        if (Has("full disk")) command.AddRange(["--report", "/dev/full"]);
        if (Has("no report")) command.AddRange(["--report", bed.Tool.Folder.Path]);
        if (Has("damaged state"))
        {
            Directory.CreateDirectory(state);
            File.WriteAllText(Path.Combine(state, "import.db"), new string('x', 10_000));
        }

        using var other = Has("busy state") ? SqliteImportState.Open(state) : null;
        var run = await bed.ImportAsync([.. command]);
        Assert.True(run.Exit == code, $"exit {run.Exit}\n{run.Out}{run.Err}");
        if (code is 2 or 8 || Has("damaged state") || Has("no report")) Assert.Empty(bed.Server.Requests);
        if (code is 2) Assert.Equal("", run.Out);
        if (code is not 0) Assert.NotEmpty(run.Err);
        if (code is 4 or 5 or 6 && !Has("full disk"))
        {
            // The same command resumes once the failure is fixed.
            bed.Script = bed.Accept;
            File.AppendAllText(bed.File("in"), Has("cut input") ? "\"e\",\"properties\":{\"time\":1790000000,\"distinct_id\":\"u\"}}\n" : "");
            Assert.Equal(Has("bad record") ? 3 : 0, (await bed.ImportAsync([.. command])).Exit);
        }
    }

    /// <summary>The program, and a fake Mixpanel that accepts everything unless a test specifies otherwise.</summary>
    sealed class Bed : IAsyncDisposable
    {
        Func<RecordedRequest, Answer>? _script;
        bool _stopped;

        public required Tool Tool { get; init; }

        public RecordingServer Server { get; private set; } = null!;

        public Func<RecordedRequest, Answer> Script { set => _script = value; }

        /// <summary>The records of the last request.</summary>
        public IEnumerable<JsonElement> Sent => Server.Requests[^1].Json.EnumerateArray();

        public JsonElement Properties => Sent.Single().GetProperty("properties");

        /// <summary>The waits between attempts.</summary>
        public List<TimeSpan> Pauses => [.. Tool.Clock.Waits.Where(wait => wait > TimeSpan.FromSeconds(5) && wait < TimeSpan.FromSeconds(60))];

        public static async Task<Bed> StartAsync(bool terminal = false)
        {
            Bed? bed = null;
            var server = await RecordingServer.StartAsync(request => (bed!._script ?? bed.Accept)(request));
            bed = new Bed { Tool = Tool.At(server, terminal), Server = server };
            return bed;
        }

        public Answer Accept(RecordedRequest request) => request.Path switch
        {
            "/import" => Answer.Json(string.Create(CultureInfo.InvariantCulture,
                $$"""{"code":200,"num_records_imported":{{request.Json.GetArrayLength()}},"status":"OK"}""")),
            "/engage" or "/groups" => Answer.Json("""{"status":1,"error":null}"""),
            _ => Answer.Json("""{"code":200,"status":"OK"}"""),
        };

        public Task<Run> ImportAsync(params string[] arguments) => Tool.RunAsync(["import", .. arguments, "--output", "json"]);

        /// <summary>Mixpanel is unavailable for longer than the limit.</summary>
        public async Task OutageAsync(params string[] options)
        {
            Script = _ => Answer.Plain("", 503);
            Assert.Equal(5, (await ImportAsync([Events(1), "--max-outage", "10m", .. options])).Exit);
            Assert.All(Server.Requests, request => Assert.Equal(Server.Requests[0].Body, request.Body));
        }

        public static string Event(int number) =>
            string.Create(CultureInfo.InvariantCulture,
                $$$"""{"event":"e","properties":{"time":1790000000,"distinct_id":"u","$insert_id":"id-{{{number}}}","n":{{{number}}}}}""");

        public string Events(int count) => Write("events.ndjson", string.Concat(Enumerable.Range(0, count).Select(n => Event(n) + "\n")));

        public string Write(string name, string text) => Tool.Folder.Write(name, text);

        public string File(string name) => Tool.Folder.File(name);

        public async Task StopServerAsync()
        {
            if (!Interlocked.Exchange(ref _stopped, true)) await Server.DisposeAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await StopServerAsync();
            Tool.Dispose();
        }
    }
}

static class RunNumbers
{
    public static int Number(this Run run, string field) => run.Json.GetProperty(field).GetInt32();
}

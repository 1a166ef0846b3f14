using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DuckDB.NET.Data;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>
/// The command-line tool compiled ahead of time: for every command, its output and files equal those of the other build. What is
/// missing after compilation, such as a type used only by reflection, shows as a difference.
/// </summary>
[Trait("tool", "native")]
public sealed partial class NativeToolTests
{
    /// <summary>Shell scripts, run in an empty home with the files of <see cref="Prepare"/>.</summary>
    public static TheoryData<string, string> Scripts => new()
    {
        { "what it says of itself", """
            mixpanel --version
            for command in '' create-service-account get-all-service-accounts get-event-names get-event-properties get-event-property-values get-top-events import-events query-event-counts query-event-property-counts query-user-profiles track-event check completion config docs emulator 'emulator export' import 'import status' mcp serve 'serve new-key'; do mixpanel $command --help; done
            mixpanel completion bash; mixpanel '[suggest:9]' 'mixpanel '; mixpanel '[suggest:17]' 'mixpanel import --'
            mixpanel docs made && cd made && find . -type f | sort | xargs sha256sum
            """ },
        { "settings", """
            mixpanel config; MIXPANEL_TOKEN=secret MIXPANEL_REGION=eu mixpanel config --output table
            MIXPANEL_REGION=moon mixpanel config; mixpanel check --local; mixpanel query-user-profiles; mixpanel no-such-command; mixpanel import
            """ },
        { "the samples", """
            mixpanel import "$SAMPLES/events.ndjson" --local --report report.json; cat report.json
            mixpanel import "$SAMPLES/events.ndjson" --local; mixpanel import status
            mixpanel import "$SAMPLES/events-with-errors.ndjson" --local --dead-letter dead.ndjson; cat dead.ndjson
            mixpanel import dead.ndjson --replay --local; mixpanel import "$SAMPLES/events-with-errors.ndjson" --dry-run --output json
            mixpanel import "$SAMPLES/profiles.ndjson" --type profiles --local --output json
            mixpanel query-user-profiles --local --where 'properties["plan"] == "pro"' --output table | awk 'NR<=5'
            mixpanel emulator export out.ndjson; mixpanel emulator export out.parquet; sed 's/,"mp_processing_time_ms":[0-9]*//' out.ndjson | sort | sha256sum
            """ },
        { "a small stack", """
            ulimit -s 128; mixpanel check --local; mixpanel import "$SAMPLES/events.ndjson" --local --output json
            """ },
        { "every format", """
            for file in types.*; do mixpanel import $file --local --report report.json; cat report.json; done
            mixpanel emulator export out.ndjson; sed 's/,"mp_processing_time_ms":[0-9]*//' out.ndjson | sort
            """ },
        { "mends", """
            mixpanel import mend.csv --local --map time=when --map distinct_id=who --fix time --rename a=b --drop c --time-offset -1.5 --output json
            mixpanel emulator export out.ndjson; sed 's/,"mp_processing_time_ms":[0-9]*//' out.ndjson
            """ },
        { "groups and a lookup table", """
            mixpanel import groups.ndjson --type groups --group-key company --local --output json
            mixpanel import plans.csv --type lookup-table --table-id 7b6c1f0e-0b5b-4c5e-9a39-3e4f0c6f2a11 --local --output json
            """ },
        { "every action", """
            mixpanel import "$SAMPLES/events.ndjson" --local; mixpanel import "$SAMPLES/profiles.ndjson" --type profiles --local
            mixpanel create-service-account --username robot --projects '[{"id":1,"role":"admin"}]' --organization-id 1 --secret-out secret.txt --local
            stat -c %a secret.txt; mixpanel get-all-service-accounts --organization-id 1 --local
            mixpanel track-event --event Bought --properties '{"time":1790000000,"distinct_id":"u","$insert_id":"i-1"}' --local
            mixpanel import-events --strict 1 --events '[{"event":"A","properties":{"time":1790000000,"distinct_id":"u","$insert_id":"i-2"}}]' --properties '{}' --local
            mixpanel query-event-counts --events '["Bought"]' --from-date 2026-09-01 --to-date 2026-09-30 --local
            mixpanel query-event-property-counts --event Bought --property plan --from-date 2026-09-01 --to-date 2026-09-30 --local
            mixpanel get-event-names --local; mixpanel get-top-events --local
            mixpanel get-event-properties --event Bought --local; mixpanel get-event-property-values --event Bought --property plan --local
            mixpanel query-user-profiles --where 'properties["plan"] == ' --local; mixpanel query-user-profiles --local --all | awk 'NR<=20'
            """ },
        { "mistakes", """
            mixpanel import missing.ndjson --local; mixpanel import mend.csv --format parquet --local; mixpanel import "$SAMPLES/events.ndjson" --batch-events 3000 --local
            mixpanel emulator --faults mend.csv; printf '{"rules":[{"statuss":500}]}' > faults.json; mixpanel emulator --faults faults.json
            for faults in '{"rules":[{"path":"/import","rate":2}]}' '{"rules":null}' '{"rules":[null]}' '{"rules":[{"path":null}]}' '[]'; do echo "$faults" > faults.json; mixpanel emulator --faults faults.json; done
            head -c 300 types.ndjson.gz > cut.ndjson.gz; mixpanel import cut.ndjson.gz --local; head -c 300 types.snappy.parquet > cut.parquet; mixpanel import cut.parquet --local
            """ },
    };

    [Theory, MemberData(nameof(Scripts))]
    public async Task It_says_what_the_other_says(string about, string script)
    {
        var (expected, actual) = (await RunAsync(script, $"dotnet '{ToolUnderTest.OfThisBuild}'"), await RunAsync(script, $"'{Published.Tool}'"));

        Assert.NotEmpty(expected);
        AssertSame(about, expected, actual);
    }

    [Fact]
    public async Task The_official_MCP_client_calls_every_tool()
    {
        await using var mixpanel = await InterfaceClientsTests.WithAnEventAsync();
        using var home = new Home();
        using var node = Run.Start("node", [Repository.File("tests/EndToEnd/clients/mcp.mjs"), "stdio", Published.Tool, "mcp", "--allow-write"], home,
            Credentials.For(mixpanel));

        InterfaceClientsTests.AssertEveryTool(await Run.EndAsync(node));
    }

    [Fact]
    public async Task A_client_made_from_the_OpenAPI_document_calls_every_action()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var home = new Home();
        await using var serve = await Serve.StartAsync(home, [], Credentials.For(mixpanel), Published.Tool);
        using var node = Run.Start("node", [Repository.File("tests/EndToEnd/clients/openapi.cjs"), serve.Address.AbsoluteUri.TrimEnd('/')], home);

        InterfaceClientsTests.AssertEveryAction(await Run.EndAsync(node));
    }

    [Fact]
    public async Task It_serves_what_the_other_serves()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var home = new Home();
        await using var serve = await Serve.StartAsync(home, [], Credentials.For(mixpanel), Published.Tool);
        await using var other = await Serve.StartAsync(home, ["--state", home.File("other")], Credentials.For(mixpanel), ToolUnderTest.OfThisBuild);
        using var http = new HttpClient { Timeout = Hang.Limit };
        foreach (var path in (string[])["", "docs", "openapi.json", "v1/actions", "v1/server", "v1/imports", "healthz", "readyz", "metrics", "no-such-page"])
        {
            var (expected, actual) = (await GetAsync(http, new Uri(other.Address, path)), await GetAsync(http, new Uri(serve.Address, path)));
            AssertSame($"/{path}", expected, actual);
        }
    }

    [Fact]
    public async Task Its_embedded_Mixpanel_fails_on_purpose_and_its_import_survives_that()
    {
        using var home = new Home();
        var faults = home.Write("faults.json",
            """{"seed":7,"rules":[{"path":"/import","status":429,"retry_after":0,"times":2},{"path":"/import","reset":true,"times":1,"stored":true}]}""");
        await using var emulator = await EmulatorProcess.StartAsync(home, ["--faults", faults], Published.Tool);
        using var import = Run.Start(Published.Tool, ["import", "samples/events.ndjson", "--batch-events", "500", "--output", "json"], home,
            Credentials.At(emulator.Address.AbsoluteUri.TrimEnd('/')));
        var done = await Run.EndAsync(import);

        Assert.True(done.ExitCode == 0, done.ToString());
        var report = JsonNode.Parse(done.Output)!;
        Assert.Equal((5000, 3), ((int)report["accepted"]!, (int)report["retries"]!));
    }

    async Task<string> RunAsync(string script, string tool)
    {
        using var home = new Home();
        Prepare(home);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["SAMPLES"] = Repository.File("samples") };
        using var shell =
            Run.Start("bash", ["-c", $"cd '{home.Path}'\nmixpanel() {{ {tool} \"$@\"; echo \"exit $?\"; }}\nexec 2>&1\n{script}"], home, environment);
        var done = await Run.EndAsync(shell);
        return Moment().Replace(done.Output.Replace(home.Path, "HOME", StringComparison.Ordinal), "…");
    }

    /// <summary>The same events in every format, with a value of each type that a column can have.</summary>
    static void Prepare(Home home)
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"""
            SET TimeZone='UTC';
            CREATE TABLE plain AS SELECT 'e' || i % 3 AS event, 1790000000 + i AS time, 'u' || i AS distinct_id, i AS n, i / 8 AS part, 'text ü ' || i AS text, i % 2 = 0 AS even FROM range(200) t(i);
            CREATE TABLE types AS SELECT *, true AS a, (-7)::TINYINT AS b, 255::UTINYINT AS c, n::SMALLINT AS d, n::USMALLINT AS e, n::INTEGER AS f, n::UINTEGER AS g, n::UBIGINT AS h, n / 3::DOUBLE AS i, (n / 3)::FLOAT AS j,
              1.10::DECIMAL(4,2) AS k, 12345678901234.5678::DECIMAL(18,4) AS l, 12345678901234567890123456.0123456789::DECIMAL(38,10) AS m, TIMESTAMP '2026-09-21 14:13:20.123456' AS o, TIMESTAMP_NS '2026-09-21 14:13:20.1234567' AS p,
              DATE '2026-09-21' AS q, TIME '14:13:20' AS r, 'abc'::BLOB AS s, '00000000-0000-0000-0000-000000000001'::UUID AS t, [n, NULL, 3] AS v, [[1, 2], [], NULL] AS w, {"{'a': {'b': [{'c': 1}, NULL]}}"} AS x, MAP {"{'k': n}"} AS y,
              CASE WHEN n % 5 > 0 THEN n END AS z FROM plain;
            COPY types TO '{home.File("types.snappy.parquet")}' (FORMAT parquet);
            COPY types TO '{home.File("types.gzip.parquet")}' (FORMAT parquet, COMPRESSION gzip, PARQUET_VERSION v2, ROW_GROUP_SIZE 50);
            COPY types TO '{home.File("types.zstd.parquet")}' (FORMAT parquet, COMPRESSION zstd, DICTIONARY_SIZE_LIMIT 1);
            COPY types TO '{home.File("types.plain.parquet")}' (FORMAT parquet, COMPRESSION uncompressed);
            COPY types TO '{home.File("types.brotli.parquet")}' (FORMAT parquet, COMPRESSION brotli);
            COPY types TO '{home.File("types.lz4.parquet")}' (FORMAT parquet, COMPRESSION lz4_raw);
            COPY plain TO '{home.File("types.csv")}' (HEADER);
            COPY plain TO '{home.File("types.csv.gz")}' (HEADER, COMPRESSION gzip);
            COPY plain TO '{home.File("types.csv.zst")}' (HEADER, COMPRESSION zstd);
            COPY plain TO '{home.File("types.tsv")}' (HEADER, DELIMITER '\t');
            CREATE TABLE events AS SELECT event, {"{'time': time, 'distinct_id': distinct_id, '$insert_id': 'json-' || n, 'n': n, 'part': part, 'text': text}"} AS properties FROM plain;
            COPY events TO '{home.File("types.ndjson.gz")}' (FORMAT json, COMPRESSION gzip);
            COPY events TO '{home.File("types.ndjson.zst")}' (FORMAT json, COMPRESSION zstd);
            COPY events TO '{home.File("types.json")}' (FORMAT json, ARRAY true);
            """;
        command.ExecuteNonQuery();
        home.Write("mend.csv", "event,when,who,$insert_id,a,c,n\nA,2026-09-21T12:00:00Z,u,i-1,x,y,1\nB,2026-09-22T12:00:00Z,u,i-2,x,y,2.50\n");
        home.Write("groups.ndjson", """{"$group_id":"acme","$set":{"plan":"pro"}}""" + "\n");
        home.Write("plans.csv", "plan,price\npro,10\nfree,0\n");
    }

    static async Task<string> GetAsync(HttpClient http, Uri address)
    {
        using var response = await http.GetAsync(address, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return $"{(int)response.StatusCode} {response.Content.Headers.ContentType}\n{Moment().Replace(text.Replace(address.Authority, "HOST", StringComparison.Ordinal), "…")}";
    }

    /// <summary>The parts that differ from run to run.</summary>
    [GeneratedRegex(
        """(?<="elapsed_seconds":)[\d.]+|(?<=elapsed_seconds +)[\d.]+|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?|(?<="(computed_at|session_id)":")[^"]*|(?<=127\.0\.0\.1:)\d+|(?<=/imports/)[0-9a-f]{20}""",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex Moment();

    static void AssertSame(string about, string expected, string actual)
    {
        if (string.Equals(expected, actual, StringComparison.Ordinal)) return;
        var (left, right) = (expected.Split('\n'), actual.Split('\n'));
        var at = Enumerable.Range(0, Math.Max(left.Length, right.Length)).First(line => left.ElementAtOrDefault(line) != right.ElementAtOrDefault(line));
        Assert.Fail($"{about}: line {at + 1}\nthe other: {left.ElementAtOrDefault(at)}\nthis one:  {right.ElementAtOrDefault(at)}\n\n{actual}");
    }
}

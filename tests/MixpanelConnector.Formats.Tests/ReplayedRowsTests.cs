using System.Text.Json;
using static MixpanelConnector.Formats.Tests.HandMadeAvro;

namespace MixpanelConnector.Formats.Tests;

/// <summary>
/// A replayed row is read by the rules of its file: what they rejected is rejected again, and what was mended has the type of its neighbours.
/// </summary>
public sealed class ReplayedRowsTests : IDisposable
{
    const string Names = "event,time,distinct_id,v\n";
    const string Event = """{"name":"event","type":"string"},{"name":"time","type":"long"},{"name":"distinct_id","type":"string"}""";

    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    static Dictionary<string, ImportColumnType> Typed(string column, ImportColumnType type) => new(StringComparer.Ordinal) { [column] = type };

    static Dictionary<string, string> Mapped(string field, string column) => new(StringComparer.Ordinal) { [field] = column };

    async Task<string> RejectedAsync(string csv, Func<ImportRequest, ImportRequest>? change = null)
    {
        var request = _run.RequestAll(_run.Folder.Write("in.csv", csv));
        Assert.Equal(RunOutcome.Rejected, (await _run.RunAsync(change?.Invoke(request) ?? request)).Outcome);
        return File.ReadAllText(_run.DeadLetterPath);
    }

    /// <summary>Replays dead letters as they are, which rejects them for the same reasons, then mended.</summary>
    async Task<JsonElement> MendedAsync(string letters, string bad, string good)
    {
        var stored = _run.Mixpanel.Stored.Count;
        Assert.Equal(RunOutcome.Rejected, (await _run.RunAsync(_run.RequestAll() with { Replay = _run.Folder.Write("again", letters) })).Outcome);
        Assert.Equal(letters, File.ReadAllText(_run.DeadLetterPath));
        Assert.Equal(stored, _run.Mixpanel.Stored.Count);
        Assert.Contains(bad, letters, StringComparison.Ordinal);
        var mended = _run.Folder.Write("mended", letters.Replace(bad, good, StringComparison.Ordinal));
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(_run.RequestAll() with { Replay = mended })).Outcome);
        return JsonElement.Parse(_run.Mixpanel.Stored[^1]);
    }

    [Theory]
    [InlineData(ImportColumnType.Number, "abc", "\"abc\"", "\"7\"", "7")]
    [InlineData(ImportColumnType.Number, "abc", "\"abc\"", "7", "7")]
    [InlineData(ImportColumnType.Boolean, "maybe", "\"maybe\"", "\"Yes\"", "true")]
    [InlineData(ImportColumnType.Time, "oops", "\"oops\"", "\"2026-02-03\"", "\"2026-02-03T00:00:00\"")]
    [InlineData(ImportColumnType.Json, "[1", "\"[1\"", "\"[1,2]\"", "[1,2]")]
    [InlineData(ImportColumnType.Number, "abc", "\"abc\"", "\"\"", "absent")]
    [InlineData(ImportColumnType.Number, "abc", "\"abc\"", "null", "absent")]
    public async Task A_value_of_another_type_than_was_specified(ImportColumnType type, string cell, string bad, string good, string stored)
    {
        var letters = await RejectedAsync($"{Names}e,{ImportRun.Time},u,{cell}\n", request => request with { ColumnTypes = Typed("v", type) });
        var properties = (await MendedAsync(letters, $"\"v\":{bad}", $"\"v\":{good}")).GetProperty("properties");
        Assert.Equal(stored, properties.TryGetProperty("v", out var value) ? value.GetRawText() : "absent");
    }

    [Fact]
    public async Task A_time_by_a_format_in_a_mapped_column_next_to_one_that_was_already_read()
    {
        var letters = await RejectedAsync($"event,time,distinct_id,begin,end\ne,01.02.2026,u,02.02.2026,soon\n", request => request with
        {
            TimeFormat = "%d.%m.%Y",
            ColumnTypes = new Dictionary<string, ImportColumnType>(StringComparer.Ordinal)
            {
                ["begin"] = ImportColumnType.Time,
                ["end"] = ImportColumnType.Time,
            },
            Columns = Mapped("until", "end"),
        });
        var properties = (await MendedAsync(letters, "soon", "03.02.2026")).GetProperty("properties");
        Assert.Equal(("2026-02-02T00:00:00", "2026-02-03T00:00:00"),
            (properties.GetProperty("begin").GetString(), properties.GetProperty("until").GetString()));
    }

    [Fact]
    public async Task Several_values_of_one_row_are_each_checked()
    {
        var letters = await RejectedAsync($"event,time,distinct_id,a,b\ne,{ImportRun.Time},u,x,y\n", request => request with
        {
            ColumnTypes = new Dictionary<string, ImportColumnType>(StringComparer.Ordinal) { ["a"] = ImportColumnType.Number, ["b"] = ImportColumnType.Number },
        });
        var half = _run.Folder.Write("half", letters.Replace("\"a\":\"x\"", "\"a\":\"1\"", StringComparison.Ordinal));
        Assert.Equal(RunOutcome.Rejected, (await _run.RunAsync(_run.RequestAll() with { Replay = half })).Outcome);
        var properties = (await MendedAsync(File.ReadAllText(_run.DeadLetterPath), "\"b\":\"y\"", "\"b\":\"2\"")).GetProperty("properties");
        Assert.Equal((1, 2), (properties.GetProperty("a").GetInt32(), properties.GetProperty("b").GetInt32()));
    }

    [Theory]
    [InlineData("\"{\\\"a\\\":1}\"")]
    [InlineData("{\"a\":1}")]
    public async Task Properties_that_are_none(string good)
    {
        var letters = await RejectedAsync($"event,time,distinct_id,properties\ne,{ImportRun.Time},u,nojson\n");
        var properties = (await MendedAsync(letters, "\"nojson\"", good)).GetProperty("properties");
        Assert.Equal((1, false), (properties.GetProperty("a").GetInt32(), properties.TryGetProperty("properties", out _)));
    }

    [Theory]
    [InlineData(ImportType.Profiles, null, "distinct_id")]
    [InlineData(ImportType.Groups, "company", "$group_id")]
    public async Task Rows_of_profiles_and_groups_keep_type_and_key(ImportType type, string? key, string id)
    {
        var letters =
            await RejectedAsync($"{id},v\nu,abc\n", request => request with { Type = type, GroupKey = key, ColumnTypes = Typed("v", ImportColumnType.Number) });
        var profile = await MendedAsync(letters, "\"abc\"", "\"7\"");
        Assert.Equal((7, key),
            (profile.GetProperty("$set").GetProperty("v").GetInt32(), profile.TryGetProperty("$group_key", out var named) ? named.GetString() : null));
    }

    [Theory]
    [InlineData("date", "int", "\"2026-02-03\"", "\"2026-02-03\"")]
    [InlineData("timestamp-micros", "long", "\"2026-02-03\"", "\"2026-02-03T00:00:00\"")]
    [InlineData("timestamp-micros", "long", "\"2026-02-03T04:05:06.123456789\"", "\"2026-02-03T04:05:06.123456789\"")]
    [InlineData("time-millis", "int", "\"14:13:20.5\"", "\"14:13:20.5\"")]
    public async Task A_date_or_a_time_out_of_range(string meaning, string stored, string good, string expected)
    {
        var schema = $$$"""{"type":"record","name":"Row","fields":[{{{Event}}},{"name":"v","type":{"type":"{{{stored}}}","logicalType":"{{{meaning}}}"}}]}""";
        var request = _run.RequestAll(_run.Folder.Write("in.avro",
            new HandMadeAvro(schema).Block(1,
                [.. Text("e"), .. Long(ImportRun.Time), .. Text("u"), .. Long(stored == "int" ? int.MaxValue : long.MaxValue)]).Bytes));
        Assert.Equal(RunOutcome.Rejected, (await _run.RunAsync(request)).Outcome);
        var bad = _run.DeadLetters()[0].GetProperty("raw").GetProperty("properties").GetProperty("v").GetRawText();
        Assert.Equal(expected, (await MendedAsync(File.ReadAllText(_run.DeadLetterPath), bad, good)).GetProperty("properties").GetProperty("v").GetRawText());
    }

    [Fact]
    public async Task A_date_out_of_range_in_a_list()
    {
        const string Dates = """{"name":"v","type":{"type":"array","items":{"type":"int","logicalType":"date"}}}""";
        var schema = $"{{\"type\":\"record\",\"name\":\"Row\",\"fields\":[{Event},{Dates}]}}";
        var request = _run.RequestAll(_run.Folder.Write("in.avro",
            new HandMadeAvro(schema).Block(1, [.. Text("e"), .. Long(ImportRun.Time), .. Text("u"), .. Long(2), .. Long(1), .. Long(int.MinValue), 0]).Bytes));
        Assert.Equal(RunOutcome.Rejected, (await _run.RunAsync(request)).Outcome);
        var bad = _run.DeadLetters()[0].GetProperty("raw").GetProperty("properties").GetProperty("v")[1].GetRawText();
        Assert.Equal("""["1970-01-02","2026-02-03"]""",
            (await MendedAsync(File.ReadAllText(_run.DeadLetterPath), bad, "\"2026-02-03\"")).GetProperty("properties").GetProperty("v").GetRawText());
    }

    [Fact]
    public async Task A_row_with_a_mapping_is_an_object_of_columns()
    {
        var letters = await RejectedAsync($"name,at,who,v\ne,{ImportRun.Time},u,abc\n", request => request with
        {
            ColumnTypes = Typed("v", ImportColumnType.Number),
            Mapping = ImportMapping.Parse(
                """{"name":"t","events":{"event":"name","time":"at","insert_id":{"hash":["who","at"],"counted":true},"user_id":"who","properties":{"v":"v"}}}"""),
        });
        Assert.Equal("7", (await MendedAsync(letters, "\"abc\"", "\"7\"")).GetProperty("properties").GetProperty("v").GetRawText());
    }

    [Fact]
    public async Task Damaged_fields_are_refused()
    {
        var letters = await RejectedAsync($"{Names}e,{ImportRun.Time},u,abc\n", request => request with { ColumnTypes = Typed("v", ImportColumnType.Number) });
        var damaged = _run.Folder.Write("again", letters.Replace("\"type\":\"number\"}]", "\"type\":\"nothing\"}]", StringComparison.Ordinal));
        Assert.Equal(RunOutcome.Rejected, (await _run.RunAsync(_run.RequestAll() with { Replay = damaged })).Outcome);
        Assert.Equal("not_replayable", _run.DeadLetters()[0].GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_property_that_is_dropped_is_not_checked()
    {
        var letters = await RejectedAsync($"{Names}e,{ImportRun.Time},u,abc\n", request => request with { ColumnTypes = Typed("v", ImportColumnType.Number) });
        var replay = _run.RequestAll() with { Replay = _run.Folder.Write("again", letters), Drop = ["v"] };
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(replay)).Outcome);
        Assert.False(Rows.Properties(_run.Mixpanel.Stored[^1]).TryGetProperty("v", out _));

        var direct = _run.RequestAll(_run.Folder.Write("dropped.csv", $"{Names}e,{ImportRun.Time},u2,abc\n")) with
        {
            ColumnTypes = Typed("v", ImportColumnType.Number),
            Drop = ["v"],
        };
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(direct)).Outcome);
    }

    [Fact]
    public async Task A_misfit_without_anything_to_check_is_damaged()
    {
        var letters = await RejectedAsync($"{Names}e,{ImportRun.Time},u,abc\n", request => request with { ColumnTypes = Typed("v", ImportColumnType.Number) });
        var damaged = _run.Folder.Write("again", letters.Replace(",\"type\":\"number\"}]", "}]", StringComparison.Ordinal));
        Assert.Equal(RunOutcome.Rejected, (await _run.RunAsync(_run.RequestAll() with { Replay = damaged })).Outcome);
        Assert.Equal("not_replayable", _run.DeadLetters()[0].GetProperty("code").GetString());
    }
}

using System.Text.Json.Nodes;
using MixpanelConnector.Tool.Surfaces.Mcp;
using MixpanelConnector.Tool.Tests.Http;

namespace MixpanelConnector.Tool.Tests.Mcp;

/// <summary>
/// Version 2025-03-26 of the protocol requires that servers take batches; the one before does not mention them, and the next removed them. See
/// https://modelcontextprotocol.io/specification/2025-03-26/basic.
/// </summary>
public sealed class BatchTests
{
    const string Ping = """{"jsonrpc":"2.0","id":ID,"method":"ping"}""";

    static string Initialize(string version) =>
        """{"jsonrpc":"2.0","id":"first","method":"initialize","params":{"protocolVersion":"VERSION","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}""".Replace(
            "VERSION", version, StringComparison.Ordinal);

    static string Pings(int count) => $"[{string.Join(',', Enumerable.Range(1, count).Select(id => Ping.Replace("ID", $"{id}", StringComparison.Ordinal)))}]";

    /// <summary>Batches with their answers: the id of each and the code of its error, 0 for a result. A single answer is one to the batch as a whole.</summary>
    public static TheoryData<string, string[]> Batches => new()
    {
        { Pings(1), ["1 0"] },
        { $" \t{Pings(3)} ", ["1 0", "2 0", "3 0"] },
        { Pings(MessageCheck.MostInBatch), [.. Enumerable.Range(1, MessageCheck.MostInBatch).Select(id => $"{id} 0")] },
        { """[{"jsonrpc":"2.0","id":1,"method":"tools/list"},{"jsonrpc":"2.0","method":"notifications/initialized"},{"jsonrpc":"2.0","id":"b","method":"none"},{"jsonrpc":"2.0","id":3,"method":"prompts/list"}]""",
            ["1 0", "b -32601", "3 0"] },
        { """[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"none"}},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"find_actions","arguments":{"query":"annotations"}}}]""",
            ["1 -32602", "2 0"] },
        { """[1,null,{},[],[{"jsonrpc":"2.0","id":9,"method":"ping"}],{"jsonrpc":"2.0","id":1,"method":"ping"}]""",
            ["null -32600", "null -32600", "null -32600", "null -32600", "null -32600", "1 0"] },
        { """[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":"1","method":"ping"}]""",
            ["1 0", "1 -32600", "1 0"] },
        { """[{"jsonrpc":"2.0","id":1,"method":"pi\ud83dng"},{"jsonrpc":"2.0","id":2,"id":3,"method":"ping"}]""", ["1 -32600", "2 -32600"] },
        { $"[{Initialize("2025-03-26")},{Ping.Replace("ID", "1", StringComparison.Ordinal)}]", ["first -32600", "1 0"] },
        { """[{"jsonrpc":"2.0","method":"notifications/initialized"},{"jsonrpc":"2.0","id":5,"result":{}},{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}]""",
            [] },
    };

    /// <summary>Batches that are refused as a whole, with the code.</summary>
    public static TheoryData<string, int, string> Refused => new()
    {
        { "[]", MessageCheck.InvalidRequest, "no messages" },
        { Pings(MessageCheck.MostInBatch + 1), MessageCheck.InvalidRequest, "more than 50 messages" },
        { "[{", MessageCheck.ParseError, "not valid JSON" },
        { Pings(1) + "x", MessageCheck.ParseError, "not valid JSON" },
    };

    [Theory, MemberData(nameof(Batches))]
    public async Task The_messages_of_a_batch_are_answered_together(string batch, string[] answers)
    {
        var (local, status, remote) = await AnswersAsync("2025-03-26", batch, header: null);
        Assert.Equal((answers.Length == 0 ? 0 : 1, answers.Length == 0 ? 202 : 200), (local.Count, status));
        if (answers.Length == 0)
        {
            Assert.Equal("", remote);
            return;
        }

        Assert.Equal(string.Join(", ", answers.Order(StringComparer.Ordinal)), string.Join(", ", Told(local[0]).Order(StringComparer.Ordinal))); // in any order
        Assert.Equal(string.Join(", ", answers), string.Join(", ", Told(JsonNode.Parse(remote)!)));
        Assert.True(JsonNode.DeepEquals(Sorted(local[0]), Sorted(JsonNode.Parse(remote)!)));
    }

    [Theory, MemberData(nameof(Refused))]
    public async Task A_batch_that_is_none_is_refused_as_a_whole(string batch, int code, string says)
    {
        var (local, status, remote) = await AnswersAsync("2025-03-26", batch, header: null);
        Assert.Equal((1, 400), (local.Count, status));
        Assert.True(JsonNode.DeepEquals(local[0], JsonNode.Parse(remote)));
        Assert.Equal(code, (int?)local[0]["error"]!["code"]);
        Assert.Contains(says, (string?)local[0]["error"]!["message"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2025-03-26", null, true)]
    [InlineData("2025-03-26", "2025-03-26", true)]
    [InlineData("2024-11-05", "2024-11-05", false)]
    [InlineData("2025-06-18", "2025-06-18", false)]
    [InlineData("2025-11-25", "2025-11-25", false)]
    public async Task Only_one_version_has_batches(string version, string? header, bool has)
    {
        var (local, status, remote) = await AnswersAsync(version, Pings(2), header);
        Assert.Equal((1, has ? 200 : 400), (local.Count, status));
        Assert.All([local[0], JsonNode.Parse(remote)!], answer => Assert.Equal(has, answer is JsonArray));
        if (!has) Assert.Contains("no batches", (string?)local[0]["error"]!["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_batch_is_refused_like_any_other_message_if_the_client_does_not_accept_the_answer()
    {
        await using var served = await Served.StartAsync();
        var response = await served.PostAsync("/mcp", Pings(2), ("Accept", "text/plain"));
        Assert.Equal((406, "application/json"), ((int)response.StatusCode, response.Content.Headers.ContentType!.MediaType));
        Assert.NotNull(JsonNode.Parse(await response.TextAsync())!["error"]);
    }

    /// <summary>The answers of the program on its standard output, and over HTTP.</summary>
    static async Task<(List<JsonNode> Local, int Status, string Remote)> AnswersAsync(string version, string batch, string? header)
    {
        await using var served = await Served.StartAsync();
        using var tool = Tool.At(served.Mixpanel);
        tool.Input = $"{Initialize(version)}\n{batch}\n";
        var run = await tool.RunAsync("mcp");
        var response = await served.PostAsync("/mcp", batch,
            header is null
                ? [("Accept", "application/json, text/event-stream")]
                : [("Accept", "application/json, text/event-stream"), ("MCP-Protocol-Version", header)]);
        Assert.Equal((0, ""), (run.Exit, run.Err));
        Assert.Empty(served.Mixpanel.Requests);
        return ([.. run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!)
            .Where(answer => answer is JsonArray || answer["id"]?.ToString() != "first")],
            (int)response.StatusCode, await response.TextAsync());
    }

    static IEnumerable<string> Told(JsonNode batch) =>
        batch.AsArray().Select(answer => $"{answer!["id"]?.ToString() ?? "null"} {(int?)answer["error"]?["code"] ?? 0}");

    static JsonArray Sorted(JsonNode batch) =>
        [
            .. batch.AsArray()
                .Select(answer => answer!.DeepClone())
                .OrderBy(answer => answer["id"]?.ToJsonString(), StringComparer.Ordinal)
                .ThenBy(answer => answer.ToJsonString(), StringComparer.Ordinal),
        ];
}

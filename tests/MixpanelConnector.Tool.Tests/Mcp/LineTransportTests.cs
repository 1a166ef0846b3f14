using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Mcp;

namespace MixpanelConnector.Tool.Tests.Mcp;

/// <summary>The protocol on standard input and output.</summary>
public sealed class LineTransportTests
{
    const string Initialize = """{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}""";

    [Fact]
    public async Task What_was_asked_before_the_input_ended_is_answered()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""["A"]"""));
        using var tool = Tool.At(server);
        tool.Input = string.Join('\n',
            [Initialize, .. Enumerable.Range(1, 8)
                .Select(id => Call(id, "get_event_names")), """{"jsonrpc":"2.0","id":"last","method":"tools/list"}"""]); // without a line end
        var run = await tool.RunAsync("mcp");

        Assert.Equal((0, ""), (run.Exit, run.Err));
        Assert.Equal("0 1 2 3 4 5 6 7 8 last", string.Join(' ', Ids(run.Out).Order(StringComparer.Ordinal)));
        Assert.Equal(8, server.Requests.Count);
    }

    [Fact]
    public async Task A_call_that_was_cancelled_does_not_hold_up_the_end()
    {
        using var never = new ManualResetEventSlim();
        await using var server = await RecordingServer.StartAsync(_ =>
        {
            never.Wait(TimeSpan.FromHours(1), TestContext.Current.CancellationToken);
            return Answer.Json("[]");
        });
        using var tool = Tool.At(server);
        tool.Input =
            string.Join('\n', Initialize, Call(1, "get_event_names"), """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""", "");
        var run = await tool.RunAsync("mcp");
        never.Set();
        Assert.Equal((0, "0"), (run.Exit, Assert.Single(Ids(run.Out))));
    }

    [Theory]
    [InlineData("\"id\":7,", "7")]
    [InlineData("\"id\":\"seven\",", "seven")]
    [InlineData("", null)]
    public async Task A_line_that_is_too_long_is_answered_with_an_error_and_the_next_is_read(string id, string? answered)
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);
        tool.Input = $"{Initialize}\n{{\"jsonrpc\":\"2.0\",{id}\"method\":\"tools/list\",\"params\":{{\"cursor\":\"{new string('x', LineTransport.LongestLine)}\"}}}}\n{Call(9, "none")}\n";
        var run = await tool.RunAsync("mcp");

        var lines = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToList();
        var refused = Assert.Single(lines, line => (int?)line["error"]?["code"] == -32600);
        Assert.Equal(answered, refused["id"]?.ToString());
        Assert.Contains("4194304 bytes", (string?)refused["error"]!["message"], StringComparison.Ordinal);
        Assert.Contains(lines, line => line["id"]?.ToString() == "9");
        Assert.Equal(0, run.Exit);
    }

    [Theory]
    [InlineData("this is not JSON", null, -32700)]
    [InlineData("[]", null, -32600)]
    [InlineData("""[{"jsonrpc":"2.0","id":3,"method":"tools/list"}]""", null, -32600)]
    [InlineData("{}", null, -32600)]
    [InlineData("null", null, -32600)]
    [InlineData("\"text\"", null, -32600)]
    [InlineData("""{"jsonrpc":"1.0","id":3,"method":"tools/list"}""", "3", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":{},"method":"tools/list"}""", null, -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":3,"method":""", "3", -32700)]
    public async Task A_line_that_is_no_message_is_answered_with_an_error(string line, string? id, int code)
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);
        tool.Input = $"{Initialize}\n{line}\n\n{Call(9, "none")}\n";
        var run = await tool.RunAsync("mcp");

        var refused = Assert.Single(run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(text => JsonNode.Parse(text)!),
            answer => (int?)answer["error"]?["code"] == code);
        Assert.Equal(id, refused["id"]?.ToString());
        Assert.Contains("9", Ids(run.Out), StringComparer.Ordinal);
        Assert.Equal(0, run.Exit);
    }

    [Theory]
    [InlineData("""{"name":"query_user_profiles","arguments":{"where":"true","where":"false"}}""", "params.arguments.where is given twice")]
    [InlineData("""{"name":"query_user_profiles","arguments":{"where":"true","wh\u0065re":"false"}}""", "params.arguments.where is given twice")]
    [InlineData("""{"name":"query_user_profiles","name":"run_action","arguments":{}}""", "params.name is given twice")]
    [InlineData("""{"name":"run_action","arguments":{"action":"create_annotation","input":{"tags":[1,{"a":"\ud83d"}]}}}""",
        "params.arguments.input.tags[1].a is not valid Unicode")]
    [InlineData("""{"name":"query_user_profiles","arguments":{"output_properties":["a","\udc00"]}}""",
        "params.arguments.output_properties[1] is not valid Unicode")]
    [InlineData("""{"name":"query_user_profiles","arguments":{"filter_by_cohort":{"\ud83d":1}}}""",
        "params.arguments.filter_by_cohort has a name that is not valid Unicode")]
    public async Task A_name_given_twice_and_half_a_character_are_told_with_their_place_and_nothing_is_sent(string parameters, string told)
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);
        tool.Input = $"{Initialize}\n{{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{parameters}}}\n{Call(9, "none")}\n";
        var run = await tool.RunAsync("mcp");

        var refused = Assert.Single(run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(text => JsonNode.Parse(text)!),
            answer => (int?)answer["error"]?["code"] == -32600);
        Assert.Equal("3", refused["id"]?.ToString());
        Assert.StartsWith(told, (string?)refused["error"]!["message"], StringComparison.Ordinal);
        Assert.Contains("9", Ids(run.Out), StringComparer.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Theory, MemberData(nameof(McpTests.Malformed), MemberType = typeof(McpTests))]
    public async Task Parameters_that_the_protocol_cannot_read_are_a_problem_of_the_caller(string method, string parameters)
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);
        tool.Input = $"{(method == "initialize" ? "" : Initialize)}\n{{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"{method}\",\"params\":{parameters}}}\n";
        var run = await tool.RunAsync("mcp");

        var answer = Assert.Single(run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(text => JsonNode.Parse(text)!),
            answer => answer["id"]?.ToString() == "7");
        Assert.Equal(-32602, (int?)answer["error"]?["code"]);
        Assert.Equal(0, run.Exit);
    }

    [Theory]
    [InlineData("notifications/initialized", "[]")]
    [InlineData("notifications/cancelled", "5")]
    [InlineData("notifications/progress", """{"progressToken":{}}""")]
    public async Task A_notification_gets_no_answer_even_if_it_is_malformed(string method, string parameters)
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);
        tool.Input = $"{Initialize}\n{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{parameters}}}\n{Call(9, "none")}\n";
        var run = await tool.RunAsync("mcp");

        Assert.Equal("0 9", string.Join(' ', Ids(run.Out).Order(StringComparer.Ordinal)));
        Assert.Equal(0, run.Exit);
    }

    [Fact]
    public async Task Nothing_more_is_read_while_much_waits_for_answers()
    {
        var input = new Pipe(new PipeOptions(pauseWriterThreshold: 64 << 10, resumeWriterThreshold: 32 << 10));
        using var output = new MemoryStream();
        await using var transport = new LineTransport(input.Reader.AsStream(), output, TimeProvider.System);
        var line =
            Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{{\"cursor\":\"{new string('x', 3 << 20)}\"}}}}\n");
        var writing = Task.Run(async () =>
        {
            for (var n = 0; n < 10; n++)
                await input.Writer.WriteAsync(
                    Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(line).Replace("\"id\":1", $"\"id\":{n}", StringComparison.Ordinal)),
                    TestContext.Current.CancellationToken);
            await input.Writer.CompleteAsync();
        }, TestContext.Current.CancellationToken);

        for (var n = 0; n < 10; n++)
        {
            var asked =
                Assert.IsType<ModelContextProtocol.Protocol.JsonRpcRequest>(await transport.MessageReader.ReadAsync(TestContext.Current.CancellationToken));
            if (n == 2)
            {
                // The queue holds fewer than three of them: the fourth is not read before one is answered.
                Assert.False(transport.MessageReader.TryRead(out _));
                Assert.False(writing.IsCompleted);
                for (var answered = 0; answered < 2; answered++) await AnswerAsync(new(answered));
            }

            if (n >= 2) await AnswerAsync(asked.Id);
        }

        await writing;
        Assert.False(await transport.MessageReader.WaitToReadAsync(TestContext.Current.CancellationToken));

        Task AnswerAsync(ModelContextProtocol.Protocol.RequestId id) =>
            transport.SendMessageAsync(new ModelContextProtocol.Protocol.JsonRpcResponse { Id = id, Result = new JsonObject() },
                TestContext.Current.CancellationToken);
    }

    /// <summary>As when standard output is closed, its disk is full, its reader is gone, or the program is stopped while nobody reads.</summary>
    public static TheoryData<Exception> Failures =>
        [new IOException("Standard output is closed."), new ReaderIsGoneException(), new OperationCanceledException()];

    [Theory, MemberData(nameof(Failures))]
    public async Task An_answer_that_cannot_be_written_ends_the_session_and_is_told(Exception failure)
    {
        await using var transport =
            new LineTransport(new MemoryStream(Encoding.UTF8.GetBytes($"{Call(1, "none")}\n")), new FailingOutput(failure), TimeProvider.System);
        var asked = Assert.IsType<ModelContextProtocol.Protocol.JsonRpcRequest>(await transport.MessageReader.ReadAsync(TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync(failure.GetType(),
            () => transport.SendMessageAsync(new ModelContextProtocol.Protocol.JsonRpcResponse { Id = asked.Id, Result = new JsonObject() },
                TestContext.Current.CancellationToken));

        Assert.False(await transport.MessageReader.WaitToReadAsync(TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync(failure.GetType(), () => transport.EndAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_stop_with_a_request_that_was_not_answered_is_no_success()
    {
        await using var transport = new LineTransport(new MemoryStream(Encoding.UTF8.GetBytes($"{Call(1, "none")}\n")), Stream.Null, TimeProvider.System);
        await transport.MessageReader.ReadAsync(TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<OperationCanceledException>(() => transport.EndAsync(new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task A_stop_with_all_answered_is_one()
    {
        await using var transport = new LineTransport(new MemoryStream(), Stream.Null, TimeProvider.System);
        await transport.EndAsync(new CancellationToken(canceled: true));
    }

    sealed class FailingOutput(Exception failure) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromException(failure);
    }

    static string Call(int id, string tool) =>
        $"{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\"params\":{{\"name\":\"{tool}\",\"arguments\":{{}}}}}}";

    static IEnumerable<string> Ids(string output) =>
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonElement.Parse(line))
            .Where(line => line.TryGetProperty("id", out var id) && id.ValueKind is not JsonValueKind.Null)
            .Select(line => line.GetProperty("id").ToString());
}

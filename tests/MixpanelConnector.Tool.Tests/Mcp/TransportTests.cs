using System.Text;
using System.Text.Json.Nodes;
using MixpanelConnector.Tool.Tests.Http;

namespace MixpanelConnector.Tool.Tests.Mcp;

/// <summary>The same message has the same answer on standard input and output as over HTTP.</summary>
public sealed class TransportTests
{
    const string Initialize = """{"jsonrpc":"2.0","id":"first","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}""";

    const int Parsed = -32700, Request = -32600, Method = -32601, Params = -32602;

    /// <summary>Messages with the code of the error that answers them: 0 for a result, null for no answer; and a part of the error's message.</summary>
    public static TheoryData<string, int?, string?> Messages => new()
    {
        { "{", Parsed, "not valid JSON" },
        { "{]", Parsed, "not valid JSON" },
        { "this is not JSON", Parsed, "not valid JSON" },
        { """{"jsonrpc":"2.0","id":3,"method":""", Parsed, "not valid JSON" },
        { """{"jsonrpc":"2.0","id":3,"method":"ping"}}""", Parsed, "not valid JSON" },
        { """{"jsonrpc":"2.0","id":3,"method":"ping"} {}""", Parsed, "not valid JSON" },
        { """{"jsonrpc":"2.0","id":NaN,"method":"ping"}""", Parsed, "not valid JSON" },
        { new string('[', 5000), Parsed, "not valid JSON" },
        { new string('[', 5000) + new string(']', 5000), Request, "deeper than 35" },
        { Nested(100), Request, "deeper than 35" },
        { Nested(36), Request, "deeper than 35" },
        { "[]", Request, "no batches" },
        { """[{"jsonrpc":"2.0","id":3,"method":"ping"}]""", Request, "no batches" },
        { "{}", Request, "not a request" },
        { "null", Request, "not a request" },
        { "true", Request, "not a request" },
        { "5", Request, "not a request" },
        { "\"text\"", Request, "not a request" },
        { """{"id":3,"method":"ping"}""", Request, "not a request" },
        { """{"jsonrpc":"1.0","id":3,"method":"ping"}""", Request, "not a request" },
        { """{"jsonrpc":2.0,"id":3,"method":"ping"}""", Request, "not a request" },
        { """{"jsonrpc":null,"id":3,"method":"ping"}""", Request, "not a request" },
        { """{"jsonrpc":"2.0","id":3}""", Request, "not a request" },
        { """{"jsonrpc":"2.0"}""", Request, "not a request" },
        { """{"jsonrpc":"2.0","params":{}}""", Request, "not a request" },
        { """{"jsonrpc":"2.0","id":3,"error":null}""", Request, "not a request" },
        { """{"jsonrpc":"2.0","result":{}}""", Request, "not a request" },
        { """{"jsonrpc":"2.0","id":3,"method":5}""", Request, "method must be a text" },
        { """{"jsonrpc":"2.0","id":3,"method":null}""", Request, "method must be a text" },
        { """{"jsonrpc":"2.0","method":{}}""", Request, "method must be a text" },
        { """{"jsonrpc":"2.0","id":null,"method":"ping"}""", Request, "id must be" },
        { """{"jsonrpc":"2.0","id":{},"method":"ping"}""", Request, "id must be" },
        { """{"jsonrpc":"2.0","id":[3],"method":"ping"}""", Request, "id must be" },
        { """{"jsonrpc":"2.0","id":true,"method":"ping"}""", Request, "id must be" },
        { """{"jsonrpc":"2.0","id":1.5,"method":"ping"}""", Request, "id must be" },
        { """{"jsonrpc":"2.0","id":1e400,"method":"ping"}""", Request, "id must be" },
        { """{"jsonrpc":"2.0","id":99999999999999999999,"method":"ping"}""", Request, "id must be" },
        { """{"jsonrpc":"2.0","id":3,"id":4,"method":"ping"}""", Request, "id is given twice" },
        { """{"jsonrpc":"2.0","id":3,"method":"pi\ud83dng"}""", Request, "method is not valid Unicode" },
        { """{"jsonrpc":"2.0","id":3,"method":"nothing/known"}""", Method, "nothing/known" },
        { """{"jsonrpc":"2.0","id":3,"method":""}""", Method, "Method \"\" is not available." },
        { """{"jsonrpc":"2.0","id":3,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"x"},"argument":{"name":"a","value":"b"}}}""",
            Method, "completion/complete" },
        { """{"jsonrpc":"2.0","id":3,"method":"resources/subscribe","params":{"uri":"mixpanel://project/events"}}""", Method, "resources/subscribe" },
        { """{"jsonrpc":"2.0","id":3,"method":"resources/unsubscribe","params":{"uri":"mixpanel://project/events"}}""", Method, "resources/unsubscribe" },
        { """{"jsonrpc":"2.0","id":3,"method":"resources/subscribe","params":{}}""", Params, "params.uri must be a text" },
        { """{"jsonrpc":"2.0","id":3,"method":"resources/subscribe"}""", Params, "an object with a text uri" },
        { """{"jsonrpc":"2.0","id":3,"method":"logging/setLevel"}""", Params, "an object with a text level" },
        { """{"jsonrpc":"2.0","id":3,"method":"logging/setLevel","params":null}""", Params, "an object with a text level" },
        { """{"jsonrpc":"2.0","id":3,"method":"logging/setLevel","params":{}}""", Params, "params.level must be a text" },
        { """{"jsonrpc":"2.0","id":3,"method":"logging/setLevel","params":{"level":5}}""", Params, "params.level must be a text" },
        { """{"jsonrpc":"2.0","id":3,"method":"logging/setLevel","params":{"level":"loud"}}""", Params, null },
        { """{"jsonrpc":"2.0","id":3,"method":"logging/setLevel","params":{"level":"info"}}""", 0, null },
        { """{"jsonrpc":"2.0","id":3,"method":"initialize"}""", Params, "an object with a text protocolVersion" },
        { """{"jsonrpc":"2.0","id":3,"method":"initialize","params":null}""", Params, "an object with a text protocolVersion" },
        { """{"jsonrpc":"2.0","id":3,"method":"initialize","params":{"protocolVersion":null}}""", Params, "params.protocolVersion must be a text" },
        { """{"jsonrpc":"2.0","id":3,"params":{"protocolVersion":"2025-06-18"},"method":"initialize"}""", Params, null },
        { """{"jsonrpc":"2.0","id":3,"method":"tools/list","params":{"cursor":"x"}}""", Params, "params.cursor is unknown" },
        { """{"jsonrpc":"2.0","id":3,"method":"tools/list","params":{"cursor":""}}""", 0, null },
        { """{"jsonrpc":"2.0","id":3,"method":"ping","\ud800":1}""", Request, "The message has a name that is not valid Unicode" },
        { """{"jsonrpc":"2.0","id":3,"method":"tools/list","params":{"\ud83dabc":1}}""", Request, "params has a name that is not valid Unicode" },
        { """{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}""", null, null },
        { """{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"}}""", null, null },
        { """{"jsonrpc":"2.0","id":3,"method":"resources/list","params":{"cursor":"x"}}""", Params, "params.cursor is unknown" },
        { """{"jsonrpc":"2.0","id":3,"method":"resources/templates/list","params":{"cursor":"x"}}""", Params, "params.cursor is unknown" },
        { """{"jsonrpc":"2.0","id":3,"method":"prompts/list","params":{"cursor":"x"}}""", Params, "params.cursor is unknown" },
        { """{"jsonrpc":"2.0","id":3,"method":"prompts/list","params":{"cursor":null}}""", 0, null },
        { """{"jsonrpc":"2.0","id":3,"method":"prompts/list","params":null}""", 0, null },
        { """{"jsonrpc":"2.0","id":3,"method":"prompts/list"}""", 0, null },
        { """{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"trak_event"}}""", Params, "There is no tool trak_event here." },
        { """{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"get_event_nmes"}}""", Params, "Did you mean get_event_names?" },
        { """{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":""}}""", Params, "There is no tool \"\" here." },
        { """{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"  "}}""", Params, "There is no tool \"  \" here." },
        { """{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"a\u0007\u202eb\n"}}""", Params,
            "There is no tool \"a\\u0007\\u202eb\\u000a\" here." },
        { """{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"LONG"}}""".Replace("LONG", new string('x', 5000), StringComparison.Ordinal),
            Params, $"There is no tool \"{new string('x', 64)}…\" here." },
        { """{"jsonrpc":"2.0","id":3,"method":"a\u0007\u202eb"}""", Method, "Method \"a\\u0007\\u202eb\" is not available." },
        { $$"""{"jsonrpc":"2.0","id":3,"method":"{{new string('x', 5000)}}"}""", Method, $"Method \"{new string('x', 64)}…\" is not available." },
        { """{"jsonrpc":"2.0","id":3,"method":"ping","params":{"":1,"":2}}""", Request, "params.\"\" is given twice" },
        { """{"jsonrpc":"2.0","id":3,"method":"ping","":1,"":2}""", Request, "\"\" is given twice" },
        { """{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"run_action","arguments":{"action":""}}}""", 0, null },
        { """{"jsonrpc":"2.0","id":3,"method":"prompts/get","params":{"name":"none"}}""", Params, "no such prompt" },
        { """{"jsonrpc":"2.0","id":3,"method":"resources/read","params":{"uri":"none"}}""", Params, "no such resource" },
        { """{"jsonrpc":"2.0","id":"text","method":"ping"}""", 0, null },
        { """{"jsonrpc":"2.0","id":9223372036854775807,"method":"ping","unknown":[1]}""", 0, null },
        { """{"jsonrpc":"2.0","method":"notifications/initialized"}""", null, null },
        { """{"jsonrpc":"2.0","method":"notifications/unknown","params":{}}""", null, null },
        { """{"jsonrpc":"2.0","id":3,"result":{}}""", null, null },
        { """{"jsonrpc":"2.0","id":3,"error":{"code":1,"message":"no"}}""", null, null },
    };

    [Theory, MemberData(nameof(Messages))]
    public async Task A_message_has_the_same_answer_on_each_transport(string message, int? code, string? says)
    {
        await using var served = await Served.StartAsync();
        using var tool = Tool.At(served.Mixpanel);
        tool.Input = $"{Initialize}\n{message}\n";

        var run = await tool.RunAsync("mcp");
        var response = await served.PostAsync("/mcp", message, ("Accept", "application/json, text/event-stream"), ("MCP-Protocol-Version", "2025-06-18"));

        Assert.Equal((0, ""), (run.Exit, run.Err));
        var lines = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => (string?)JsonNode.Parse(line)!["id"]?.ToString() != "first").ToList();
        var text = await response.TextAsync();
        var data = text.Split('\n').FirstOrDefault(line => line.StartsWith("data: ", StringComparison.Ordinal))?["data: ".Length..] ?? text;
        if (code is null)
        {
            Assert.Equal((0, 202, ""), (lines.Count, (int)response.StatusCode, text));
            return;
        }

        var (local, remote) = (JsonNode.Parse(Assert.Single(lines))!, JsonNode.Parse(data)!);
        Assert.True(JsonNode.DeepEquals(local, remote), $"{local.ToJsonString()}\n{remote.ToJsonString()}");
        Assert.Equal(code, (int?)local["error"]?["code"] ?? 0);
        if (says is not null) Assert.Contains(says, (string?)local["error"]!["message"], StringComparison.Ordinal);
        Assert.DoesNotContain("System.", data, StringComparison.Ordinal);
        Assert.Equal(code is Parsed or Request ? 400 : 200, (int)response.StatusCode);
        Assert.Empty(served.Mixpanel.Requests);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    public async Task An_empty_body_is_no_JSON(string body)
    {
        await using var served = await Served.StartAsync();
        var response = await served.PostAsync("/mcp", body, ("Accept", "application/json, text/event-stream"));
        var answer = await response.JsonAsync();

        Assert.Equal((400, "application/json"), ((int)response.StatusCode, response.Content.Headers.ContentType!.MediaType));
        Assert.Equal(Parsed, answer.GetProperty("error").GetProperty("code").GetInt32());
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":3,"method":?"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":3,"method":"pi?ng"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"track_event","arguments":{"a?":"?"}}}""")]
    [InlineData("""?{"jsonrpc":"2.0","id":3,"method":"ping"}""")]
    public async Task Bytes_that_are_not_UTF_8_are_no_JSON(string text)
    {
        await using var served = await Served.StartAsync();
        using var tool = Tool.At(served.Mixpanel);
        byte[] message = [.. Encoding.UTF8.GetBytes(text).Select(each => each == '?' ? (byte)0xff : each)];
        tool.InputBytes = [.. Encoding.UTF8.GetBytes(Initialize), (byte)'\n', .. message, (byte)'\n'];

        var run = await tool.RunAsync("mcp");
        var response = await served.SendAsync(HttpMethod.Post, "/mcp", message, ("Accept", "application/json, text/event-stream"));

        var local = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).Single(line => line["error"] is not null);
        Assert.Equal((400, local.ToJsonString()), ((int)response.StatusCode, JsonNode.Parse(await response.TextAsync())!.ToJsonString()));
        Assert.Equal((Parsed, "The message is not valid UTF-8."), ((int)local["error"]!["code"]!, (string)local["error"]!["message"]!));
    }

    /// <summary>A request nested to a depth.</summary>
    static string Nested(int depth) =>
        $$"""{"jsonrpc":"2.0","id":3,"method":"ping","params":{{new StringBuilder().Insert(0, "{\"a\":", depth - 2)}}{}{{new string('}', depth - 2)}}}""";
}

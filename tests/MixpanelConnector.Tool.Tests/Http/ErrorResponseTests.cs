using System.Text.Json;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary>Every response that is an error is a problem object; at /mcp it may also be an error of JSON-RPC.</summary>
public sealed class ErrorResponseTests
{
    const string Mcp = "/mcp";

    static readonly string[] Methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    static IEnumerable<(string Method, string Path)> Endpoints =>
        Routes.All().Select(route => (route.Method, route.Pattern.Replace("{id}", "none", StringComparison.Ordinal))).Append(("POST", Mcp)).Distinct();

    [Fact]
    public async Task A_method_that_is_not_served_has_a_problem()
    {
        await using var served = await Served.StartAsync();
        foreach (var path in Endpoints.Select(endpoint => endpoint.Path).Distinct(StringComparer.Ordinal))
            foreach (var method in Methods.Where(method => !Endpoints.Contains((method, path))))
                await EnsureProblemAsync(await served.SendAsync(new HttpMethod(method), path, (string?)null),
                    path.StartsWith("/v1/imports/", StringComparison.Ordinal) ? null : 405, $"{method} {path}"); // "inspect" may be an id
    }

    [Fact]
    public async Task A_content_type_that_is_not_served_has_a_problem()
    {
        await using var served = await Served.StartAsync();
        foreach (var (method, path) in Endpoints.Where(endpoint => endpoint.Method == "POST"))
            foreach (var type in (string[])
            [
                "text/plain",
                "application/x-www-form-urlencoded",
                "application/xml",
                "no type",
                "application/json; charset=utf-16",
            ])
                await EnsureProblemAsync(
                    await served.SendAsync(new HttpMethod(method), path, "{}", ("Content-Type", type), ("Accept", "application/json, text/event-stream")), null,
                    $"{path} {type}");
    }

    [Fact]
    public async Task A_body_that_is_no_JSON_has_a_problem()
    {
        await using var served = await Served.StartAsync();
        foreach (var (method, path) in Endpoints.Where(endpoint =>
            endpoint.Method == "POST" && !endpoint.Path.StartsWith("/v1/imports", StringComparison.Ordinal)))
            await EnsureProblemAsync(await served.SendAsync(new HttpMethod(method), path, "{", ("Accept", "application/json, text/event-stream")), 400, path);
    }

    [Theory]
    [InlineData("POST", Mcp, "{}", "Content-Type", "text/plain", 415)]
    [InlineData("POST", Mcp, "{}", "Content-Type", "", 415)]
    [InlineData("POST", Mcp, "{}", "Content-Encoding", "gzip", 415)]
    [InlineData("POST", Mcp, """{"jsonrpc":"2.0","id":1,"method":"ping"}""", "Accept", "text/plain", 406)]
    [InlineData("POST", "/v1/actions/none", "{}", "Accept", "*/*", 404)]
    [InlineData("GET", "/none", null, "Accept", "*/*", 404)]
    [InlineData("GET", "/", null, "Host", "elsewhere.example", 421)]
    [InlineData("GET", "/v1/actions", null, "Origin", "https://elsewhere.example", 403)]
    [InlineData("POST", "/v1/actions/get_event_names", "{}", "Content-Encoding", "br", 415)]
    [InlineData("POST", "/v1/imports", "{}", "Content-Encoding", "br", 415)]
    public async Task Other_errors_have_a_problem(string method, string path, string? body, string header, string value, int status)
    {
        await using var served = await Served.StartAsync();
        await EnsureProblemAsync(await served.SendAsync(new HttpMethod(method), path, body, (header, value)), status, path);
    }

    [Fact]
    public async Task A_body_that_is_too_large_has_a_problem()
    {
        await using var served = await Served.StartAsync();
        foreach (var path in (string[])[Mcp, "/v1/actions/get_event_names"])
            await EnsureProblemAsync(await served.SendAsync(HttpMethod.Post, path, new byte[10_000_001], ("Accept", "application/json, text/event-stream")),
                413, path);
    }

    [Fact]
    public async Task A_missing_key_has_a_problem()
    {
        using var folder = new TemporaryFolder();
        await using var served = await Served.StartAsync(options => options with { Keys = Served.KeysIn(folder, out _, out _) });
        foreach (var (method, path) in Endpoints.Append(("GET", "/none")).Append(("PUT", Mcp)))
        {
            var response = await served.SendAsync(new HttpMethod(method), path, method == "GET" ? null : "{}");
            if ((int)response.StatusCode >= 400) await EnsureProblemAsync(response, 401, path);
        }
    }

    static async Task EnsureProblemAsync(HttpResponseMessage response, int? status, string what)
    {
        var text = await response.TextAsync();
        var code = (int)response.StatusCode;
        Assert.True(status is null ? code is >= 400 and < 500 : code == status, $"{what}: {code} {text}");
        Assert.True(text.Length > 0 && response.Content.Headers.ContentType is not null, $"{what}: {code} has no body");
        var json = JsonElement.Parse(text);
        if (response.Content.Headers.ContentType!.MediaType == "application/json")
        {
            Assert.EndsWith(Mcp, response.RequestMessage!.RequestUri!.AbsolutePath, StringComparison.Ordinal);
            Assert.NotEmpty(json.GetProperty("error").GetProperty("message").GetString()!);
            return;
        }

        Assert.Equal(("application/problem+json", code), (response.Content.Headers.ContentType.MediaType, json.GetProperty("status").GetInt32()));
        Assert.All((string[])["type", "title", "detail", "kind"], name => Assert.NotEmpty(json.GetProperty(name).GetString()!));
    }
}

using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>A separate embedded Mixpanel for one test, at noon of a fixed day, and a plain HTTP client for it.</summary>
sealed class LocalMixpanel : IAsyncDisposable
{
    public static readonly DateTimeOffset Noon = new(2026, 9, 1, 12, 0, 0, TimeSpan.Zero);

    LocalMixpanel(EmulatedMixpanel server, FakeTimeProvider clock)
    {
        Server = server;
        Clock = clock;
        Http = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = System.Net.DecompressionMethods.None })
        {
            Timeout = Hang.Limit,
            BaseAddress = server.Address,
        };
    }

    public EmulatedMixpanel Server { get; }

    public FakeTimeProvider Clock { get; }

    public HttpClient Http { get; }

    public long Now => Clock.GetUtcNow().ToUnixTimeSeconds();

    public static async Task<LocalMixpanel> StartAsync(Func<EmulatorOptions, EmulatorOptions>? configure = null)
    {
        var clock = new FakeTimeProvider(Noon);
        var options = new EmulatorOptions { TimeProvider = clock };
        return new LocalMixpanel(await EmulatedMixpanel.StartAsync(configure?.Invoke(options) ?? options), clock);
    }

    public static AuthenticationHeaderValue Basic(string username, string secret) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{secret}")));

    public static ByteArrayContent Gzip(byte[] bytes, string contentType = "application/json")
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest))
            gzip.Write(bytes);
        var content = new ByteArrayContent(buffer.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        content.Headers.ContentEncoding.Add("gzip");
        return content;
    }

    public static FormUrlEncodedContent Form(params (string Name, string Value)[] fields) =>
        new(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));

    public static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>A valid event; each part can be replaced with another JSON text, or omitted with null.</summary>
    public string Event(string? name = "\"Signed up\"", string? time = "", string? distinctId = "\"ada\"", string? insertId = "\"id-1\"", string? more = null)
    {
        if (time == "") time = $"{Now - 60}";
        string?[] properties =
        [
            time is null ? null : $"\"time\":{time}",
            distinctId is null ? null : $"\"distinct_id\":{distinctId}",
            insertId is null ? null : $"\"$insert_id\":{insertId}",
            more,
        ];
        var body = $"\"properties\":{{{string.Join(',', properties.Where(property => property is not null))}}}";
        return name is null ? $"{{{body}}}" : $"{{\"event\":{name},{body}}}";
    }

    public Task<Answer> ImportAsync(string json, string query = "?strict=1&project_id=1", string contentType = "application/json") =>
        ImportAsync(new StringContent(json, Encoding.UTF8, contentType), query);

    public Task<Answer> ImportAsync(HttpContent content, string query = "?strict=1&project_id=1") =>
        SendAsync(HttpMethod.Post, "/import" + query, content, Basic("local", "local"));

    public Task<Answer> PostAsync(string path, string json) =>
        SendAsync(HttpMethod.Post, path, new StringContent(json, Encoding.UTF8, "application/json"));

    public Task<Answer> GetAsync(string path, AuthenticationHeaderValue? authorization = null) =>
        SendAsync(HttpMethod.Get, path, authorization: authorization);

    public async Task<Answer> SendAsync(HttpMethod method, string path, HttpContent? content = null, AuthenticationHeaderValue? authorization = null,
        Action<HttpRequestHeaders>? headers = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Authorization = authorization;
        headers?.Invoke(request.Headers);
        using var response = await Http.SendAsync(request);
        return new Answer(
            (int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(), response.Content.Headers.ContentType?.ToString(),
            response.Headers.ToDictionary(header => header.Key, header => string.Join(',', header.Value), StringComparer.OrdinalIgnoreCase));
    }

    public async Task<StoredEvent> OnlyEventAsync() => Assert.Single(await Server.EventsAsync());

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
    }
}

sealed record Answer(int Status, byte[] Bytes, string? ContentType, IReadOnlyDictionary<string, string> Headers)
{
    public string Text => Encoding.UTF8.GetString(Bytes);

    public JsonElement Json => JsonElement.Parse(Bytes);

    public void Is(int status, string json)
    {
        Assert.Equal(json, Text);
        Assert.Equal(status, Status);
    }
}

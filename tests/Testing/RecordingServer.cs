using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace MixpanelConnector.Testing;

/// <summary>A received request.</summary>
public sealed record RecordedRequest(string Method, string Path, string Query, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    /// <summary>The body, decompressed according to its Content-Encoding.</summary>
    public byte[] Content => Header("Content-Encoding") == "gzip" ? Gunzip(Body) : Body;

    public string Text => Encoding.UTF8.GetString(Content);

    /// <summary>Method, path and query on one line.</summary>
    public string Line => $"{Method} {Path}{Query}";

    public JsonElement Json => JsonElement.Parse(Content);

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    static byte[] Gunzip(byte[] bytes)
    {
        using var plain = new MemoryStream();
        using (var gzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress)) gzip.CopyTo(plain);
        return plain.ToArray();
    }
}

/// <summary>The server's response to one request.</summary>
public sealed record Answer
{
    public int Status { get; init; } = 200;

    public byte[] Body { get; init; } = [];

    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>Bytes to write to the socket instead of an HTTP response; then the connection is closed.</summary>
    public byte[]? Raw { get; init; }

    /// <summary>Closes the connection without a response.</summary>
    public static Answer Reset { get; } = new();

    /// <summary>Never responds.</summary>
    public static Answer Stall { get; } = new();

    /// <summary>Sends headers and the start of a body, then nothing more.</summary>
    public static Answer StallInBody { get; } = new();

    public static Answer Json(string text, int status = 200) =>
        new() { Status = status, Body = Encoding.UTF8.GetBytes(text), Headers = [("Content-Type", "application/json")] };

    public static Answer Plain(string text, int status = 200, string type = "text/plain") =>
        new() { Status = status, Body = Encoding.UTF8.GetBytes(text), Headers = [("Content-Type", type)] };

    public static Answer Redirect(string location, int status = 301) => new() { Status = status, Headers = [("Location", location)] };

    /// <summary>A body without a length whose connection is closed early, which looks like the end of a complete response.</summary>
    public static Answer Cut(string text) => RawText($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{text}");

    public static Answer RawText(string text) => new() { Raw = Encoding.UTF8.GetBytes(text) };

    public Answer With(string name, string value) => this with { Headers = [.. Headers, (name, value)] };

    /// <summary>The same response, compressed.</summary>
    public Answer Gzipped()
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest)) gzip.Write(Body);
        return With("Content-Encoding", "gzip") with { Body = compressed.ToArray() };
    }
}

/// <summary>A real HTTP server on loopback that records every request, and responds as the test specifies.</summary>
public sealed class RecordingServer : IAsyncDisposable
{
    readonly WebApplication _application;
    readonly ConcurrentQueue<RecordedRequest> _requests = new();
    readonly CancellationTokenSource _stopping = new();
    readonly Func<RecordedRequest, Answer> _script;
    readonly Lock _oneAtATime = new();

    RecordingServer(Func<RecordedRequest, Answer> script)
    {
        _script = script;
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0").ConfigureKestrel(options =>
        {
            options.Limits.MaxRequestBodySize = null;
            options.Limits.MinRequestBodyDataRate = null; // a pause means that the machine is slow
            options.Limits.MinResponseDataRate = null;
        });
        builder.Logging.ClearProviders();
        _application = builder.Build();
        _application.Run(AnswerAsync);
    }

    /// <summary>The server's address, without a trailing slash.</summary>
    public string Url => _application.Urls.Single();

    public Uri Address => new(Url);

    /// <summary>The requests so far, in the order of arrival.</summary>
    public IReadOnlyList<RecordedRequest> Requests => [.. _requests];

    /// <summary>Method, path and query of each request, one per line.</summary>
    public string Lines => string.Join('\n', _requests.Select(request => request.Line));

    /// <summary>The only request.</summary>
    public RecordedRequest Request => Requests.Single();

    /// <summary>Responds by a function of the request.</summary>
    public static async Task<RecordingServer> StartAsync(Func<RecordedRequest, Answer> script)
    {
        var server = new RecordingServer(script);
        await server._application.StartAsync();
        return server;
    }

    /// <summary>Returns the responses in order, then 500 for all further requests.</summary>
    public static Task<RecordingServer> StartAsync(params Answer[] answers)
    {
        var next = 0;
        return StartAsync(_ => next < answers.Length ? answers[next++] : Answer.Plain("The test has no more answers.", 500));
    }

    public async ValueTask DisposeAsync()
    {
        // First stop accepting connections, and then release the waiting clients: they would reconnect.
        using (var now = new CancellationTokenSource())
        {
            await now.CancelAsync();
            await _application.StopAsync(now.Token);
        }

        await _stopping.CancelAsync();
        await _application.DisposeAsync();
        _stopping.Dispose();
    }

    async Task AnswerAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var request = new RecordedRequest(
            context.Request.Method,
            context.Request.Path.Value!,
            context.Request.QueryString.Value!,
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray());
        Answer answer;
        lock (_oneAtATime)
        {
            _requests.Enqueue(request);
            answer = _script(request);
        }

        if (ReferenceEquals(answer, Answer.Reset)) context.Abort();
        else if (ReferenceEquals(answer, Answer.Stall)) await StallAsync(context);
        else if (ReferenceEquals(answer, Answer.StallInBody))
        {
            await context.Response.WriteAsync("{\"code\":");
            await context.Response.Body.FlushAsync();
            await StallAsync(context);
        }
        else if (answer.Raw is { } raw) await SendRawAsync(context, raw);
        else await SendAsync(context, answer);
    }

    static async Task SendAsync(HttpContext context, Answer answer)
    {
        context.Response.StatusCode = answer.Status;
        foreach (var (name, value) in answer.Headers) context.Response.Headers.Append(name, value);
        if (answer.Body.Length == 0) return;
        context.Response.ContentLength = answer.Body.Length;
        await context.Response.Body.WriteAsync(answer.Body, context.RequestAborted);
    }

    /// <summary>Below HTTP: the bytes are sent unchanged, then the connection is closed normally.</summary>
    static async Task SendRawAsync(HttpContext context, byte[] bytes)
    {
        var output = context.Features.GetRequiredFeature<IConnectionTransportFeature>().Transport.Output;
        await output.WriteAsync(bytes);
        await output.CompleteAsync();
    }

    async Task StallAsync(HttpContext context)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = either.Token.Register(ended.SetResult);
        await ended.Task;
        context.Abort();
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>
/// Streams live events, as newline-delimited JSON: <c>{"imports":[…]}</c> whenever an import makes progress, and what the project of the embedded Mixpanel
/// receives. The real Mixpanel is not queried: it has no such feed, and queries count against its limits.
/// </summary>
/// <param name="feed">The feed of the embedded Mixpanel; null with the real one.</param>
/// <param name="time">Determines how often the imports are polled, and when a stream ends.</param>
sealed class LiveStream(Func<CancellationToken, Task<HttpResponseMessage>>? feed, TimeProvider time) : IDisposable
{
    static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(400);
    static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(15);

    readonly PartitionedRateLimiter<Caller> _places = PartitionedRateLimiter.Create<Caller, Caller>(caller =>
        RateLimitPartition.GetConcurrencyLimiter(caller, _ => new ConcurrencyLimiterOptions { PermitLimit = Limits.Streams }));

    /// <summary>Null with the real Mixpanel.</summary>
    public Func<CancellationToken, Task<HttpResponseMessage>>? Feed => feed;

    public void Dispose() => _places.Dispose();

    public async Task AnswerAsync(Services services, HttpContext context)
    {
        using var place = _places.AttemptAcquire(context.Features.GetRequiredFeature<Caller>());
        if (!place.IsAcquired)
            throw new RefusedException(Refusal.Busy with { Detail = "This caller has reached its limit of open consoles.", RetryAfter = 30 });
        using var limit = new CancellationTokenSource(Longest, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, services.Stopping, limit.Token);
        context.Response.ContentType = "application/x-ndjson";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        using var turn = new SemaphoreSlim(1, 1);
        var streams = new List<Task> { ImportsAsync(services, context.Response, turn, end.Token) };
        if (feed is not null) streams.Add(RelayAsync(context.Response, turn, end.Token));
        await Task.WhenAny(streams); // the client reconnects when one has ended
        await end.CancelAsync();
        foreach (var stream in streams) await EndedAsync(stream, services.Log, end.Token);
    }

    /// <summary>However a stream ends, the response ends with it. Unexpected errors are logged.</summary>
    static async Task EndedAsync(Task stream, AuditLog log, CancellationToken ended)
    {
        try
        {
            await stream;
        }
        catch (Exception) when (ended.IsCancellationRequested && stream.IsCanceled)
        {
            // It was cancelled.
        }
        catch (Exception e)
        {
            log.Write("live_stream_ended", ("exception", e.GetType().FullName), ("reason", e is HttpRequestException or IOException ? e.Message : null),
                ("stack", e.StackTrace?.ReplaceLineEndings(" ").Trim()));
        }
    }

    async Task ImportsAsync(Services services, HttpResponse response, SemaphoreSlim turn, CancellationToken cancellationToken)
    {
        var (last, at) = (Array.Empty<byte>(), time.GetTimestamp());
        while (true)
        {
            var imports = new JsonObject { ["imports"] = new JsonArray([.. services.Imports.All.Take(100).Select(job => job.ToJson())]) };
            if (services.Options is { Keys.Open: true, TerminalImports: { } running }) imports["terminal"] = Terminal(running());
            var now = JsonText.Utf8(imports);
            if (!now.AsSpan().SequenceEqual(last))
            {
                await WriteAsync(response, turn, now, cancellationToken);
                (last, at) = (now, time.GetTimestamp());
            }
            else if (time.GetElapsedTime(at) > LongestSilence)
            {
                await WriteAsync(response, turn, ReadOnlyMemory<byte>.Empty, cancellationToken);
                at = time.GetTimestamp();
            }

            await Task.Delay(Look, time, cancellationToken);
        }
    }

    /// <summary>Imports of the command line, named after their files; the folders of the files are not disclosed.</summary>
    static JsonArray Terminal(IReadOnlyList<JsonElement> running)
    {
        var imports = new JsonArray();
        foreach (var progress in running)
        {
            var import = JsonObject.Create(progress)!;
            import["name"] =
                string.Join(", ", ((string?)import["sources"] ?? "").Split(", ").Select(source => source[(source.LastIndexOfAny(['/', '\\']) + 1)..]));
            import.Remove("sources");
            imports.Add((JsonNode)import); // without the cast, JsonArray.Add would treat it as a value
        }

        return imports;
    }

    async Task RelayAsync(HttpResponse response, SemaphoreSlim turn, CancellationToken cancellationToken)
    {
        using var answer = await feed!(cancellationToken);
        if (!answer.IsSuccessStatusCode) return;
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken));
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length > 0) await WriteAsync(response, turn, System.Text.Encoding.UTF8.GetBytes(line), cancellationToken);
        }
    }

    static async Task WriteAsync(HttpResponse response, SemaphoreSlim turn, ReadOnlyMemory<byte> line, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            await response.Body.WriteAsync((byte[])[.. line.Span, (byte)'\n'], cancellationToken);
            await response.Body.FlushAsync(cancellationToken);
        }
        finally
        {
            turn.Release();
        }
    }
}

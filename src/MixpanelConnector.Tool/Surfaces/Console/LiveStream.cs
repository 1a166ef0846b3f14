using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Surfaces.Console;

/// <summary>
/// What happens here, as it happens, a line of JSON each: <c>{"imports":[…]}</c> whenever an import moves, and from the embedded
/// Mixpanel what its project gets. A real Mixpanel is not asked for anything: it has no such feed, and counts its queries.
/// </summary>
/// <param name="feed">The embedded Mixpanel's feed; null with a real one.</param>
/// <param name="time">Paces the looks at the imports, and ends a stream.</param>
sealed class LiveStream(Func<CancellationToken, Task<HttpResponseMessage>>? feed, TimeProvider time) : IDisposable
{
    static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(400);
    static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(15);

    readonly PartitionedRateLimiter<Caller> _places = PartitionedRateLimiter.Create<Caller, Caller>(caller => RateLimitPartition.GetConcurrencyLimiter(caller, _ => new ConcurrencyLimiterOptions { PermitLimit = Limits.Streams }));

    /// <summary>Null with a real Mixpanel.</summary>
    public Func<CancellationToken, Task<HttpResponseMessage>>? Feed => feed;

    public void Dispose() => _places.Dispose();

    public async Task AnswerAsync(Services services, HttpContext context)
    {
        using var place = _places.AttemptAcquire(context.Features.GetRequiredFeature<Caller>());
        if (!place.IsAcquired) throw new RefusedException(Refusal.Busy with { Detail = "This caller has as many consoles open as it may have.", RetryAfter = 30 });
        using var limit = new CancellationTokenSource(Longest, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, services.Stopping, limit.Token);
        context.Response.ContentType = "application/x-ndjson";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        using var turn = new SemaphoreSlim(1, 1);
        var streams = new List<Task> { ImportsAsync(services, context.Response, turn, end.Token) };
        if (feed is not null) streams.Add(RelayAsync(context.Response, turn, end.Token));
        await Task.WhenAny(streams); // the client comes again when one has ended
        await end.CancelAsync();
        foreach (var stream in streams) await EndedAsync(stream, services.Log, end.Token);
    }

    /// <summary>However a stream ends, the answer ends with it. What was not foreseen is said.</summary>
    static async Task EndedAsync(Task stream, AuditLog log, CancellationToken ended)
    {
        try
        {
            await stream;
        }
        catch (Exception) when (ended.IsCancellationRequested && stream.IsCanceled)
        {
            // It was told to.
        }
        catch (Exception e)
        {
            log.Write("live_stream_ended", ("exception", e.GetType().FullName), ("reason", e is HttpRequestException or IOException ? e.Message : null), ("stack", e.StackTrace?.ReplaceLineEndings(" ").Trim()));
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

    /// <summary>Imports of the command line, under the names of their files: where those lie is not told.</summary>
    static JsonArray Terminal(IReadOnlyList<JsonElement> running)
    {
        var imports = new JsonArray();
        foreach (var progress in running)
        {
            var import = JsonObject.Create(progress)!;
            import["name"] = string.Join(", ", ((string?)import["sources"] ?? "").Split(", ").Select(source => source[(source.LastIndexOfAny(['/', '\\']) + 1)..]));
            import.Remove("sources");
            imports.Add((JsonNode)import); // the list takes nodes as they are; of other types it would make values
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

using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>Checks the caller, host, origin, rate and concurrency of requests. Everything that is not public is subject to all of these checks.</summary>
sealed class RequestGuard(ServeOptions options) : IDisposable
{
    // Each caller has its own turns: whatever one of them does, the others are served.
    readonly PartitionedRateLimiter<Caller> _turns = PartitionedRateLimiter.Create<Caller, Caller>(caller =>
        RateLimitPartition.GetConcurrencyLimiter(caller,
            _ => new ConcurrencyLimiterOptions
            {
                PermitLimit = Limits.Turns,
                QueueLimit = Limits.Waiting,
                QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
            }));
    readonly PartitionedRateLimiter<Caller> _uploads = PartitionedRateLimiter.Create<Caller, Caller>(caller =>
        RateLimitPartition.GetConcurrencyLimiter(caller, _ => new ConcurrencyLimiterOptions { PermitLimit = Limits.Uploads }));

    /// <summary>Anybody on this machine, if keys are not used.</summary>
    public Caller Anybody { get; } = new("anybody", Scope.Write, new TokenBucket(options.Rate, options.TimeProvider), options.Keys.Memory);

    /// <summary>All users of public routes.</summary>
    public Caller Visitors { get; } = new("visitors", Scope.None, new TokenBucket(options.Rate, options.TimeProvider), options.Keys.Memory);

    HashSet<string> _authorities = new(StringComparer.Ordinal);
    HashSet<string> _origins = new(StringComparer.Ordinal);

    public void Listen(int port)
    {
        var encrypted = options.Certificate is not null;
        var authorities = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var origins = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (IPAddress.IsLoopback(options.Address))
        {
            foreach (var name in (string[])["localhost", "127.0.0.1", "[::1]"]) Add(name, port, encrypted);
        }

        foreach (var name in options.Hosts)
        {
            var (host, ownPort) = HostString.FromUriComponent(name) is { Port: { } p } given ? (given.Host, p) : (name, port);
            Add(host, ownPort, encrypted || options.BehindProxy);
            if (options.BehindProxy) Add(host, 443, https: true); // the proxy's own port
        }

        (_authorities, _origins) = (authorities, origins);

        void Add(string host, int at, bool https)
        {
            authorities.Add($"{host}:{at}");
            origins.Add($"{(https ? "https" : "http")}://{host}:{at}");
            if (at != (https ? 443 : 80)) return;
            authorities.Add(host);
            origins.Add($"{(https ? "https" : "http")}://{host}");
        }
    }

    /// <summary>Rejects requests that a browser was tricked into sending, which their headers reveal. Runs before anything is parsed, for every path.</summary>
    public void CheckSource(HttpRequest request)
    {
        var headers = request.Headers;
        if (headers.Host.Count != 1 || !_authorities.Contains(headers.Host.ToString())) throw new RefusedException(Refusal.WrongHost);
        if (headers.Origin.Count > 0 && (headers.Origin.Count > 1 || !_origins.Contains(headers.Origin.ToString())))
            throw new RefusedException(Refusal.WrongOrigin);
        if (headers["Sec-Fetch-Site"].Any(site => site is not ("same-origin" or "none"))) throw new RefusedException(Refusal.WrongOrigin);
        // Method names are case-sensitive, which routing ignores.
        if (request.Method.Any(char.IsAsciiLetterLower)) throw new RefusedException(Refusal.WrongMethod);
        if (headers.TransferEncoding.Count > 0 && (headers.ContentLength is not null || headers.ContainsKey("X-Content-Length")))
            throw new RefusedException(Refusal.Malformed("Content-Length and Transfer-Encoding are mutually exclusive."));
        if (headers.TransferEncoding.Count > 0 && !headers.TransferEncoding.ToString().Equals("chunked", StringComparison.OrdinalIgnoreCase))
            throw new RefusedException(Refusal.Malformed("Transfer-Encoding can only be chunked."));
        Bodies.RequireUtf8(request);
    }

    /// <summary>The owner of the key in the request.</summary>
    public Caller Authenticate(HttpRequest request)
    {
        if (options.Keys.Open) return Anybody;
        return options.Keys.Find(KeyOf(request.Headers)) ?? throw new RefusedException(Refusal.KeyNeeded);
    }

    /// <summary>
    /// Takes a request from the caller's rate limit; null if it is allowed. A refusal is not an exception here: under load it must cost less than the work it
    /// avoids.
    /// </summary>
    public static Refusal? Take(Caller caller) => caller.Bucket.TryTake(out var retryAfter) ? null : Refusal.TooOften(retryAfter);

    /// <summary>Waits for the caller's turn. Dispose the lease before waiting for the network.</summary>
    public async ValueTask<(RateLimitLease? Turn, Refusal? Refusal)> EnterAsync(Caller caller, bool isUpload, CancellationToken cancellationToken)
    {
        // An upload takes as long as its sender needs: it holds an upload slot, but no turn.
        var places = isUpload ? _uploads : _turns;
        var lease = places.AttemptAcquire(caller);
        if (lease.IsAcquired) return (lease, null);
        if (isUpload || places.GetStatistics(caller) is { CurrentQueuedCount: >= Limits.Waiting }) return (null, Refusal.Busy);
        using var limit = new CancellationTokenSource(options.LongestQueue, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            lease = await places.AcquireAsync(caller, 1, either.Token);
            return lease.IsAcquired ? (lease, null) : (null, Refusal.Busy);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, Refusal.Busy);
        }
    }

    public void Dispose()
    {
        _turns.Dispose();
        _uploads.Dispose();
    }

    static string? KeyOf(IHeaderDictionary headers)
    {
        const string Scheme = "Bearer ";
        var authorization = headers[HeaderNames.Authorization];
        return authorization.Count == 1 && authorization.ToString() is var text && text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? text[Scheme.Length..].Trim()
            : null;
    }
}

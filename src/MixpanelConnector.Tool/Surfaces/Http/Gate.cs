using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>Who may come in, under which name, how often, and how many at once. Whatever is not open to everybody passes all of it.</summary>
sealed class Gate(ServeOptions options) : IDisposable
{
    public const int MostAtOnce = 64;
    public const int MostWaiting = 256;

    public Caller Anybody { get; } = new("anybody", Scope.Write, new TokenBucket(options.Rate, options.TimeProvider));
    readonly ConcurrencyLimiter _turns = new(new ConcurrencyLimiterOptions { PermitLimit = MostAtOnce, QueueLimit = MostWaiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });

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

    /// <summary>What a browser is tricked into sending says so in its headers. Checked before anything is parsed, for every path.</summary>
    public void CheckSource(HttpRequest request)
    {
        var headers = request.Headers;
        if (headers.Host.Count != 1 || !_authorities.Contains(headers.Host.ToString())) throw new RefusedException(Refusal.WrongHost);
        if (headers.Origin.Count > 0 && (headers.Origin.Count > 1 || !_origins.Contains(headers.Origin.ToString()))) throw new RefusedException(Refusal.WrongOrigin);
        if (headers["Sec-Fetch-Site"].Any(site => site is not ("same-origin" or "none"))) throw new RefusedException(Refusal.WrongOrigin);
        if (headers.TransferEncoding.Count > 0 && (headers.ContentLength is not null || headers.ContainsKey("X-Content-Length"))) throw new RefusedException(Refusal.Malformed("Content-Length and Transfer-Encoding exclude each other."));
        if (headers.TransferEncoding.Count > 0 && !headers.TransferEncoding.ToString().Equals("chunked", StringComparison.OrdinalIgnoreCase)) throw new RefusedException(Refusal.Malformed("Transfer-Encoding can only be chunked."));
    }

    /// <summary>The holder of the key that the request carries.</summary>
    public Caller Authenticate(HttpRequest request)
    {
        if (options.Keys.Open) return Anybody;
        return options.Keys.Find(KeyOf(request.Headers)) ?? throw new RefusedException(Refusal.KeyNeeded);
    }

    /// <summary>Takes a request of the caller's, and waits for its turn. Dispose the lease at its end. A refusal is no exception here: under load it must cost less than what it spares.</summary>
    public async ValueTask<(RateLimitLease? Turn, Refusal? Refusal)> EnterAsync(Caller caller, CancellationToken cancellationToken)
    {
        if (!caller.Bucket.TryTake(out var retryAfter)) return (null, Refusal.TooOften(retryAfter));
        var lease = _turns.AttemptAcquire();
        if (lease.IsAcquired) return (lease, null);
        if (_turns.GetStatistics() is { CurrentQueuedCount: >= MostWaiting }) return (null, Refusal.Busy);
        using var limit = new CancellationTokenSource(options.LongestQueue, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            lease = await _turns.AcquireAsync(1, either.Token);
            return lease.IsAcquired ? (lease, null) : (null, Refusal.Busy);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, Refusal.Busy);
        }
    }

    public void Dispose() => _turns.Dispose();

    static string? KeyOf(IHeaderDictionary headers)
    {
        const string Scheme = "Bearer ";
        var authorization = headers[HeaderNames.Authorization];
        return authorization.Count == 1 && authorization.ToString() is var text && text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? text[Scheme.Length..].Trim() : null;
    }
}

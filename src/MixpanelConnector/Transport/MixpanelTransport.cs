using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace MixpanelConnector.Transport;

/// <summary>The only caller of <see cref="HttpClient"/>: binds a request to a host and a credential, sends it, and reads the complete answer.</summary>
sealed partial class MixpanelTransport
{
    // The upload of a body gets the time that a slow connection of 8 KB/s needs, in addition to the deadline of its answer.
    const int SlowestUploadBytesPerSecond = 8 << 10;

    const int LongestRequestId = 100;

    /// <summary>Mixpanel's limits are per hour. A longer wait is not one of Mixpanel, and could exceed what a timer or a date can hold.</summary>
    static readonly TimeSpan LongestRetryAfter = TimeSpan.FromDays(7);

    static readonly string[] RequestIdHeaders = ["x-request-id", "x-mp-request-id"];

    readonly HttpClient _client;
    readonly Func<HttpClient> _undecoded;
    readonly ResiliencePipeline<Reply> _safe;
    readonly ResiliencePipeline<Reply> _onlyIfNotDone;
    readonly ILogger _logger;

    /// <param name="options">How to reach Mixpanel, and with which credentials.</param>
    /// <param name="client">The client to send with.</param>
    /// <param name="undecoded">The client for answers that must not be decompressed. Default: the same client, which then must not decompress.</param>
    public MixpanelTransport(MixpanelOptions options, HttpClient client, Func<HttpClient>? undecoded = null)
    {
        Options = options;
        _client = client;
        _undecoded = undecoded ?? (() => client);
        _logger = HarmlessLogger.Create(options, "MixpanelConnector.Transport");
        _safe =
            Pipeline(reply => reply.IsRateLimit || reply.IsUnavailable || reply.IsCut || reply.Failure is { Kind: ErrorKind.Unavailable or ErrorKind.Timeout });
        _onlyIfNotDone = Pipeline(reply => reply.IsRateLimit || reply is { Failure.Kind: ErrorKind.Unavailable, MayHaveArrived: false });
    }

    public MixpanelOptions Options { get; }

    /// <summary>Returns a transport with the same connections and other options.</summary>
    public MixpanelTransport With(MixpanelOptions options) => new(options, _client, _undecoded);

    public static HttpMessageHandler NewHandler(MixpanelOptions options,
        DecompressionMethods decompression = DecompressionMethods.GZip | DecompressionMethods.Deflate | DecompressionMethods.Brotli) => new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // a redirected POST becomes a GET, whose 200 would look like success
            UseCookies = false,
            UseProxy = options.Endpoint is not { } endpoint || !Hosts.IsLoopback(endpoint),
            AutomaticDecompression = decompression,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2), // so that DNS changes take effect
            MaxResponseHeadersLength = 64, // KB
        };

    /// <summary>Throws when no configured credential suits the request; sends nothing.</summary>
    public void EnsureAccess(AuthScheme access, long? projectId = null) => Authorization.For(Options, access, projectId);

    /// <summary>Sends a request, with the retries that <see cref="MixpanelRequest.IsRepeatable"/> allows.</summary>
    public async Task<Reply> SendAsync(MixpanelRequest request, CancellationToken cancellationToken)
    {
        var pipeline = request.IsRepeatable ? _safe : _onlyIfNotDone;
        var attempts = 0;
        return await pipeline.ExecuteAsync(
            async token =>
            {
                var reply = await SendOnceAsync(request, attempts + 1, token).ConfigureAwait(false);
                reply.Attempts = reply.IsHeldBack ? attempts : ++attempts;
                return reply;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Sends a request once. A missing answer is returned as a failure, whatever a handler of the client throws; only cancellation by the caller and a missing
    /// credential throw.
    /// </summary>
    public async Task<Reply> SendOnceAsync(MixpanelRequest request, CancellationToken cancellationToken)
    {
        var reply = await SendOnceAsync(request, attempt: 1, cancellationToken).ConfigureAwait(false);
        reply.Attempts = reply.IsHeldBack ? 0 : 1;
        return reply;
    }

    async Task<Reply> SendOnceAsync(MixpanelRequest request, int attempt, CancellationToken cancellationToken)
    {
        while (true)
        {
            var account = Options.CurrentAccount;
            var reply = await SendWithAccountAsync(request, attempt, cancellationToken).ConfigureAwait(false);
            // Otherwise it was refused, and thus without effect, and the account was replaced meanwhile.
            if (reply.Status is not (401 or 403) || Options.CurrentAccount == account) return reply;
        }
    }

    async Task<Reply> SendWithAccountAsync(MixpanelRequest request, int attempt, CancellationToken cancellationToken)
    {
        var (header, projectId) = Authorization.For(Options, request.Auth, request.ProjectId);
        if (projectId is not null) request = request.With("project_id", projectId);
        if (request.Counts is { } kind && Options.Ledger is { } ledger
            && await ledger.EnterAsync(Options, kind, cancellationToken).ConfigureAwait(false) is { } usedUp)
            return Reply.None(
                new(ErrorKind.RateLimited,
                    $"The project's hourly {(kind is CallKind.Export ? "exports" : "queries")} are used up, "
                    + $"according to the call ledger: {(attempt == 1 ? "nothing was sent" : "it was not sent again")}.")
                {
                    RetryAfter = usedUp,
                },
                mayHaveArrived: false);
        if (Options.Queue is { } queue && QueuedIngestion.Takes(request))
            return await QueuedIngestion.SendAsync(queue, request, cancellationToken).ConfigureAwait(false);
        var address = Hosts.Resolve(Options, request);
        var reply = await SendToAsync(address, request, header, attempt, cancellationToken).ConfigureAwait(false);
        return request.Api is Api.App && OnlyAddsSlash(address, reply.Location)
            ? await SendToAsync(new UriBuilder(address) { Path = address.AbsolutePath + "/" }.Uri, request, header, attempt,
                cancellationToken).ConfigureAwait(false)
            : reply;
    }

    async Task<Reply> SendToAsync(Uri address, MixpanelRequest request, AuthenticationHeaderValue? header, int attempt, CancellationToken cancellationToken)
    {
        var started = Options.TimeProvider.GetTimestamp();
        using var deadline = new CancellationTokenSource(Deadline(request), Options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        HttpResponseMessage? begun = null; // the headers of an answer, which may be all that arrives of it
        try
        {
            using var message = new HttpRequestMessage(request.Method, address);
            message.Headers.Authorization = header;
            message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            message.Headers.UserAgent.Add(UserAgent);
            if (request.IsUndecoded) message.Headers.AcceptEncoding.Add(Gzip);
            if (request.Body is { } body)
            {
                message.Content = request.IsRepeatable ? new ReadOnlyMemoryContent(body.Bytes) : new SentOnce.Body(body.Bytes);
                message.Content.Headers.ContentType = new MediaTypeHeaderValue(body.ContentType);
                if (body.ContentEncoding is { } encoding) message.Content.Headers.ContentEncoding.Add(encoding);
            }

            if (request.IsRepeatable) SentOnce.End();
            else SentOnce.Begin();
            var answer = await (request.IsUndecoded ? _undecoded() : _client).SendAsync(message, HttpCompletionOption.ResponseHeadersRead,
                either.Token).ConfigureAwait(false);
            if (request.IsStreamed && answer.StatusCode is HttpStatusCode.OK && answer.RequestMessage?.RequestUri == address)
            {
                return Reply.Open(answer, Answered(request, answer, attempt, started).RequestId);
            }

            using var response = begun = answer;
            if (response.RequestMessage?.RequestUri is { } reached && reached != address)
                return Reply.None(
                    new(ErrorKind.Protocol,
                        $"The HTTP client followed a redirect to {reached.Host}. Mixpanel does not redirect: check the endpoint and the region, "
                        + $"and disable automatic redirects.")
                    {
                        RequestId = RequestId(response),
                    },
                    mayHaveArrived: true);

            var content = await ReplyBody.ReadAsync(response, request.Api, isPacked: request.IsUndecoded && response.StatusCode is not HttpStatusCode.OK,
                either.Token).ConfigureAwait(false);
            var facts = Answered(request, response, attempt, started);
            return content is { } bytes
                ? Reply.Answer(facts.HttpStatus, bytes, facts.RetryAfter, Redirect(address, response), facts.RequestId, request.UnknownOutcome)
                : Reply.None(
                    new(ErrorKind.Protocol,
                        $"{address.Host} returned a larger response than is plausible for Mixpanel (4 MB for ingestion, "
                        + $"else 20 MB or 600,000 names and values). Check the endpoint and the region; request less at a time, such as fewer output_properties.")
                    {
                        HttpStatus = facts.HttpStatus,
                        RequestId = facts.RequestId,
                    },
                    mayHaveArrived: true);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException e) when (e.InnerException is TimeoutException && !deadline.IsCancellationRequested
            && _client.Timeout == Timeout.InfiniteTimeSpan)
        {
            // Only the connect timeout is left; the timeout of a caller's HttpClient looks the same, but may occur after the request arrived.
            return Failed(request, begun,
                new(ErrorKind.Unavailable,
                    $"No connection to {address.Host}:{address.Port} within 10 seconds. Check the network, the endpoint and the region."),
                mayHaveArrived: false);
        }
        catch (OperationCanceledException e) when (deadline.IsCancellationRequested || e.InnerException is TimeoutException)
        {
            return Failed(request, begun,
                new(ErrorKind.Timeout,
                    $"{address.Host} did not respond within {(deadline.IsCancellationRequested ? Deadline(request) : _client.Timeout).TotalSeconds:0} seconds.{request.UnknownOutcome}"),
                mayHaveArrived: true);
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.SecureConnectionError && e.InnerException is not IOException)
        {
            return Failed(request, begun,
                new(ErrorKind.Protocol, $"No secure connection to {address.Host}: its certificate or TLS version is not acceptable. Nothing was sent."),
                mayHaveArrived: false);
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
            or HttpRequestError.ProxyTunnelError or HttpRequestError.SecureConnectionError)
        {
            // This includes a connection that broke during the TLS handshake: a network failure, not a certificate error.
            return Failed(request, begun,
                new(ErrorKind.Unavailable, $"{address.Host}:{address.Port} cannot be reached. Check the network, the endpoint and the region."),
                mayHaveArrived: false);
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded)
        {
            return Failed(request, begun, new(ErrorKind.Protocol, $"{address.Host} does not respond with valid HTTP. Check the endpoint."),
                mayHaveArrived: true);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidDataException)
        {
            return Failed(request, begun,
                new(ErrorKind.Unavailable, $"The connection to {address.Host} was lost before the response was complete.{request.UnknownOutcome}"),
                mayHaveArrived: true);
        }
        catch (ObjectDisposedException e) when (e.ObjectName == typeof(HttpClient).FullName)
        {
            return Failed(request, begun,
                new(ErrorKind.Unavailable,
                    $"The HTTP client was disposed, and {address.Host} cannot be reached. Dispose it, or the MixpanelClient, after everything that uses it."),
                mayHaveArrived: true);
        }
        catch (Exception e)
        {
            // A handler of the user can throw any exception, before the request left or after it arrived. Its message may contain confidential data.
            return Failed(request, begun,
                new(ErrorKind.Unavailable,
                    $"The HTTP client failed with {e.GetType().Name} on the way to {address.Host}.{request.UnknownOutcome} Check the handlers that this "
                    + $"application added to the client."),
                mayHaveArrived: true);
        }
    }

    /// <summary>Reports a reply to the log and to the caller.</summary>
    MixpanelReply Answered(MixpanelRequest request, HttpResponseMessage response, int attempt, long started)
    {
        var facts = new MixpanelReply
        {
            Method = request.Method.Method,
            Path = request.Path,
            HttpStatus = (int)response.StatusCode,
            RequestId = RequestId(response),
            RetryAfter = RetryAfter(response),
            Attempts = attempt,
            Elapsed = Options.TimeProvider.GetElapsedTime(started),
        };
        if (facts.RequestId is { } id) LogIdentifiedAnswer(facts.Method, facts.Path, facts.HttpStatus, facts.Elapsed.TotalMilliseconds, id);
        else LogAnswer(facts.Method, facts.Path, facts.HttpStatus, facts.Elapsed.TotalMilliseconds);
        try
        {
            Options.OnReply?.Invoke(facts);
        }
        catch (Exception)
        {
            // The code of an application must not turn a reply into a failure. Its message may contain confidential data.
            LogObserverFailed();
        }

        return facts;
    }

    /// <summary>The id in the headers, as safe to display as any text of an answer.</summary>
    string? RequestId(HttpResponseMessage response)
    {
        foreach (var name in RequestIdHeaders)
        {
            if (response.Headers.NonValidated.TryGetValues(name, out var values) && Shown(values.FirstOrDefault() ?? "") is { Length: > 0 } id) return id;
        }

        return null;

        string Shown(string text) => UnsafeText.Replaced(Authorization.Censor(Options, text), ' ', LongestRequestId).Trim();
    }

    Reply Failed(MixpanelRequest request, HttpResponseMessage? begun, MixpanelError error, bool mayHaveArrived)
    {
        LogNoAnswer(request.Method.Method, request.Path, error.Kind);
        return Reply.None(begun is null ? error : error with { HttpStatus = (int)begun.StatusCode, RequestId = RequestId(begun) }, mayHaveArrived);
    }

    TimeSpan Deadline(MixpanelRequest request) =>
        (Options.AttemptTimeout ?? request.Api switch
        {
            Api.App => TimeSpan.FromSeconds(135),
            Api.Query => TimeSpan.FromSeconds(505),
            Api.Export => TimeSpan.FromSeconds(1200),
            _ => TimeSpan.FromSeconds(120),
        }) + TimeSpan.FromSeconds((request.Body?.Bytes.Length ?? 0) / SlowestUploadBytesPerSecond);

    /// <summary>The requested wait, from zero to the longest that is believed; null if there is none, or it is not valid.</summary>
    TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        var asked = response.Headers.RetryAfter is { } header ? header.Delta ?? header.Date - Options.TimeProvider.GetUtcNow() : null;
        return asked is { } wait ? TimeSpan.FromTicks(Math.Clamp(wait.Ticks, 0, LongestRetryAfter.Ticks)) : null;
    }

    static Uri? Redirect(Uri address, HttpResponseMessage response) =>
        (int)response.StatusCode is >= 300 and < 400 && response.Headers.Location is { } location && Uri.TryCreate(address, location, out var target)
            ? target
            : null;

    static bool OnlyAddsSlash(Uri address, Uri? location) =>
        location is not null
        && location.GetLeftPart(UriPartial.Authority) == address.GetLeftPart(UriPartial.Authority)
        && location.AbsolutePath == address.AbsolutePath + "/"
        && (location.Query.Length == 0 || location.Query == address.Query);

    ResiliencePipeline<Reply> Pipeline(Func<Reply, bool> mayTryAgain)
    {
        if (Options.MaxRetries == 0) return ResiliencePipeline<Reply>.Empty;
        return new ResiliencePipelineBuilder<Reply> { TimeProvider = Options.TimeProvider }
            .AddRetry(new RetryStrategyOptions<Reply>
            {
                MaxRetryAttempts = Options.MaxRetries,
                ShouldHandle = arguments => new(arguments.Outcome.Result is { } reply && mayTryAgain(reply) && !(reply.RetryAfter > Options.MaxRetryAfter)),
                DelayGenerator = arguments => new(Backoff.Delay(arguments.AttemptNumber + 1, Options.BackoffMin, Options.BackoffMax,
                    arguments.Outcome.Result?.RetryAfter, Options.Randomizer())),
                OnRetry = arguments =>
                {
                    var (attempt, status, delay) = (arguments.AttemptNumber + 1, arguments.Outcome.Result?.Status ?? 0, arguments.RetryDelay.TotalSeconds);
                    if (arguments.Outcome.Result?.RequestId is { } id) LogIdentifiedRetry(attempt, status, id, delay);
                    else LogRetry(attempt, status, delay);
                    return default;
                },
            })
            .Build();
    }

    static readonly StringWithQualityHeaderValue Gzip = new("gzip");

    static readonly ProductInfoHeaderValue UserAgent = new(ThisLibrary.Name, ThisLibrary.Version);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} {Path} answered {Status} in {Milliseconds:0} ms")]
    partial void LogAnswer(string method, string path, int status, double milliseconds);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} {Path} answered {Status} in {Milliseconds:0} ms, request id {RequestId}")]
    partial void LogIdentifiedAnswer(string method, string path, int status, double milliseconds, string requestId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The application's OnReply failed, which is ignored")]
    partial void LogObserverFailed();

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} {Path} got no response: {Kind}")]
    partial void LogNoAnswer(string method, string path, ErrorKind kind);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Attempt {Attempt} failed with status {Status}; retrying in {Seconds:0.0} s")]
    partial void LogRetry(int attempt, int status, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Attempt {Attempt} failed with status {Status}, request id {RequestId}; retrying in {Seconds:0.0} s")]
    partial void LogIdentifiedRetry(int attempt, int status, string requestId, double seconds);
}

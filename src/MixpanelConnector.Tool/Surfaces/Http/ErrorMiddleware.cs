using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>Runs around every request: adds the common headers, and converts every error to a problem object.</summary>
sealed class ErrorMiddleware(ServeOptions options, AuditLog log)
{
    const string ContentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        context.TraceIdentifier = RandomNumberGenerator.GetHexString(16, lowercase: true);
        var response = context.Response;
        SetHeaders(response.Headers, context.TraceIdentifier);
        try
        {
            await next(context);
            if (response is { HasStarted: false, ContentLength: null, ContentType: null, StatusCode: >= 400 and var status })
                throw new RefusedException(RefusalOf(status, context.Request));
        }
        catch (Exception e) when (!response.HasStarted)
        {
            await AnswerAsync(context, e);
        }
        catch (Exception e)
        {
            // A partial response must not look like a complete one.
            context.Abort();
            if (!context.RequestAborted.IsCancellationRequested) Failed(context, e);
        }
    }

    public Task RefuseAsync(HttpContext context, Refusal refusal)
    {
        if (refusal.IsDenial) Denied(context, refusal);
        return context.Response.RefuseAsync(refusal);
    }

    void SetHeaders(IHeaderDictionary headers, string id)
    {
        headers["X-Request-Id"] = id;
        headers.ContentSecurityPolicy = ContentPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
        if (options.Certificate is not null || options.BehindProxy) headers.StrictTransportSecurity = "max-age=31536000";
    }

    /// <summary>The refusal for a status that the routing or the protocol of agents responds with, without a body.</summary>
    static Refusal RefusalOf(int status, HttpRequest request) => status switch
    {
        404 => ActionRoutes.NotFound(request.Path),
        405 => Refusal.WrongMethod,
        415 => Refusal.WrongType(Answers.Json),
        413 => Refusal.TooLarge("The body is larger than this server accepts."),
        < 500 => Refusal.Malformed("The request does not match its route.") with { Status = status },
        _ => Refusal.Internal,
    };

    Task AnswerAsync(HttpContext context, Exception exception)
    {
        switch (exception)
        {
            case RefusedException { Refusal: var refusal }:
                return RefuseAsync(context, refusal);
            case MixpanelException { Error: var error }:
                log.WriteLocal(error, context.TraceIdentifier);
                return context.Response.FailAsync(NextCall.AddTo(error, options.TimeProvider));
            case ServeStateException failure:
                log.Write("state_not_written", ("request_id", context.TraceIdentifier), ("reason", failure.Message));
                return RefuseAsync(context, Refusal.DiskFailed("The request was not executed."));
            case BadHttpRequestException { StatusCode: 413 }:
                return AnswerAsync(context, new RefusedException(Refusal.TooLarge("The body is larger than this server accepts.")));
            case BadHttpRequestException { StatusCode: 408 }:
                return AnswerAsync(context,
                    new RefusedException(new(408, "too_slow", "The body arrived too slowly",
                        FormattableString.Invariant($"Send the body at {Limits.SlowestRate} bytes per second or faster."))));
            case BadHttpRequestException
                or IOException { InnerException: OverflowException }: // the latter is the server's word for the size of a chunk that is beyond 31 bits
                return AnswerAsync(context, new RefusedException(Refusal.Malformed("The body does not match its headers.")));
            case OperationCanceledException when context.RequestAborted.IsCancellationRequested:
                return Task.CompletedTask; // there is no client left to respond to
            default:
                Failed(context, exception);
                return context.Response.RefuseAsync(Refusal.Internal);
        }
    }

    void Denied(HttpContext context, Refusal refusal) => log.Write("denied",
        ("reason", refusal.Kind), ("request_id", context.TraceIdentifier), ("caller", context.Features.Get<Caller>()?.Name),
        ("remote", context.Connection.RemoteIpAddress?.ToString()), ("method", context.Request.Method), ("path", context.Request.Path.Value));

    /// <summary>A bug of ours. Its message could contain confidential data; its type and stack trace are enough to find it.</summary>
    void Failed(HttpContext context, Exception exception) => log.Write("failed",
        ("request_id", context.TraceIdentifier), ("exception", exception.GetType().FullName), ("stack", exception.StackTrace?.ReplaceLineEndings(" ").Trim()));
}

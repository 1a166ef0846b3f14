using System.Net;
using System.Text.Json;

namespace MixpanelConnector.Transport;

/// <summary>The result of one attempt: a complete answer, or the reason why there is none.</summary>
sealed class Reply
{
    Reply() { }

    /// <summary>The HTTP status; 0 when there is no complete answer.</summary>
    public int Status { get; private init; }

    public ReadOnlyMemory<byte> Body { get; private init; }

    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>The target of a redirect; null for every other answer.</summary>
    public Uri? Location { get; private init; }

    /// <summary>The id that Mixpanel gave the request, safe to display; null when there is none. An answer whose body is cut off has one, too.</summary>
    public string? RequestId { get; private init; }

    /// <summary>What an error about an answer that cannot be trusted adds.</summary>
    public string UnknownOutcome { get; private init; } = "";

    /// <summary>Why there is no answer; null when there is one.</summary>
    public MixpanelError? Failure { get; private set; }

    /// <summary>Whether the request may have reached Mixpanel.</summary>
    public bool MayHaveArrived { get; private init; } = true;

    /// <summary>The number of attempts up to this one; 0 when nothing was sent.</summary>
    public int Attempts
    {
        get;
        set
        {
            field = value;
            if (Failure is not null) Failure = Failure with { Attempts = value };
        }
    }

    /// <summary>Whether it answers a retry: an earlier attempt may have been carried out.</summary>
    public bool IsRepeated => Attempts > 1;

    /// <summary>Whether the ledger held the request back.</summary>
    public bool IsHeldBack => Failure is { Kind: ErrorKind.RateLimited };

    /// <summary>The success whose body the caller reads and disposes; null for every other answer.</summary>
    public HttpResponseMessage? Opened { get; private init; }

    public static Reply Open(HttpResponseMessage response, string? requestId) =>
        new() { Status = (int)response.StatusCode, Opened = response, RequestId = requestId };

    public static Reply Answer(int status, ReadOnlyMemory<byte> body, TimeSpan? retryAfter = null, Uri? location = null, string? requestId = null,
        string unknownOutcome = "") =>
        new() { Status = status, Body = body, RetryAfter = retryAfter, Location = location, RequestId = requestId, UnknownOutcome = unknownOutcome };

    public static Reply None(MixpanelError failure, bool mayHaveArrived) =>
        new() { Failure = failure, RequestId = failure.RequestId, MayHaveArrived = mayHaveArrived };

    /// <summary>Returns an error about this answer, with its facts.</summary>
    public MixpanelError Error(ErrorKind kind, string message) =>
        new(kind, message) { HttpStatus = Status == 0 ? null : Status, RequestId = RequestId, Attempts = Attempts };

    /// <summary>Whether the error may be transient, by its status or its text; 501 never is.</summary>
    public bool IsUnavailable => Status is (int)HttpStatusCode.RequestTimeout or (>= 500 and not (int)HttpStatusCode.NotImplemented)
        || (Status is >= 400 and < 500 && !IsRateLimit && KnownMessages.SayUnavailable(Body.Span));

    /// <summary>Whether a success has truncated JSON: without an announced length, a connection that closed early can look complete.</summary>
    public bool IsCut => Status is 200 or 201 && Opened is null && LacksItsEnd(Body.Span);

    public bool IsRateLimit => Status == (int)HttpStatusCode.TooManyRequests;

    static bool LacksItsEnd(ReadOnlySpan<byte> body)
    {
        if (body.Trim(" \r\n\t"u8) is not [(byte)'{' or (byte)'[', ..]) return false;
        var reader = new Utf8JsonReader(body, isFinalBlock: false, state: default);
        try
        {
            while (reader.Read())
            {
                if (reader.CurrentDepth == 0 && reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray) return false;
            }

            return true;
        }
        catch (JsonException)
        {
            return false; // not JSON at all
        }
    }
}

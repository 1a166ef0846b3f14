using System.Net;

namespace MixpanelConnector.Transport;

/// <summary>What one try gave: an answer read to its end, or the reason why there is none.</summary>
sealed class Reply
{
    Reply() { }

    /// <summary>The HTTP status; 0 when no whole answer came.</summary>
    public int Status { get; private init; }

    public ReadOnlyMemory<byte> Body { get; private init; }

    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>Where a redirect points; null for every other answer.</summary>
    public Uri? Location { get; private init; }

    /// <summary>Why there is no answer; null when there is one.</summary>
    public MixpanelError? Failure { get; private init; }

    /// <summary>Whether the request can have reached Mixpanel.</summary>
    public bool MayHaveArrived { get; private init; } = true;

    public static Reply Answer(int status, ReadOnlyMemory<byte> body, TimeSpan? retryAfter = null, Uri? location = null) =>
        new() { Status = status, Body = body, RetryAfter = retryAfter, Location = location };

    public static Reply None(MixpanelError failure, bool mayHaveArrived) => new() { Failure = failure, MayHaveArrived = mayHaveArrived };

    /// <summary>An error that may pass by itself; 501 never does.</summary>
    public bool IsServerError => Status is (int)HttpStatusCode.RequestTimeout or (>= 500 and not (int)HttpStatusCode.NotImplemented);

    /// <summary>A success whose JSON lacks its end: a connection that closed early can look whole when its length was not announced.</summary>
    public bool IsCut => Status is 200 or 201 && Body.Span.Trim(" \r\n\t"u8) is [var first, .., var last] && first switch
    {
        (byte)'{' => last != (byte)'}',
        (byte)'[' => last != (byte)']',
        _ => false,
    };

    public bool IsRateLimit => Status == (int)HttpStatusCode.TooManyRequests;
}

namespace MixpanelConnector;

/// <summary>The facts of one reply of Mixpanel, without its content: for logs and metrics, and for questions to Mixpanel's support.</summary>
public sealed record MixpanelReply
{
    /// <summary>The HTTP method of the request, such as <c>GET</c>.</summary>
    public required string Method { get; init; }

    /// <summary>The path of the request, without its query, such as <c>/api/query/engage</c>.</summary>
    public required string Path { get; init; }

    /// <summary>The HTTP status.</summary>
    public required int HttpStatus { get; init; }

    /// <summary>
    /// The id of the request, from the header <c>x-request-id</c> or <c>x-mp-request-id</c>: on one line, and cut after 100 characters. Null when
    /// the reply has none.
    /// </summary>
    public string? RequestId { get; init; }

    /// <summary>The time that Mixpanel asked to wait before the next try; null when it did not specify one.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// The number of attempts of the call up to this reply, from 1. Imports, exports and trackers repeat requests by rules of their own, and each of their
    /// requests counts as a first attempt.
    /// </summary>
    public required int Attempts { get; init; }

    /// <summary>The time from sending the request until the reply was complete, or, for one that is read as a stream, until it began.</summary>
    public required TimeSpan Elapsed { get; init; }
}

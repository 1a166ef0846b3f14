namespace MixpanelConnector;

/// <summary>The kind of an error, by what a caller can do about it.</summary>
public enum ErrorKind
{
    /// <summary>An input or a setting is missing, unknown or of the wrong form. Nothing was sent.</summary>
    InvalidInput,

    /// <summary>Mixpanel did not accept the credentials (HTTP 401).</summary>
    Unauthorized,

    /// <summary>The credentials are valid but lack the role, or the plan does not allow the call (HTTP 402 or 403).</summary>
    Forbidden,

    /// <summary>The project, organization or object does not exist, or the credentials cannot see it (HTTP 404).</summary>
    NotFound,

    /// <summary>A single record or request is larger than Mixpanel accepts (HTTP 413).</summary>
    TooLarge,

    /// <summary>Mixpanel's rate limit was still exceeded after the last retry (HTTP 429).</summary>
    RateLimited,

    /// <summary>Mixpanel understood the request and refused its content (HTTP 400).</summary>
    Rejected,

    /// <summary>Mixpanel could not be reached, or answered with a server error (HTTP 5xx).</summary>
    Unavailable,

    /// <summary>No complete answer arrived within the deadline. Whether a change took effect is unknown.</summary>
    Timeout,

    /// <summary>Not an answer of Mixpanel: a redirect, a web page, a truncated or contradictory answer.</summary>
    Protocol,
}

/// <summary>An error, as plain data. Its message says where the error is and what to do next; it never contains a secret or the value of a property.</summary>
/// <param name="Kind">What went wrong.</param>
/// <param name="Message">One or two sentences that a person or a model understands without further context.</param>
public sealed record MixpanelError(ErrorKind Kind, string Message)
{
    /// <summary>The path of the input or the name of the setting at fault, such as <c>projects[0].role</c>; null when there is none.</summary>
    public string? Field { get; init; }

    /// <summary>The HTTP status that Mixpanel answered with; null when no answer arrived or nothing was sent.</summary>
    public int? HttpStatus { get; init; }

    /// <summary>The time that Mixpanel asked to wait before the next try, at most 7 days; null when it did not specify one.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// The id that Mixpanel gave the request, for questions to its support, from the header <c>x-request-id</c> or <c>x-mp-request-id</c>: on one line, and cut
    /// after 100 characters. Null when the answer has none, or there is no answer.
    /// </summary>
    public string? RequestId { get; init; }

    /// <summary>The number of attempts that a call made, retries included. Default: 0, for an error without a request.</summary>
    public int Attempts { get; init; }

    /// <summary>Whether a part of the request had been carried out before it failed; the message says which part. Default: false.</summary>
    public bool IsPartial { get; init; }

    /// <summary>
    /// What only helps on the machine of this process, such as the path of a file and why the system refused it; null when there is nothing. It is not part of
    /// the message, which may be shown to callers elsewhere, but of <see cref="Exception.Message"/> of a <see cref="MixpanelException"/>.
    /// </summary>
    public string? LocalDetail { get; init; }

    /// <summary>The message without text quoted from the answer; null when the message contains none that could quote a record.</summary>
    internal string? WithoutWords { get; init; }

    /// <summary>The message for places where nothing of a record's content may appear.</summary>
    internal string Shown => WithoutWords ?? Message;

    /// <summary>The same for a log on this machine.</summary>
    internal string Logged => LocalDetail is { } detail ? $"{Shown} {detail}" : Shown;

    internal static MixpanelError Invalid(string? field, string message) => new(ErrorKind.InvalidInput, message) { Field = field };
}

/// <summary>The only exception type of the library: every failed call throws it.</summary>
public sealed class MixpanelException : Exception
{
    /// <summary>Creates an exception from an error.</summary>
    /// <param name="error">What went wrong.</param>
    /// <param name="innerException">The cause, if any.</param>
    public MixpanelException(MixpanelError error, Exception? innerException = null)
        : base(TextOf(error ?? throw new ArgumentNullException(nameof(error))), innerException) => Error = error;

    /// <summary>What went wrong.</summary>
    public MixpanelError Error { get; }

    internal static MixpanelException Invalid(string? field, string message) => new(MixpanelError.Invalid(field, message));

    static string TextOf(MixpanelError error) => error.LocalDetail is { } detail ? $"{error.Message} {detail}" : error.Message;
}

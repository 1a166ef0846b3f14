using System.Globalization;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>A refusal by this interface itself. For the caller it is a problem object like any other; its kind distinguishes it from Mixpanel's.</summary>
sealed record Refusal(int Status, string Kind, string Title, string Detail)
{
    public string? Field { get; init; }

    /// <summary>Seconds to wait before a retry makes sense.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>Whether it is written to the audit log: access was denied, or a limit was exceeded.</summary>
    public bool IsDenial => Status is 401 or 403 or 413 or 421 or 429 or 503;

    public static Refusal WrongHost { get; } = new(421, "wrong_host", "The request is for another host",
        "This server does not accept the name in the Host header. Start it with --allow-host NAME to add one.");

    public static Refusal WrongOrigin { get; } =
        new(403, "wrong_origin", "The request comes from another site", "Web pages of other origins may not use this server.");

    public static Refusal KeyNeeded { get; } =
        new(401, "key_needed", "A key is needed", "Send a key of this server as Authorization: Bearer KEY. Keys are created with mixpanel serve new-key.");

    public static Refusal WriteScopeNeeded { get; } =
        new(403, "scope_too_small", "The key may only read", "This changes data, and needs a key with the scope write.");

    public static Refusal NoSuchPath { get; } = new(404, "no_such_path", "There is nothing at this URL", "See /openapi.json for what is served.");

    public static Refusal WrongMethod { get; } = new(405, "wrong_method", "The method is not served here", "See /openapi.json for what is served.");

    public static Refusal Busy { get; } = new(503, "busy", "The server is busy",
        "The limit of running and waiting requests is reached. Try again after the seconds in Retry-After.")
    { RetryAfter = 1 };

    public static Refusal NoMemory { get; } = Busy with
    {
        Detail = "The requests of this caller use all the memory that it may use. Try again after the seconds in Retry-After, "
            + "with smaller bodies or fewer at once.",
    };

    public static Refusal Internal { get; } =
        new(500, "internal", "The server failed", "This is a defect of the server. Its log has details under the id in the X-Request-Id header.");

    public static Refusal WrongType(string allowed) =>
        new(415, "wrong_content_type", "The content type is not served here", $"Send {allowed}, in UTF-8.") { Field = "Content-Type" };

    public static Refusal Malformed(string detail, string? field = null) => new(400, "malformed", "The request cannot be read", detail) { Field = field };

    public static Refusal TooLarge(string detail) => new(413, "body_too_large", "The request is too large", detail);

    public static Refusal TooOften(int seconds) =>
        new(429, "too_often", "The caller sends too many requests",
            string.Create(CultureInfo.InvariantCulture, $"This caller has used up its requests. Try again in {seconds} s."))
        { RetryAfter = seconds };

    public static Refusal NoRoom(string detail) => new(507, "no_room", "There is not enough space for it", detail) { RetryAfter = 60 };

    public static Refusal DiskFailed(string detail) =>
        new(507, "disk_failed", "The server cannot write to its disk", $"{detail} The disk may be full; the server continues once there is space.")
        {
            RetryAfter = 60,
        };

    public static Refusal Conflict(string kind, int status, string detail) =>
        new(status, kind, "The Idempotency-Key cannot be used this way", detail) { Field = "Idempotency-Key" };
}

/// <summary>Ends a request with a refusal.</summary>
sealed class RefusedException(Refusal refusal) : Exception(refusal.Detail)
{
    public Refusal Refusal { get; } = refusal;
}

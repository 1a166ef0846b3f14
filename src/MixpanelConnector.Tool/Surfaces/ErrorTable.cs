using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Tool.Surfaces;

/// <summary>The exit codes of an action, as defined in CONTRACT.md.</summary>
static class ExitCode
{
    public const int Success = 0;
    public const int InternalError = 1;
    public const int InvalidInput = (int)RunOutcome.Invalid;
    public const int Refused = (int)RunOutcome.Rejected;
    public const int NotAllowed = (int)RunOutcome.NotAllowed;
    public const int Unavailable = (int)RunOutcome.Unavailable;
    public const int InputDamaged = (int)RunOutcome.Damaged;
    public const int DiskFailed = (int)RunOutcome.DiskFailed;
}

/// <summary>Maps each kind of error to its form at each interface.</summary>
static class ErrorTable
{
    public static (int ExitCode, int HttpStatus, string Title) Row(ErrorKind kind) => kind switch
    {
        ErrorKind.InvalidInput => (Surfaces.ExitCode.InvalidInput, 400, "The input or the configuration is not valid"),
        ErrorKind.Unauthorized => (Surfaces.ExitCode.NotAllowed, 401, "Mixpanel did not accept the credentials"),
        ErrorKind.Forbidden => (Surfaces.ExitCode.NotAllowed, 403, "The credentials do not allow this"),
        ErrorKind.NotFound => (Surfaces.ExitCode.NotAllowed, 404, "Mixpanel does not know what was requested"),
        ErrorKind.TooLarge => (Surfaces.ExitCode.Refused, 413, "The request is larger than Mixpanel accepts"),
        ErrorKind.RateLimited => (Surfaces.ExitCode.Unavailable, 429, "Mixpanel's rate limit is exceeded"),
        ErrorKind.Rejected => (Surfaces.ExitCode.Refused, 422, "Mixpanel refused the request"),
        ErrorKind.Timeout => (Surfaces.ExitCode.Unavailable, 504, "Mixpanel did not respond in time"),
        ErrorKind.Protocol => (Surfaces.ExitCode.Unavailable, 502, "The response does not match Mixpanel's documentation"),
        _ => (Surfaces.ExitCode.Unavailable, 503, "The service is not available"),
    };

    /// <summary>The message for the user of this machine: with paths, which remote callers must not see.</summary>
    public static string LocalMessage(MixpanelError error) => error.LocalDetail is { } detail ? $"{error.Message} {detail}" : error.Message;

    /// <summary>The problem object, which is the same at every interface.</summary>
    public static ReadOnlyMemory<byte> Problem(MixpanelError error)
    {
        var (_, status, title) = Row(error.Kind);
        return Problem(JsonNamingPolicy.SnakeCaseLower.ConvertName(error.Kind.ToString()), title, status, error.Message, error.Field, error.RequestId);
    }

    /// <summary>The problem object of an error that exists at one interface only.</summary>
    public static ReadOnlyMemory<byte> Problem(string kind, string title, int status, string detail, string? field, string? requestId = null)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteString("type", $"urn:mixpanel-connector:problem:{kind}");
        writer.WriteString("title", title);
        writer.WriteNumber("status", status);
        writer.WriteString("detail", detail);
        writer.WriteString("kind", kind);
        if (field is not null) writer.WriteString("field", field);
        if (requestId is not null) writer.WriteString("request_id", requestId);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}

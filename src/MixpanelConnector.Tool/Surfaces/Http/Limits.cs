namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>
/// The maximum costs of a request, of a caller, and of all callers together. Bodies are limited by the objects that are built from them, not only by their
/// length: JSON of tiny values needs many times its length in memory. docs/serve.md and SECURITY.md also state these limits.
/// </summary>
static class Limits
{
    /// <summary>Bytes of a body as sent, and after decompression; the maximum compression ratio, which applies after the first bytes.</summary>
    public const int RawBody = 10_000_000, Body = 20_000_000, Ratio = 100, FreeOfRatio = 1 << 20;

    /// <summary>Bytes of a message to <c>/mcp</c>, which is parsed into several trees in succession.</summary>
    public const int Message = 4 << 20;

    /// <summary>Values and names in a body, in a message, and names in one object of either.</summary>
    public const int Tokens = 500_000, TokensOfMessage = 200_000, Names = 10_000;

    /// <summary>Nesting depth of JSON; bytes of a string in it, and of a name.</summary>
    public const int Depth = 32, Text = 1 << 20, Name = 255;

    /// <summary>Bytes that a value or a name counts in memory in addition to its length, and how often the bytes of a message count.</summary>
    public const int BytesOfToken = 24, BytesOfMessageToken = 120, CopiesOfMessage = 4;

    /// <summary>Bytes held by the requests of one caller; bytes of all callers together, beyond what each is guaranteed; and that guaranteed amount.</summary>
    public const long HeldByOne = 64_000_000, HeldByAll = 128_000_000, HeldAlways = 256 << 10;

    /// <summary>A request that held this many bytes leaves so much garbage that a collection is forced.</summary>
    public const long Large = 8_000_000;

    /// <summary>Concurrent requests of one caller, and requests that wait for their turn.</summary>
    public const int Turns = 64, Waiting = 256;

    /// <summary>Concurrent import uploads, and concurrent live streams, of one caller.</summary>
    public const int Uploads = 16, Streams = 32;

    /// <summary>
    /// The minimum rate in bytes per second at which a body is sent and a response is read; a lower one for those that may pause, such as the stream of an
    /// import.
    /// </summary>
    public const int SlowestRate = 4096, SlowestRateOfStream = 240;

    /// <summary>How long either may be slower before the connection is closed.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>The longest Retry-After of Mixpanel that a call waits for: a caller that waits itself is better served by an answer that says when.</summary>
    public static readonly TimeSpan LongestRetryAfter = TimeSpan.FromSeconds(10);

    /// <summary>How long an idempotent write continues after its caller has disconnected.</summary>
    public static readonly TimeSpan AfterCaller = TimeSpan.FromSeconds(10);

    /// <summary>Open connections; fewer if the process may open fewer files.</summary>
    public const int Connections = 8192;
}

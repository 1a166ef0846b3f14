namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>
/// What a request, a caller and all callers together may cost. Bodies are bounded by what is built of them, not by their length
/// alone: JSON of tiny values takes many times its length in memory. docs/serve.md and SECURITY.md state these limits, too.
/// </summary>
static class Limits
{
    /// <summary>Bytes of a body as sent, and after decompression; of what came compressed, no more than so many times as much after the first bytes.</summary>
    public const int RawBody = 10_000_000, Body = 20_000_000, Ratio = 100, FreeOfRatio = 1 << 20;

    /// <summary>Bytes of a message to <c>/mcp</c>, which is read into several trees, one after the other.</summary>
    public const int Message = 4 << 20;

    /// <summary>Values and names in a body, in a message, and names in one object of either.</summary>
    public const int Tokens = 500_000, TokensOfMessage = 200_000, Names = 10_000;

    /// <summary>How deep JSON may be nested; bytes of a text in it, and of a name.</summary>
    public const int Depth = 32, Text = 1 << 20, Name = 255;

    /// <summary>Bytes that a value or a name counts in memory beside its own length, and how often a message's bytes count.</summary>
    public const int BytesOfToken = 24, BytesOfMessageToken = 120, CopiesOfMessage = 4;

    /// <summary>Bytes that the requests of one caller hold, and those of all callers together beyond what each may always hold.</summary>
    public const long HeldByOne = 64_000_000, HeldByAll = 128_000_000, HeldAlways = 256 << 10;

    /// <summary>A request that held so much leaves so much behind that the garbage collector is called, rather than waited for.</summary>
    public const long Large = 8_000_000;

    /// <summary>Requests of one caller that run at once, and that wait for it.</summary>
    public const int Turns = 64, Waiting = 256;

    /// <summary>Uploads of imports, and live streams, of one caller at once.</summary>
    public const int Uploads = 16, Streams = 32;

    /// <summary>Bytes a second at which a body comes and an answer is taken; less of those that may pause, such as a stream of an import.</summary>
    public const int SlowestRate = 4096, SlowestRateOfStream = 240;

    /// <summary>How long either may be slower, before the connection is closed.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>How long a write that can be repeated goes on once its caller has left.</summary>
    public static readonly TimeSpan AfterCaller = TimeSpan.FromSeconds(10);

    /// <summary>Open connections; fewer where the process may open fewer files.</summary>
    public const int Connections = 8192;
}

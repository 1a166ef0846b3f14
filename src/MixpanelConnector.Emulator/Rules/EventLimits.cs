namespace MixpanelConnector.Emulator.Rules;

/// <summary>Mixpanel's documented limits of ingestion. Where its pages contradict each other, FIDELITY.md states which limit is used.</summary>
static class EventLimits
{
    public const int RecordsPerRequest = 2000;
    public const int RequestBytes = 10 * 1024 * 1024;

    /// <summary>An event must be smaller than this.</summary>
    public const int EventBytes = 1024 * 1024;

    public const int Properties = 255;

    /// <summary>A nested object must have fewer keys than this, and an array fewer elements.</summary>
    public const int NestedItems = 255;

    /// <summary>An object directly under <c>properties</c> has depth 1.</summary>
    public const int ObjectDepth = 3;

    /// <summary>The maximum size of a list or object in one property, as JSON text.</summary>
    public const int ContainerBytes = 8 * 1024;

    /// <summary>Names and string values are truncated to this many characters, without an error.</summary>
    public const int Characters = 255;

    public const int InsertIdBytes = 36;

    /// <summary>Times up to this value are seconds since 1970, larger ones are milliseconds.</summary>
    public const long LatestSecond = uint.MaxValue;

    /// <summary>The maximum nesting depth of JSON before a request is malformed.</summary>
    public const int JsonDepth = 64;

    public static readonly DateTimeOffset EarliestTime = new(1971, 1, 1, 0, 0, 0, TimeSpan.Zero);
    public static readonly TimeSpan FutureTolerance = TimeSpan.FromHours(1);

    /// <summary><c>/track</c> accepts nothing older.</summary>
    public static readonly TimeSpan TrackWindow = TimeSpan.FromDays(5);
}

namespace MixpanelConnector;

/// <summary>The ranges of options. The program compiles the same source.</summary>
static class OptionRanges
{
    /// <summary>9.8 MiB: far enough below 10 MB for any definition of a megabyte.</summary>
    public const int LargestBatch = 10_276_045;

    /// <summary>The smallest maximum size of a batch, in bytes.</summary>
    public const int SmallestBatch = 1024;

    /// <summary>The maximum number of records that Mixpanel accepts in a request.</summary>
    public const int MostBatchEvents = 2000;

    /// <summary>The maximum size of a request that Mixpanel documents, in bytes before compression.</summary>
    public const int MostRequestBytes = 10_000_000;

    /// <summary>The maximum number of concurrent requests.</summary>
    public const int MostSenders = 20;

    /// <summary>The maximum number of concurrent downloads.</summary>
    public const int MostParallel = 100;

    /// <summary>The largest maximum size of a message of a queue, in bytes.</summary>
    public const int LargestMessage = 128 << 20;
}

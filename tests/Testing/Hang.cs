namespace MixpanelConnector.Testing;

/// <summary>The single timeout of all tests. It only catches what never ends, so that no test fails because a machine is slow.</summary>
public static class Hang
{
    public static readonly TimeSpan Limit = TimeSpan.FromHours(1);

    /// <summary>The same in milliseconds.</summary>
    public const int Milliseconds = 3_600_000;
}

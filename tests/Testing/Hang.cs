namespace MixpanelConnector.Testing;

/// <summary>The one limit of time in tests. It only catches what never ends, so that nothing fails because a machine is slow.</summary>
public static class Hang
{
    public static readonly TimeSpan Limit = TimeSpan.FromHours(1);

    /// <summary>The same for what takes milliseconds.</summary>
    public const int Milliseconds = 3_600_000;
}

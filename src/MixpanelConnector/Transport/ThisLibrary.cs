namespace MixpanelConnector.Transport;

/// <summary>What this library calls itself, to servers and in events.</summary>
static class ThisLibrary
{
    public const string Name = "mixpanel-connector";

    public static readonly string Version = typeof(ThisLibrary).Assembly.GetName().Version!.ToString(3);
}

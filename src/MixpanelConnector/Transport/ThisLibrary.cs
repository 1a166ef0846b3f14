namespace MixpanelConnector.Transport;

/// <summary>The name of this library, for servers and in events.</summary>
static class ThisLibrary
{
    public const string Name = "mixpanel-connector";

    public static readonly string Version = typeof(ThisLibrary).Assembly.GetName().Version!.ToString(3);
}

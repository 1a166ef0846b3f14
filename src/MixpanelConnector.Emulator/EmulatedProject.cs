namespace MixpanelConnector.Emulator;

/// <summary>A project of an embedded Mixpanel, for one test.</summary>
public sealed class EmulatedProject
{
    readonly EmulatedMixpanel _mixpanel;

    internal EmulatedProject(EmulatedMixpanel mixpanel, int id, string token, string secret) => (_mixpanel, Id, Token, Secret) = (mixpanel, id, token, secret);

    /// <summary>Its id.</summary>
    public int Id { get; }

    /// <summary>The token for tracking.</summary>
    public string Token { get; }

    /// <summary>The project secret, for clients that authenticate with it.</summary>
    public string Secret { get; }

    /// <summary>The data received by this project, for assertions in tests.</summary>
    public Received Received => new(_mixpanel, Id);
}

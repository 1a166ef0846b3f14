namespace MixpanelConnector.Emulator;

/// <summary>A project of an embedded Mixpanel, for one test.</summary>
public sealed class EmulatedProject
{
    readonly EmulatedMixpanel _mixpanel;

    internal EmulatedProject(EmulatedMixpanel mixpanel, int id, string token, string secret) => (_mixpanel, Id, Token, Secret) = (mixpanel, id, token, secret);

    /// <summary>Its id.</summary>
    public int Id { get; }

    /// <summary>The token to track with.</summary>
    public string Token { get; }

    /// <summary>The project secret, for clients that sign in by it.</summary>
    public string Secret { get; }

    /// <summary>What arrived in this project, for the assertions of a test.</summary>
    public Received Received => new(_mixpanel, Id);
}

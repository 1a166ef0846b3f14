namespace MixpanelConnector;

/// <summary>The credential that Mixpanel asks for before it carries an action out.</summary>
public enum AuthScheme
{
    /// <summary>A project token, which travels in the data.</summary>
    ProjectToken,

    /// <summary>A service account; the path names the organization or the project.</summary>
    ServiceAccount,

    /// <summary>A service account, and the project that is meant.</summary>
    ServiceAccountOfProject,

    /// <summary>A service account and the project that is meant, or else the token of a project.</summary>
    ServiceAccountOfProjectOrToken,

    /// <summary>An OAuth token of a person, for data of persons alone, and the token of the project.</summary>
    OAuthToken,
}

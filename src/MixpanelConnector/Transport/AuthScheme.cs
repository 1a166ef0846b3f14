namespace MixpanelConnector;

/// <summary>The credential that Mixpanel requires for an action.</summary>
public enum AuthScheme
{
    /// <summary>A project token, sent in the data.</summary>
    ProjectToken,

    /// <summary>A service account; the path contains the organization or the project.</summary>
    ServiceAccount,

    /// <summary>A service account, and the project id.</summary>
    ServiceAccountOfProject,

    /// <summary>A service account and the project id, or else a project token.</summary>
    ServiceAccountOfProjectOrToken,

    /// <summary>A person's OAuth token, only for personal data, and the project token.</summary>
    OAuthToken,
}

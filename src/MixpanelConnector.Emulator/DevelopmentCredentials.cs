namespace MixpanelConnector.Emulator;

/// <summary>The well-known organization, project and credentials of every embedded Mixpanel. They protect nothing: for development only.</summary>
public static class DevelopmentCredentials
{
    /// <summary>The organization.</summary>
    public const int OrganizationId = 1;

    /// <summary>The project in that organization.</summary>
    public const int ProjectId = 1;

    /// <summary>The project's token.</summary>
    public const string ProjectToken = "local";

    /// <summary>
    /// The project's secret, which can be used to read and import instead of a service account, and identifies the project by itself. Mixpanel accepts such
    /// secrets until March 2027.
    /// </summary>
    public const string ProjectSecret = "local-secret";

    /// <summary>A lookup table of the project, initially empty: Mixpanel has no API to create one.</summary>
    public const string LookupTableId = "00000000-0000-4000-8000-000000000001";

    /// <summary>A service account that owns the organization and the project.</summary>
    public const string ServiceAccountUsername = "local";

    /// <summary>The OAuth token of that account's owner, which is required for requests about personal data.</summary>
    public const string OAuthToken = "local";

    /// <summary>That service account's secret.</summary>
    public const string ServiceAccountSecret = "local";
}

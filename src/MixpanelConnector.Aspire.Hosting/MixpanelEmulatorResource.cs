namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// The embedded Mixpanel, run as the tool <c>mixpanel</c>. Its connection string contains its address and its credentials in the format that
/// <c>AddMixpanel("mixpanel")</c> of the package MixpanelConnector.Aspire reads.
/// </summary>
/// <param name="name">The resource's name.</param>
/// <param name="command">The command to run.</param>
/// <param name="workingDirectory">The working directory of the command.</param>
public sealed class MixpanelEmulatorResource(string name, string command, string workingDirectory)
    : ExecutableResource(name, command, workingDirectory), IResourceWithConnectionString
{
    internal const string EndpointName = "http";

    /// <summary>The endpoint it listens on: the one base address for all of Mixpanel's hosts, and for its console.</summary>
    public EndpointReference PrimaryEndpoint => field ??= new EndpointReference(this, EndpointName);

    /// <summary>The address, such as <c>http://localhost:8123</c>.</summary>
    public ReferenceExpression UriExpression => ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.Url)}");

    /// <summary>The settings of the Mixpanel Connector, such as <c>Endpoint=http://localhost:8123;Token=local</c>.</summary>
    public ReferenceExpression ConnectionStringExpression
    {
        get
        {
            var settings = new ReferenceExpressionBuilder();
            foreach (var setting in Settings.Where(setting => setting.Name is not null))
            {
                if (!settings.IsEmpty) settings.AppendLiteral(";");
                settings.AppendLiteral($"{setting.Name}=");
                settings.AppendFormatted(setting.Value);
            }

            return settings.Build();
        }
    }

    /// <summary>
    /// Returns the values that <c>WithReference</c> passes to programs in any language, each as an environment variable prefixed with the name of the resource,
    /// such as <c>MIXPANEL_ENDPOINT</c>.
    /// </summary>
    public IEnumerable<KeyValuePair<string, ReferenceExpression>> GetConnectionProperties() =>
        Settings.Select(setting => KeyValuePair.Create(setting.Variable, setting.Value));

    /// <summary>The name of each value as an environment variable, and as a setting of a .NET program. The latter has no OAuth token.</summary>
    internal IEnumerable<(string Variable, string? Name, ReferenceExpression Value)> Settings =>
    [
        ("ENDPOINT", "Endpoint", UriExpression),
        ("TOKEN", "Token", ReferenceExpression.Create($"local")),
        ("SERVICE_ACCOUNT_USERNAME", "ServiceAccountUsername", ReferenceExpression.Create($"local")),
        ("SERVICE_ACCOUNT_SECRET", "ServiceAccountSecret", ReferenceExpression.Create($"local")),
        ("OAUTH_TOKEN", null, ReferenceExpression.Create($"local")),
        ("PROJECT_ID", "ProjectId", ReferenceExpression.Create($"1")),
        ("ORGANIZATION_ID", "OrganizationId", ReferenceExpression.Create($"1")),
    ];
}

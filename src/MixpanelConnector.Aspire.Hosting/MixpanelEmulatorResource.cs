namespace Aspire.Hosting.ApplicationModel;

/// <summary>The embedded Mixpanel, run as the tool <c>mixpanel</c>. Its connection string holds its address and its credentials, as <c>AddMixpanel("mixpanel")</c> of the package MixpanelConnector.Aspire reads them.</summary>
/// <param name="name">The resource's name.</param>
/// <param name="command">What runs it.</param>
/// <param name="workingDirectory">Where it runs.</param>
public sealed class MixpanelEmulatorResource(string name, string command, string workingDirectory) : ExecutableResource(name, command, workingDirectory), IResourceWithConnectionString
{
    internal const string EndpointName = "http";

    /// <summary>Where it listens: the one base address for all of Mixpanel's hosts, and of its console.</summary>
    public EndpointReference PrimaryEndpoint => field ??= new EndpointReference(this, EndpointName);

    /// <summary>The address, like <c>http://localhost:8123</c>.</summary>
    public ReferenceExpression UriExpression => ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.Url)}");

    /// <summary>The settings of the Mixpanel Connector, like <c>Endpoint=http://localhost:8123;Token=local</c>.</summary>
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

    /// <summary>What <c>WithReference</c> gives programs in any language, each as a variable of the environment whose name begins with the resource's, like <c>MIXPANEL_ENDPOINT</c>.</summary>
    public IEnumerable<KeyValuePair<string, ReferenceExpression>> GetConnectionProperties() => Settings.Select(setting => KeyValuePair.Create(setting.Variable, setting.Value));

    /// <summary>By what name in the environment, and by what name in a .NET program's settings, which have no OAuth token.</summary>
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

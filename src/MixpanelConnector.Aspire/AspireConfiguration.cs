using System.Data.Common;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace MixpanelConnector.Aspire;

/// <summary>The configuration of one connection in an Aspire application.</summary>
sealed class AspireConfiguration(IConfiguration configuration, string connectionName, Connections connections, Action<AspireMixpanelSettings>? configure)
{
    public const string Section = "Aspire:Mixpanel";

    static readonly string[] Own =
    [
        nameof(AspireMixpanelSettings.ConnectionString),
        nameof(AspireMixpanelSettings.DisableHealthChecks),
        nameof(AspireMixpanelSettings.DisableTracing),
        nameof(AspireMixpanelSettings.DisableMetrics),
    ];

    public IChangeToken ReloadToken() => configuration.GetReloadToken();

    /// <summary>The settings of the integration itself.</summary>
    public AspireMixpanelSettings Settings()
    {
        var settings = new AspireMixpanelSettings();
        foreach (var entry in Sections().SelectMany(section => section.GetChildren()).Where(entry => !string.IsNullOrEmpty(entry.Value)))
        {
            if (Is(entry, nameof(settings.ConnectionString))) settings.ConnectionString = entry.Value;
            else if (Is(entry, nameof(settings.DisableHealthChecks))) settings.DisableHealthChecks = Flag(entry);
            else if (Is(entry, nameof(settings.DisableTracing))) settings.DisableTracing = Flag(entry);
            else if (Is(entry, nameof(settings.DisableMetrics))) settings.DisableMetrics = Flag(entry);
        }

        if (configuration.GetConnectionString(connectionName) is { Length: > 0 } connectionString) settings.ConnectionString = connectionString;
        configure?.Invoke(settings);
        return settings;
    }

    /// <summary>
    /// The settings of the tracker. Those of the connection string come last and take precedence: where the app host points to the embedded Mixpanel, no
    /// setting of another project redirects the traffic.
    /// </summary>
    public IEnumerable<IConfigurationSection> Entries() =>
        Sections().SelectMany(section => section.GetChildren())
            .Where(entry => !Own.Any(name => Is(entry, name)) && !(entry.Value is null && connections.IsName(entry.Key)))
            .Concat(OfConnectionString());

    IEnumerable<IConfigurationSection> Sections()
    {
        var all = configuration.GetSection(Section);
        return [all, all.GetSection(connectionName)];
    }

    IEnumerable<IConfigurationSection> OfConnectionString()
    {
        if (Settings().ConnectionString is not { Length: > 0 } text) return [];
        var path = ConfigurationPath.Combine("ConnectionStrings", connectionName);
        return new ConfigurationBuilder()
            .AddInMemoryCollection(Pairs(text).Select(pair => KeyValuePair.Create(ConfigurationPath.Combine(path, pair.Key), pair.Value))).Build()
            .GetSection(path).GetChildren();
    }

    IEnumerable<KeyValuePair<string, string?>> Pairs(string text)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps))
            return [new(nameof(MixpanelSettings.Endpoint), text)];
        var parser = new DbConnectionStringBuilder();
        try
        {
            parser.ConnectionString = text;
        }
        catch (ArgumentException)
        {
            // The parser's message could contain a secret.
            throw Wrong($"ConnectionStrings:{connectionName}: it must be settings as Name=Value;Name=Value, such as Token=…;Region=Eu, or a URL.");
        }

        return parser.Keys.Cast<string>().Select(key => KeyValuePair.Create(key, Convert.ToString(parser[key], CultureInfo.InvariantCulture)));
    }

    static bool Is(IConfigurationSection entry, string name) => entry.Key.Equals(name, StringComparison.OrdinalIgnoreCase);

    bool Flag(IConfigurationSection entry) => bool.TryParse(entry.Value, out var flag) ? flag : throw Wrong($"{entry.Path}: it must be true or false.");

    OptionsValidationException Wrong(string what) => new(connectionName, typeof(AspireMixpanelSettings), [what]);
}

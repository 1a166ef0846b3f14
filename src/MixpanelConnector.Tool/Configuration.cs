using System.Globalization;

namespace MixpanelConnector.Tool;

/// <summary>One setting: its value and where it came from.</summary>
sealed record Setting(string Name, string? Value, string Source);

/// <summary>The settings specified by the options of a command line.</summary>
sealed record GivenSettings
{
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public string? SecretFile { get; init; }

    /// <summary>The setting whose value is in the secret file.</summary>
    public string Secret { get; init; } = Configuration.SecretName;

    public string? Profile { get; init; }
}

/// <summary>The effective settings. Precedence: option, environment variable, profile file.</summary>
sealed class Configuration
{
    public const string SecretName = "service_account_secret";
    public const string OAuthTokenName = "oauth_token";

    /// <summary>The source of a setting that the user typed at a prompt.</summary>
    public const string Answered = "answer";

    /// <summary>The settings by name, with their environment variables, in the order they are shown.</summary>
    public static readonly IReadOnlyList<(string Name, string Variable)> Names =
    [
        ("token", "MIXPANEL_TOKEN"),
        ("service_account_username", "MIXPANEL_SERVICE_ACCOUNT_USERNAME"),
        (SecretName, "MIXPANEL_SERVICE_ACCOUNT_SECRET"),
        (OAuthTokenName, "MIXPANEL_OAUTH_TOKEN"),
        ("project_id", "MIXPANEL_PROJECT_ID"),
        ("organization_id", "MIXPANEL_ORGANIZATION_ID"),
        ("workspace_id", "MIXPANEL_WORKSPACE_ID"),
        ("region", "MIXPANEL_REGION"),
        ("endpoint", "MIXPANEL_ENDPOINT"),
    ];

    /// <summary>A value as it may be displayed: a secret is masked, a token is shortened to its beginning.</summary>
    public static string? Shown(string name, string? value) => (name, value) switch
    {
        (_, null) => null,
        _ when IsSecret(name) => "***",
        ("token", { Length: > 8 } token) => token[..4] + "***",
        ("endpoint", var address) when Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.UserInfo.Length > 0 => "***",
        _ => value,
    };

    /// <summary>Whether the setting must never be displayed.</summary>
    public static bool IsSecret(string name) => name is SecretName or OAuthTokenName;

    const string FromProfile = "profile ";

    readonly Dictionary<string, Setting> _settings;

    Configuration(Dictionary<string, Setting> settings) => _settings = settings;

    public IEnumerable<Setting> Settings => Names.Select(n => _settings[n.Name]);

    public string? this[string name] => _settings.TryGetValue(name, out var setting) ? setting.Value : null;

    public static Configuration Load(GivenSettings given, HostEnvironment host) => Load(given, new ProfileFile(host).Read(given.Profile), host);

    /// <summary>Loads the settings with a profile that need not be in the file.</summary>
    public static Configuration Load(GivenSettings given, Profile profile, HostEnvironment host)
    {
        var secret = given.SecretFile is { } path ? (path, Secrets.Read(path, host)) : default((string Path, string Text)?);
        return new Configuration(Names.ToDictionary(n => n.Name, n => Find(n.Name, n.Variable), StringComparer.Ordinal));

        Setting Find(string name, string variable)
        {
            if (name == given.Secret && secret is { } read) return new(name, read.Text, read.Path == "-" ? "standard input" : $"file {read.Path}");
            if (given.Options.TryGetValue(name, out var option)) return new(name, option, OptionOf(name));
            if (NonEmpty(host.Environment(variable)) is { } value) return new(name, value, $"environment {variable}");
            if (profile.Values.TryGetValue(name, out var stored)) return new(name, stored, FromProfile + profile.Name);
            return name == "region" ? new(name, "us", "default") : new(name, null, "not set");
        }
    }

    /// <summary>A copy in which the user's answers replace settings.</summary>
    public Configuration With(IReadOnlyDictionary<string, string> answers) =>
        new(Names.ToDictionary(n => n.Name, n => answers.TryGetValue(n.Name, out var answer) ? new Setting(n.Name, answer, Answered) : _settings[n.Name],
            StringComparer.Ordinal));

    /// <summary>The source of a setting.</summary>
    public string SourceOf(string name) => _settings[name].Source;

    /// <summary>An error about the value of a setting, with the place where it was set unless that is the command line.</summary>
    public MixpanelException WithSource(MixpanelException e) =>
        IsSetting(e) && _settings[e.Error.Field!] is { Value: not null, Source: var source }
            && (source.StartsWith("environment ", StringComparison.Ordinal) || source.StartsWith(FromProfile, StringComparison.Ordinal))
            ? new(e.Error with
            {
                Message = $"{e.Error.Message} The value comes from {source.Replace("environment ", "the environment variable ", StringComparison.Ordinal)}.",
            },
                e)
            : e;

    /// <summary>Whether an error is about the value of a setting.</summary>
    public static bool IsSetting(MixpanelException e) => Names.Any(setting => setting.Name == e.Error.Field);

    /// <summary>The profile that a setting came from; null if it has another source.</summary>
    public string? ProfileOf(string name) =>
        SourceOf(name) is { } source && source.StartsWith(FromProfile, StringComparison.Ordinal) ? source[FromProfile.Length..] : null;

    /// <summary>Only the settings of a profile, ignoring options and environment variables.</summary>
    public static Configuration Of(string profile, HostEnvironment host)
    {
        var read = new ProfileFile(host).Read(profile);
        return new Configuration(Names.ToDictionary(n => n.Name,
            n => read.Values.TryGetValue(n.Name, out var stored) ? new Setting(n.Name, stored, FromProfile + read.Name)
                : n.Name == "region" ? new(n.Name, "us", "default")
                : new(n.Name, null, "not set"),
            StringComparer.Ordinal));
    }

    /// <summary>
    /// The settings of the embedded Mixpanel, ignoring the configured ones; those options of the command line that say what is meant there are not ignored. The
    /// token of another project has to be one of them.
    /// </summary>
    public static Configuration Local(LocalMixpanel local, GivenSettings? given = null)
    {
        var project = LocalMixpanel.ProjectId.ToString(CultureInfo.InvariantCulture);
        var isOther = given?.Options.GetValueOrDefault("project_id") is { } other && other.Trim() != project;
        return new(Names.ToDictionary(n => n.Name, Find, StringComparer.Ordinal));

        Setting Find((string Name, string Variable) setting)
        {
            if (setting.Name is "token" or "project_id" or "organization_id" or "workspace_id" && given?.Options.GetValueOrDefault(setting.Name) is { } option)
                return new(setting.Name, option, OptionOf(setting.Name));
            return new(setting.Name, setting.Name switch
            {
                "token" => isOther ? null : LocalMixpanel.Token,
                "service_account_username" => LocalMixpanel.Username,
                SecretName => LocalMixpanel.Secret,
                "project_id" => project,
                "organization_id" => LocalMixpanel.OrganizationId.ToString(CultureInfo.InvariantCulture),
                OAuthTokenName => LocalMixpanel.OAuthToken,
                "endpoint" => local.Address.AbsoluteUri.TrimEnd('/'),
                "region" => "us",
                _ => null,
            }, "embedded Mixpanel");
        }
    }

    static string OptionOf(string name) => $"option --{name.Replace('_', '-')}";

    public bool HasCredential =>
        this["token"] is not null || this[OAuthTokenName] is not null || (this["service_account_username"] is not null && this[SecretName] is not null);

    /// <exception cref="MixpanelException">The value of a setting is malformed.</exception>
    public MixpanelOptions ToOptions(TimeProvider timeProvider)
    {
        var (username, secret) = (this["service_account_username"], this[SecretName]);
        if (username is not null && secret is null)
            throw Invalid("service_account_secret",
                "The service account has a user name but no secret. Set MIXPANEL_SERVICE_ACCOUNT_SECRET, or specify a file with --secret-file.");
        if (username is null && secret is not null)
            throw Invalid("service_account_username", "The service account has a secret but no user name. Set MIXPANEL_SERVICE_ACCOUNT_USERNAME.");
        return new MixpanelOptions
        {
            Token = this["token"],
            ServiceAccount = username is null ? null : new ServiceAccountCredentials(username, new MixpanelSecret(secret!)),
            ProjectId = Integer("project_id"),
            OrganizationId = Integer("organization_id"),
            WorkspaceId = Integer("workspace_id"),
            OAuthToken = Bearer(),
            Region = this["region"]!.ToLowerInvariant() switch
            {
                "us" => MixpanelRegion.Us,
                "eu" => MixpanelRegion.Eu,
                "in" => MixpanelRegion.In,
                _ => throw Invalid("region", "The region must be us, eu or in."),
            },
            Endpoint = this["endpoint"] is not { } endpoint ? null
                : Uri.TryCreate(endpoint, UriKind.Absolute, out var address) ? address
                : throw Invalid("endpoint", "The endpoint must be a URL such as http://127.0.0.1:8080."),
            HintsAtEventNames = true,
            Words = CommandWords.Instance,
            TimeProvider = timeProvider,
        };
    }

    MixpanelSecret? Bearer() => this[OAuthTokenName] switch
    {
        null => null,
        var text when text.All(character => character is > ' ' and < '\x7f') => new MixpanelSecret(text),
        _ => throw Invalid(OAuthTokenName, "The OAuth token must be visible ASCII text without spaces."),
    };

    long? Integer(string name) => this[name] switch
    {
        null => null,
        var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        _ => throw Invalid(name, $"{name} must be a positive integer."),
    };

    internal static string? NonEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    internal static MixpanelException Invalid(string field, string message) => new(new(ErrorKind.InvalidInput, message) { Field = field });
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Files;

namespace MixpanelConnector.Tool;

/// <summary>One setting: its value and where it came from.</summary>
sealed record Setting(string Name, string? Value, string Source);

/// <summary>What the options of a command line say about the settings.</summary>
sealed record GivenSettings
{
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public string? SecretFile { get; init; }

    /// <summary>The setting that the secret file holds.</summary>
    public string Secret { get; init; } = Configuration.SecretName;

    public string? Profile { get; init; }
}

/// <summary>The settings in force: option, then environment, then profile file.</summary>
sealed class Configuration
{
    public const string SecretName = "service_account_secret";
    public const string OAuthTokenName = "oauth_token";

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

    /// <summary>Whether nobody may see the setting.</summary>
    public static bool IsSecret(string name) => name is SecretName or OAuthTokenName;

    readonly Dictionary<string, Setting> _settings;

    Configuration(Dictionary<string, Setting> settings) => _settings = settings;

    public IEnumerable<Setting> Settings => Names.Select(n => _settings[n.Name]);

    public string? this[string name] => _settings.TryGetValue(name, out var setting) ? setting.Value : null;

    public static Configuration Load(GivenSettings given, HostEnvironment host)
    {
        var profile = Profile.Read(new Folders(host.Environment).Profiles, given.Profile ?? NonEmpty(host.Environment("MIXPANEL_PROFILE")), host.Stopping);
        var secret = given.SecretFile is { } path ? (path, Secrets.Read(path, host)) : default((string Path, string Text)?);
        return new Configuration(Names.ToDictionary(n => n.Name, n => Find(n.Name, n.Variable), StringComparer.Ordinal));

        Setting Find(string name, string variable)
        {
            if (name == given.Secret && secret is { } read) return new(name, read.Text, read.Path == "-" ? "standard input" : $"file {read.Path}");
            if (given.Options.TryGetValue(name, out var option)) return new(name, option, $"option --{name.Replace('_', '-')}");
            if (NonEmpty(host.Environment(variable)) is { } value) return new(name, value, $"environment {variable}");
            if (profile.Values.TryGetValue(name, out var stored)) return new(name, stored, $"profile {profile.Name}");
            return name == "region" ? new(name, "us", "default") : new(name, null, "not set");
        }
    }

    /// <summary>The settings of a profile alone, whatever options and the environment say.</summary>
    public static Configuration Of(string profile, HostEnvironment host)
    {
        var read = Profile.Read(new Folders(host.Environment).Profiles, profile, host.Stopping);
        return new Configuration(Names.ToDictionary(n => n.Name, n => read.Values.TryGetValue(n.Name, out var stored) ? new Setting(n.Name, stored, $"profile {read.Name}") : n.Name == "region" ? new(n.Name, "us", "default") : new(n.Name, null, "not set"), StringComparer.Ordinal));
    }

    /// <summary>The embedded Mixpanel in place of whatever is configured.</summary>
    public static Configuration Local(LocalMixpanel local) => new(Names.ToDictionary(n => n.Name, n => new Setting(n.Name, n.Name switch
    {
        "token" => LocalMixpanel.Token,
        "service_account_username" => LocalMixpanel.Username,
        SecretName => LocalMixpanel.Secret,
        "project_id" => LocalMixpanel.ProjectId.ToString(CultureInfo.InvariantCulture),
        "organization_id" => LocalMixpanel.OrganizationId.ToString(CultureInfo.InvariantCulture),
        OAuthTokenName => LocalMixpanel.OAuthToken,
        "endpoint" => local.Address.AbsoluteUri.TrimEnd('/'),
        "region" => "us",
        _ => null,
    }, "embedded Mixpanel"), StringComparer.Ordinal));

    public bool HasCredential => this["token"] is not null || this[OAuthTokenName] is not null || (this["service_account_username"] is not null && this[SecretName] is not null);

    /// <exception cref="MixpanelException">A value does not have the form that its setting needs.</exception>
    public MixpanelOptions ToOptions(TimeProvider timeProvider)
    {
        var (username, secret) = (this["service_account_username"], this[SecretName]);
        if (username is not null && secret is null) throw Invalid("service_account_secret", "The service account has a user name but no secret. Set MIXPANEL_SERVICE_ACCOUNT_SECRET, or name a file with --secret-file.");
        if (username is null && secret is not null) throw Invalid("service_account_username", "The service account has a secret but no user name. Set MIXPANEL_SERVICE_ACCOUNT_USERNAME.");
        return new MixpanelOptions
        {
            Token = this["token"],
            ServiceAccount = username is null ? null : new ServiceAccountCredentials(username, new Secret(secret!)),
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
                : throw Invalid("endpoint", "The endpoint must be an address such as http://127.0.0.1:8080."),
            TimeProvider = timeProvider,
        };
    }

    Secret? Bearer() => this[OAuthTokenName] switch
    {
        null => null,
        var text when text.All(character => character is > ' ' and < '\x7f') => new Secret(text),
        _ => throw Invalid(OAuthTokenName, "The OAuth token must be visible ASCII text without spaces."),
    };

    long? Integer(string name) => this[name] switch
    {
        null => null,
        var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        _ => throw Invalid(name, $"{name} must be an integer."),
    };

    static string? NonEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    internal static MixpanelException Invalid(string field, string message) => new(new(ErrorKind.InvalidInput, message) { Field = field });
}

/// <summary>A named set of settings in the profile file.</summary>
sealed record Profile(string Name, IReadOnlyDictionary<string, string> Values)
{
    const string Default = "default";

    public static Profile Read(string path, string? name, CancellationToken stopping)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!File.Exists(path)) return name is null ? new(Default, values) : throw Configuration.Invalid("profile", $"There is no profile file {path}.");
        try
        {
            using var document = JsonDocument.Parse(GivenFile.Read(path, stopping), new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind is not JsonValueKind.Object) throw new JsonException();
            if (!document.RootElement.TryGetProperty(name ?? Default, out var profile))
                return name is null ? new(Default, values) : throw Configuration.Invalid("profile", $"{path} has no profile {name}.");
            foreach (var member in profile.EnumerateObject())
            {
                if (Configuration.Names.All(n => n.Name != member.Name)) throw Configuration.Invalid(member.Name, $"{path}: profile {name ?? Default} has an unknown setting {member.Name}; known are {string.Join(", ", Configuration.Names.Select(n => n.Name))}.");
                if (member.Value.ValueKind is JsonValueKind.Null) continue;
                values[member.Name] = member.Value.ValueKind switch
                {
                    JsonValueKind.String => member.Value.GetString()!,
                    JsonValueKind.Number => member.Value.GetRawText(),
                    _ => throw Configuration.Invalid(member.Name, $"{path}: profile {name ?? Default}: {member.Name} must be text or a number."),
                };
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Configuration.Invalid("profile", $"{path} must be a JSON object of profiles, each an object of settings, with no name twice.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Configuration.Invalid("profile", $"{path} cannot be read: {e.Message}");
        }

        if (values.Keys.Any(Configuration.IsSecret)) Secrets.EnsurePrivate(path, "profile");
        return new(name ?? Default, values);
    }
}

/// <summary>Secrets come from files that only their owner can read, or from standard input; never from the command line, which every process can see.</summary>
static class Secrets
{
    const int Longest = 4096;

    public static string Read(string path, HostEnvironment host)
    {
        try
        {
            if (path != "-") EnsurePrivate(path, "secret_file");
            using var file = path == "-" ? null : GivenFile.Open(path, host.Stopping);
            var text = file is null ? GivenFile.Input(host.TakeInput("secret_file"), FirstLine, host.Stopping) : FirstLine(file);
            return text is [] || text.Length > Longest ? throw Configuration.Invalid("secret_file", "The secret must be the first line of the file.") : text;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or PathTooLongException or ArgumentException)
        {
            // Not named: whoever takes the option for the secret itself has given it here.
            throw Configuration.Invalid("secret_file", "There is no file of the name that --secret-file gives. It takes the name of a file whose first line is the secret, never the secret itself.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Configuration.Invalid("secret_file", $"The secret cannot be read: {e.Message}");
        }
    }

    static string FirstLine(Stream stream)
    {
        using var reader = new StreamReader(stream);
        var line = new StringBuilder();
        while (line.Length <= Longest && reader.Read() is >= 0 and not '\n' and var character) line.Append((char)character);
        return line.ToString().Trim();
    }

    /// <exception cref="MixpanelException">Others can read the file, or decide what is in it.</exception>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public static void EnsurePrivate(string path, string field)
    {
        if (OperatingSystem.IsWindows()) return;
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        var mode = File.GetUnixFileMode(path);
        if ((mode & Others) != UnixFileMode.None) throw Configuration.Invalid(field, $"{path} holds a secret and can be read by others. Make it private: chmod 600 {path}");
        if (!FileStatus.Behind(path).IsOursOrRoots) throw Configuration.Invalid(field, $"{path} holds a secret and belongs to another user, who can read and exchange it. Make it yours: chown {Environment.UserName} {path}");
    }
}

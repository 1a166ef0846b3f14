using System.Globalization;
using System.Text.Json;

namespace MixpanelConnector.Tool;

/// <summary>One setting: its value and where it came from.</summary>
sealed record Setting(string Name, string? Value, string Source);

/// <summary>What the options of a command line say about the settings.</summary>
sealed record GivenSettings
{
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public string? SecretFile { get; init; }

    public string? Profile { get; init; }
}

/// <summary>The settings in force: option, then environment, then profile file.</summary>
sealed class Configuration
{
    public const string SecretName = "service_account_secret";

    /// <summary>The settings by name, with their environment variables, in the order they are shown.</summary>
    public static readonly IReadOnlyList<(string Name, string Variable)> Names =
    [
        ("token", "MIXPANEL_TOKEN"),
        ("service_account_username", "MIXPANEL_SERVICE_ACCOUNT_USERNAME"),
        (SecretName, "MIXPANEL_SERVICE_ACCOUNT_SECRET"),
        ("project_id", "MIXPANEL_PROJECT_ID"),
        ("organization_id", "MIXPANEL_ORGANIZATION_ID"),
        ("region", "MIXPANEL_REGION"),
        ("endpoint", "MIXPANEL_ENDPOINT"),
    ];

    readonly Dictionary<string, Setting> _settings;

    Configuration(Dictionary<string, Setting> settings) => _settings = settings;

    public IEnumerable<Setting> Settings => Names.Select(n => _settings[n.Name]);

    public string? this[string name] => _settings.TryGetValue(name, out var setting) ? setting.Value : null;

    public static Configuration Load(GivenSettings given, Surroundings surroundings)
    {
        var profile = Profile.Read(new Folders(surroundings.Environment).Profiles, given.Profile ?? NonEmpty(surroundings.Environment("MIXPANEL_PROFILE")));
        var secret = given.SecretFile is { } path ? (path, Secrets.Read(path, surroundings)) : default((string Path, string Text)?);
        return new Configuration(Names.ToDictionary(n => n.Name, n => Find(n.Name, n.Variable), StringComparer.Ordinal));

        Setting Find(string name, string variable)
        {
            if (name == SecretName && secret is { } read) return new(name, read.Text, read.Path == "-" ? "standard input" : $"file {read.Path}");
            if (given.Options.TryGetValue(name, out var option)) return new(name, option, $"option --{name.Replace('_', '-')}");
            if (NonEmpty(surroundings.Environment(variable)) is { } value) return new(name, value, $"environment {variable}");
            if (profile.Values.TryGetValue(name, out var stored)) return new(name, stored, $"profile {profile.Name}");
            return name == "region" ? new(name, "us", "default") : new(name, null, "not set");
        }
    }

    /// <summary>The embedded Mixpanel in place of whatever is configured.</summary>
    public static Configuration Local(LocalMixpanel local) => new(Names.ToDictionary(n => n.Name, n => new Setting(n.Name, n.Name switch
    {
        "token" => LocalMixpanel.Token,
        "service_account_username" => LocalMixpanel.Username,
        SecretName => LocalMixpanel.Secret,
        "project_id" => LocalMixpanel.ProjectId.ToString(CultureInfo.InvariantCulture),
        "organization_id" => LocalMixpanel.OrganizationId.ToString(CultureInfo.InvariantCulture),
        "endpoint" => local.Address.AbsoluteUri.TrimEnd('/'),
        _ => "us",
    }, "embedded Mixpanel"), StringComparer.Ordinal));

    public bool HasCredential => this["token"] is not null || (this["service_account_username"] is not null && this[SecretName] is not null);

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

    public static Profile Read(string path, string? name)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!File.Exists(path)) return name is null ? new(Default, values) : throw Configuration.Invalid("profile", $"There is no profile file {path}.");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
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
            throw Configuration.Invalid("profile", $"{path} must be a JSON object of profiles, each an object of settings.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Configuration.Invalid("profile", $"{path} cannot be read: {e.Message}");
        }

        if (values.ContainsKey(Configuration.SecretName)) Secrets.EnsurePrivate(path, "profile");
        return new(name ?? Default, values);
    }
}

/// <summary>Secrets come from files that only their owner can read, or from standard input; never from the command line, which every process can see.</summary>
static class Secrets
{
    const int Longest = 4096;

    public static string Read(string path, Surroundings surroundings)
    {
        try
        {
            if (path != "-") EnsurePrivate(path, "secret_file");
            using var reader = new StreamReader(path == "-" ? surroundings.TakeInput("secret_file") : File.OpenRead(path));
            var text = reader.ReadLine()?.Trim();
            return string.IsNullOrEmpty(text) || text.Length > Longest ? throw Configuration.Invalid("secret_file", "The secret must be the first line of the file.") : text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Configuration.Invalid("secret_file", $"The secret cannot be read: {e.Message}");
        }
    }

    public static void EnsurePrivate(string path, string field)
    {
        if (OperatingSystem.IsWindows()) return;
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        if ((File.GetUnixFileMode(path) & Others) != UnixFileMode.None) throw Configuration.Invalid(field, $"{path} holds a secret and can be read by others. Make it private: chmod 600 {path}");
    }
}

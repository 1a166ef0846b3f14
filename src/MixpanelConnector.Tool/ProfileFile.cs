using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector.Files;

namespace MixpanelConnector.Tool;

/// <summary>A named set of settings in the profile file.</summary>
sealed record Profile(string Name, IReadOnlyDictionary<string, string> Values);

/// <summary>
/// The profiles of settings: a JSON object of profiles, each an object of settings, in a file that only its owner can read. A file next to it contains the name
/// of the active profile.
/// </summary>
sealed class ProfileFile(HostEnvironment host)
{
    public const string Default = "default";

    const int LongestName = 64;

    public string Path { get; } = new Folders(host.Environment).Profiles;

    /// <summary>The active profile if none is named on the command line: that of MIXPANEL_PROFILE, else that of <c>profile use</c>, else default.</summary>
    public string InUse => Configuration.NonEmpty(host.Environment("MIXPANEL_PROFILE")) ?? Chosen ?? Default;

    string InUsePath => System.IO.Path.Combine(Folder, "profile-in-use");

    string Folder => System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>The name that <c>profile use</c> wrote; null if there is none.</summary>
    string? Chosen
    {
        get
        {
            try
            {
                return File.Exists(InUsePath) ? Configuration.NonEmpty(File.ReadAllText(InUsePath).Trim()) : null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Configuration.Invalid("profile", $"{InUsePath} cannot be read: {e.Message}");
            }
        }
    }

    /// <summary>The names of all profiles.</summary>
    /// <exception cref="MixpanelException">The file cannot be read, or is malformed.</exception>
    public IReadOnlyList<string> Names => [.. Content().Select(profile => profile.Key)];

    /// <summary>The profile with a name, or the active one if it is null. The default profile is empty if it does not exist.</summary>
    /// <exception cref="MixpanelException">There is no profile of the name, or the file cannot be read, or is malformed.</exception>
    public Profile Read(string? name)
    {
        var wanted = name ?? InUse;
        var content = Content();
        if (!content.TryGetPropertyValue(wanted, out var node))
            return name is null && wanted == Default ? new(Default, new Dictionary<string, string>(StringComparer.Ordinal)) : throw Missing(wanted, content);
        var profile = new Profile(wanted, Values(wanted, node));
        if (profile.Values.Keys.Any(Configuration.IsSecret)) Secrets.EnsurePrivate(Path, "profile");
        return profile;
    }

    /// <summary>Writes a profile; replaces one of the same name.</summary>
    /// <exception cref="MixpanelException">The file cannot be written, or the existing one is malformed.</exception>
    public void Write(Profile profile) =>
        Change(content => content[profile.Name] = new JsonObject(profile.Values.Select(setting => KeyValuePair.Create(setting.Key, (JsonNode?)setting.Value))));

    /// <summary>Deletes a profile. If it was active, default becomes the active one.</summary>
    /// <exception cref="MixpanelException">There is no profile of the name, or the file cannot be written.</exception>
    public void Delete(string name) => Change(content =>
    {
        if (!content.Remove(name)) throw Missing(name, content);
        if (Chosen == name) File.Delete(InUsePath);
    });

    /// <summary>Makes a profile the active one.</summary>
    /// <exception cref="MixpanelException">There is no profile of the name, or the file cannot be written.</exception>
    public void Use(string name)
    {
        var content = Content();
        if (!content.ContainsKey(name)) throw Missing(name, content);
        Locked(() => NewFile.Write(InUsePath, System.Text.Encoding.UTF8.GetBytes(name + "\n")));
    }

    /// <exception cref="MixpanelException">The name is not valid for a new profile.</exception>
    public static void EnsureName(string name)
    {
        if (name.Length is 0 or > LongestName || !char.IsAsciiLetterOrDigit(name[0])
            || name.Any(character => !char.IsAsciiLetterOrDigit(character) && character is not ('-' or '_' or '.')))
            throw Configuration.Invalid("profile",
                $"The name of a profile must begin with a letter or digit, and have at most {LongestName} letters, digits, '-', '_' and '.'.");
    }

    MixpanelException Missing(string name, JsonObject content) => Configuration.Invalid("profile",
        !File.Exists(Path) ? $"There is no profile file {Path}. mixpanel login creates one."
        : $"{Path} has no profile {GivenName.Shown(name)}. {(content.Count == 0 ? "mixpanel login creates one." : $"It has {string.Join(", ", content.Select(profile => profile.Key))}.")}");

    Dictionary<string, string> Values(string name, JsonNode? profile)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (setting, value) in profile as JsonObject ?? throw NoProfiles())
        {
            if (Configuration.Names.All(known => known.Name != setting))
                throw Configuration.Invalid(setting,
                    $"{Path}: profile {name} has an unknown setting {setting}; known are {string.Join(", ", Configuration.Names.Select(known => known.Name))}.");
            if (value is null) continue;
            values[setting] = value.GetValueKind() is JsonValueKind.String or JsonValueKind.Number
                ? value.ToString()
                : throw Configuration.Invalid(setting, $"{Path}: profile {name}: {setting} must be text or a number.");
        }

        return values;
    }

    JsonObject Content()
    {
        if (!File.Exists(Path)) return [];
        try
        {
            var content =
                JsonNode.Parse(GivenFile.Read(Path, host.Stopping), documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject
                ?? throw NoProfiles();
            foreach (var profile in content.Select(profile => profile.Value).OfType<JsonObject>())
                foreach (var (_, value) in profile) _ = value?.ToString(); // throws for invalid text
            return content;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw NoProfiles();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Configuration.Invalid("profile", $"{Path} cannot be read: {e.Message}");
        }
    }

    MixpanelException NoProfiles() =>
        Configuration.Invalid("profile", $"{Path} must be a JSON object of profiles, each an object of settings, without duplicate names.");

    void Change(Action<JsonObject> change) => Locked(() =>
    {
        var content = Content();
        change(content);
        NewFile.Write(Path, JsonSerializer.SerializeToUtf8Bytes(content, ProfileJson.Readable.JsonObject));
    });

    /// <summary>Serializes changes across all processes.</summary>
    void Locked(Action change)
    {
        try
        {
            OwnFolder.Make(Folder);
            using var turn = FileLock.TryTakeFolder(Folder)
                ?? throw Configuration.Invalid("profile", $"Another command is currently changing {Path}. Try again.");
            change();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Configuration.Invalid("profile", $"{Path} cannot be written: {e.Message}");
        }
    }
}

[JsonSerializable(typeof(JsonObject))]
sealed partial class ProfileJson : JsonSerializerContext
{
    public static ProfileJson Readable { get; } =
        new(new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

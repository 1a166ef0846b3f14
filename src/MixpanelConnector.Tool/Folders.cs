namespace MixpanelConnector.Tool;

/// <summary>The folders in which the program stores files: the XDG base directories; on Windows folders in the local application data.</summary>
sealed class Folders(Func<string, string?> environment)
{
    public string Profiles => Path.Combine(Base("XDG_CONFIG_HOME", ".config"), "mixpanel", "profiles.json");

    public string State => Path.Combine(Base("XDG_STATE_HOME", ".local/state"), "mixpanel");

    public string Secrets => Path.Combine(Base("XDG_DATA_HOME", ".local/share"), "mixpanel", "secrets");

    public string LocalData => Path.Combine(Base("XDG_DATA_HOME", ".local/share"), "mixpanel", "local");

    string Base(string variable, string belowHome)
    {
        // The XDG specification requires relative paths to be ignored.
        if (environment(variable) is { Length: > 0 } path && Path.IsPathRooted(path)) return path;
        if (OperatingSystem.IsWindows()) return System.Environment.GetFolderPath(System.Environment.SpecialFolder.LocalApplicationData);
        var home = environment("HOME") is { Length: > 0 } h ? h : System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile);
        return Path.Combine(home, belowHome);
    }
}

using System.CommandLine;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The options of every command: the settings, and the output format.</summary>
static class CommonOptions
{
    public static readonly IReadOnlyList<Option<string>> Settings =
    [
        Setting("token", "The project token (MIXPANEL_TOKEN)."),
        Setting("service_account_username", "The user name of the service account (MIXPANEL_SERVICE_ACCOUNT_USERNAME)."),
        Setting("project_id", "The project (MIXPANEL_PROJECT_ID)."),
        Setting("organization_id", "The organization (MIXPANEL_ORGANIZATION_ID)."),
        Setting("workspace_id", "The workspace (MIXPANEL_WORKSPACE_ID). Default: the only one that the service account can access."),
        Setting("region", "The region of the project: us, eu or in (MIXPANEL_REGION). Default: us.", "us", "eu", "in"),
        Setting("endpoint", "One base URL that replaces all Mixpanel hosts (MIXPANEL_ENDPOINT)."),
    ];

    public static readonly Option<string> SecretFile = new("--secret-file")
    {
        Description = "A file, private to its owner, whose first line is the service account's secret, or the OAuth token for an action that needs one; "
            + "- for standard input. Default: MIXPANEL_SERVICE_ACCOUNT_SECRET, MIXPANEL_OAUTH_TOKEN.",
        HelpName = "FILE",
        Recursive = true,
    };

    public static readonly Option<string> Profile = new("--profile")
    {
        Description = "The profile in the profile file to take the settings from (MIXPANEL_PROFILE). Default: default.",
        HelpName = "NAME",
        Recursive = true,
    };

    public static readonly Option<bool> Local = new("--local")
    {
        Description = "Use the embedded Mixpanel: no account, no network. The settings of a real account are ignored; --project-id, --token, "
            + "--organization-id and --workspace-id are those of the embedded Mixpanel.",
        Recursive = true,
    };

    public static readonly Option<string> Data = new("--data")
    {
        Description = "Where the embedded Mixpanel keeps its data. Default: the user's data folder.",
        HelpName = "DIR",
        Recursive = true,
    };

    public static readonly Option<string> Output = OutputOption();

    public static readonly Option<bool> Quiet = new("--quiet")
    {
        Description = "Only errors on standard error: no progress, no notes, no line for each bad record.",
        Recursive = true,
    };

    public static readonly Option<bool> Verbose = new("--verbose")
    {
        Description = "Log each request to Mixpanel with its response and duration on standard error, without secrets and property values.",
        Recursive = true,
    };

    /// <summary>All of them, in the order in which help lists them.</summary>
    public static IReadOnlyList<Option> All { get; } = [.. Settings, SecretFile, Profile, Local, Data, Output, Quiet, Verbose];

    public static void AddTo(RootCommand root)
    {
        foreach (var option in All) root.Add(option);
    }

    /// <summary>Whether a word is one of these options and is followed by a value.</summary>
    public static bool TakesValue(string word) => All.Any(option => option.Name == word && option is not Option<bool>);

    /// <summary>Whether a setting of the name has an option.</summary>
    public static bool IsSetting(string name) => Settings.Any(setting => Name(setting) == name);

    public static GivenSettings Given(ParseResult parsed) => new()
    {
        Options = Settings
            .Where(option => parsed.GetValue(option) is { } value
                && !(value.StartsWith('<') && value.EndsWith('>'))) // such as <YOUR_PROJECT_ID>: stands for the configured value
            .ToDictionary(option => Name(option), option => parsed.GetValue(option)!, StringComparer.Ordinal),
        SecretFile = parsed.GetValue(SecretFile),
        Profile = parsed.GetValue(Profile),
    };

    /// <summary>Whether JSON was requested explicitly; otherwise imports and exports print a table at the end.</summary>
    public static bool AsJson(ParseResult parsed) => parsed.GetResult(Output)?.Tokens is [{ Value: "json" }];

    /// <summary>Parses the raw words, because it is also called for invalid command lines.</summary>
    public static bool AsTable(ParseResult parsed) => parsed.GetResult(Output)?.Tokens is [{ Value: "table" }];

    /// <summary>The snake_case name of an option.</summary>
    public static string Name(Option option) => option.Name.TrimStart('-').Replace('-', '_');

    /// <summary>The option for a snake_case name.</summary>
    public static string OptionName(string name) => "--" + name.TrimStart('$').Replace('_', '-');

    static Option<string> Setting(string name, string description, params string[] completions)
    {
        var option = new Option<string>(OptionName(name))
        {
            Description = description,
            HelpName = completions.Length > 0 ? string.Join('|', completions) : "VALUE",
            Recursive = true,
        };
        option.CompletionSources.Add(completions);
        return option;
    }

    static Option<string> OutputOption()
    {
        var option = new Option<string>("--output")
        {
            Description = "The output format. Default: json; for import, table.",
            HelpName = "json|table",
            Recursive = true,
        };
        option.AcceptOnlyFromAmong("json", "table");
        return option;
    }
}

using System.CommandLine;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>How a one-time secret leaves the program: in the JSON if requested, or in a new private file. Decided before anything is created.</summary>
sealed class SecretHandover
{
    /// <summary>The descriptions of the options.</summary>
    public const string Show = "Print the one-time secret in the JSON.";
    public const string ToFile = "Write the one-time secret to this new file, readable by its owner only.";

    readonly Option<bool> _show = new("--show-secret") { Description = Show };
    readonly Option<string> _file = new("--secret-out") { Description = ToFile, HelpName = "FILE" };

    SecretHandover(Command command)
    {
        command.Add(_show);
        command.Add(_file);
    }

    public static SecretHandover AddTo(Command command) => new(command);

    public PreparedHandover Prepare(ParseResult parsed)
    {
        if (parsed.GetValue(_file) is not null && parsed.GetValue(_show))
            throw Configuration.Invalid("show_secret", "--show-secret and --secret-out are mutually exclusive. Nothing was created.");
        if (parsed.GetValue(_file) is { } path) return new PreparedHandover(path);
        return parsed.GetValue(_show)
            ? new PreparedHandover(path: null)
            : throw Configuration.Invalid("secret_out",
                "The response contains a secret that is shown only once. Specify where to store it: "
                + "--secret-out FILE (a new private file) or --show-secret (in the JSON). Nothing was created.");
    }
}

using System.Text;
using System.Text.Json;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Cli;

namespace MixpanelConnector.Tool.Tests;

/// <summary>The result of one run of the program.</summary>
sealed record Run(int Exit, string Out, string Err)
{
    public JsonElement Json => JsonElement.Parse(Out);

    public JsonElement Problem => JsonElement.Parse(Err);
}

/// <summary>The program, run in this process with a separate host environment: an empty home, environment variables, in-memory streams.</summary>
sealed class Tool : IDisposable
{
    public const string Secret = "s3cret-of-the-account";

    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    public TemporaryFolder Folder { get; } = new();

    public string Input { get; set; } = "";

    /// <summary>Standard input as bytes, instead of <see cref="Input"/>.</summary>
    public byte[]? InputBytes { get; set; }

    /// <summary>A standard output to use instead of the recorded one, for example one that fails.</summary>
    public Stream? Output { get; init; }

    public bool Terminal { get; init; }

    public int TerminalWidth { get; set; } = 80;

    public ImpatientClock Clock { get; init; } = new();

    /// <summary>The default settings, for a fake Mixpanel.</summary>
    public static Tool At(RecordingServer server, bool terminal = false, ImpatientClock? clock = null, Stream? output = null) => new()
    {
        Terminal = terminal,
        Clock = clock ?? new(),
        Output = output,
        Environment =
        {
            ["MIXPANEL_ENDPOINT"] = server.Url,
            ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = "robot",
            ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = Secret,
            ["MIXPANEL_PROJECT_ID"] = "12345",
        },
    };

    public async Task<Run> RunAsync(params string[] arguments)
    {
        using var stop = new Stop();
        return await RunAsync(stop, arguments);
    }

    /// <summary>A run that the test can stop.</summary>
    public async Task<Run> RunAsync(Stop stop, params string[] arguments)
    {
        using var output = new MemoryStream();
        using var error = new StringWriter();
        var exit = await CommandLine.RunAsync(arguments, new HostEnvironment
        {
            Environment = name => name == "HOME" ? Folder.Path : Environment.GetValueOrDefault(name),
            Input = new MemoryStream(InputBytes ?? Encoding.UTF8.GetBytes(Input)),
            Output = Output ?? output,
            Error = error,
            OutputIsTerminal = Terminal,
            ErrorIsTerminal = Terminal,
            TerminalWidth = () => TerminalWidth,
            TimeProvider = Clock,
            Stopping = stop.Token,
        }, stop);
        return new(exit, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }

    /// <summary>Writes the profile file.</summary>
    public string WriteProfiles(string json, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        Directory.CreateDirectory(Folder.File(".config/mixpanel"));
        var path = Folder.Write(".config/mixpanel/profiles.json", json);
        SetMode(path, mode);
        return path;
    }

    public string WriteSecret(string text, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        var path = Folder.Write("secret", text);
        SetMode(path, mode);
        return path;
    }

    public void Dispose() => Folder.Dispose();

    static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, mode);
    }
}

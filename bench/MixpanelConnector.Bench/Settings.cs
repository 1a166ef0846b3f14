using System.Globalization;

namespace MixpanelConnector.Bench;

/// <summary>The options of a command.</summary>
sealed record Settings(string[] Arguments)
{
    public int Events => Number("--events", 1_000_000);

    /// <summary>The duration of the overload phase, in seconds.</summary>
    public int Overload => Number("--overload", 60);

    public int Rounds => Number("--rounds", 5);

    /// <summary>The build of <c>mixpanel.dll</c> to measure; null for the one of this repository.</summary>
    public string? Tool => Text("--tool");

    /// <summary>Another build of <c>mixpanel.dll</c> to measure in the same run.</summary>
    public string? Other => Text("--other");

    /// <summary>Whether to measure 10 GB as well.</summary>
    public bool Vast => Arguments.Contains("--vast", StringComparer.Ordinal);

    public string? Text(string name) => Array.IndexOf(Arguments, name) is var at and >= 0 && at + 1 < Arguments.Length ? Arguments[at + 1] : null;

    public int Number(string name, int otherwise) => Text(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}

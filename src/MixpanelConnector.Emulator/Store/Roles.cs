namespace MixpanelConnector.Emulator.Store;

/// <summary>The roles of the service-account API, most powerful first.</summary>
static class Roles
{
    public const string Owner = "owner";
    public const string Analyst = "analyst";

    public static readonly string[] All = [Owner, "admin", Analyst, "consumer"];

    public static bool IsKnown(string? role) => All.Contains(role, StringComparer.Ordinal);

    /// <summary>Whether the role may manage accounts and import events.</summary>
    public static bool Manages(string? role) => role is Owner or "admin";

    /// <summary>Whether the role may write annotations, flags and experiments: all but read-only roles.</summary>
    public static bool Writes(string? role) => Manages(role) || role == Analyst;

    /// <summary>1 for the most powerful.</summary>
    public static int Order(string role) => Array.IndexOf(All, role) + 1;
}

using System.Globalization;

namespace MixpanelConnector.Faults;

/// <summary>The size of a campaign: small in the test suite, otherwise as <c>eng/campaign.sh</c> sets it.</summary>
static class Campaign
{
    static readonly Lock Lock = new();

    /// <summary>A number that <c>eng/campaign.sh</c> sets.</summary>
    public static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable($"CAMPAIGN_{name}") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>Shows the progress of a running campaign.</summary>
    public static void Show(string text)
    {
        if (Environment.GetEnvironmentVariable("CAMPAIGN_LOG") is not { Length: > 0 } log) return;
        lock (Lock) File.AppendAllText(log, text + "\n");
    }
}

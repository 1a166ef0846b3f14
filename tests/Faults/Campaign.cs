using System.Globalization;

namespace MixpanelConnector.Faults;

/// <summary>How large a campaign is: small in the test suite, as large as <c>eng/campaign.sh</c> says otherwise.</summary>
static class Campaign
{
    static readonly Lock Lock = new();

    /// <summary>A number that <c>eng/campaign.sh</c> sets.</summary>
    public static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable($"CAMPAIGN_{name}") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>Shows how far a campaign is, when one runs.</summary>
    public static void Show(string text)
    {
        if (Environment.GetEnvironmentVariable("CAMPAIGN_LOG") is not { Length: > 0 } log) return;
        lock (Lock) File.AppendAllText(log, text + "\n");
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Faults;

/// <summary>Exports of a few days as processes, from a Mixpanel that returns the same events each time.</summary>
sealed class Exports(RecordingServer mixpanel, Bucket bucket, TemporaryFolder folder)
{
    public const int Days = 3;

    /// <summary>A small day, an empty one, and one that is uploaded to object storage in two parts.</summary>
    public static Answer AnswerTo(RecordedRequest request)
    {
        var day = int.Parse(request.Query.Split("from_date=2026-10-")[1][..2], CultureInfo.InvariantCulture);
        var time = new DateTimeOffset(2026, 10, day, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        var filler = new string('x', 1000);
        var lines = new StringBuilder();
        for (var number = 0; number < day switch { 1 => 5, 2 => 0, _ => 8500 }; number++)
            lines.Append(CultureInfo.InvariantCulture,
                $$$"""{"event":"E","properties":{"time":{{{time + number}}},"distinct_id":"u","$insert_id":"{{{day}}}-{{{number}}}","filler":"{{{filler}}}"}}""")
                .Append('\n');
        return Answer.Plain(lines.ToString()).Gzipped();
    }

    public static IEnumerable<JsonNode> Entries(byte[] manifest) => JsonNode.Parse(manifest)!["files"]!.AsArray().Select(file => file!);

    /// <summary>The settings of an export from a Mixpanel.</summary>
    public static Dictionary<string, string> Settings(RecordingServer mixpanel, TemporaryFolder folder, string state = "state") => new(StringComparer.Ordinal)
    {
        ["HOME"] = folder.Path,
        ["XDG_STATE_HOME"] = folder.File(state),
        ["MIXPANEL_ENDPOINT"] = mixpanel.Url,
        ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = "robot",
        ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = "s3cret-of-the-account",
        ["MIXPANEL_PROJECT_ID"] = "1",
    };

    /// <param name="to">A folder, or an address.</param>
    /// <param name="state">The state folder that the runs on one machine share.</param>
    public Importer Start(string to, string state = "state") => Importer.Start(
        ["export", "events", "--output", "json", "--to", to, "--from-date", "2026-10-01", "--to-date", $"2026-10-{Days:00}", "--compression", "none",
            "--parallel", "1", "--calls-per-hour", "0", "--calls-per-second", "0", "--backoff-min", "10ms"],
        new Dictionary<string, string>(Settings(mixpanel, folder, state), StringComparer.Ordinal)
        {
            ["AWS_ENDPOINT_URL"] = bucket.Url,
            ["AWS_ACCESS_KEY_ID"] = "id",
            ["AWS_SECRET_ACCESS_KEY"] = "s3cret-of-the-bucket",
        });

    public async Task<Ended> RunAsync(string to, string state = "state")
    {
        using var export = Start(to, state);
        return await export.EndAsync();
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector.Tests.Tracking;

/// <summary>Half of a surrogate pair is refused: replaced by U+FFFD, two ids would become one.</summary>
public sealed partial class UnicodeTests
{
    const string High = "a\ud83d", Low = "\ude00b", Between = "a\"\ud83d\ud83dz";

    static readonly (string Field, Func<IMixpanelTracker, string, bool> Track)[] Ways =
    [
        ("event", (tracker, bad) => tracker.Track(bad, "u")),
        ("distinct_id", (tracker, bad) => tracker.Track("e", bad)),
        ("distinct_id", (tracker, bad) => tracker.Track("e", MixpanelUser.Identified(bad, "d"))),
        ("$device_id", (tracker, bad) => tracker.Track("e", MixpanelUser.Identified("u", bad))),
        ("v", (tracker, bad) => tracker.Track("e", "u", new { v = bad })),
        ("v", (tracker, bad) => tracker.Track("e", "u", new { a = "fine", v = new[] { "x", bad } })),
        ("v", (tracker, bad) => tracker.Track("e", "u", new { v = new Dictionary<string, int>(StringComparer.Ordinal) { [bad] = 1 } })),
        ("v", (tracker, bad) => tracker.Track("e", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["v"] = bad })),
        ("v", (tracker, bad) => tracker.Track("e", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["v"] = new[] { bad } })),
        ("v.w",
            (tracker, bad) => tracker.Track("e", "u",
                new Dictionary<string, object?>(StringComparer.Ordinal) { ["v"] = new Dictionary<string, object?>(StringComparer.Ordinal) { ["w"] = bad } })),
        ("v", (tracker, bad) => tracker.Track("e", "u", new JsonObject { ["v"] = bad })),
        ("v", (tracker, bad) => tracker.Track("e", "u", new JsonObject { ["v"] = new JsonArray(bad) })),
        ("v",
            (tracker, bad) => tracker.Track("e", "u",
                new Dictionary<string, object?>(StringComparer.Ordinal) { ["v"] = bad[^1] is 'z' or 'b' ? bad[0] is '\ude00' ? bad[0] : bad[2] : bad[^1] })),
        ("Text", (tracker, bad) => tracker.Track("u", new ByHand(bad))),
        ("Text", (tracker, bad) => tracker.Track("u", new Written(bad), UnicodeContracts.Default.Written)),
        ("$distinct_id", (tracker, bad) => tracker.Profile(bad).Set("a", 1)),
        ("v", (tracker, bad) => tracker.Profile("u").Set("v", bad)),
        ("$group_key", (tracker, bad) => tracker.Group(bad, "acme").Set("a", 1)),
        ("$group_id", (tracker, bad) => tracker.Group("company", bad).Set("a", 1)),
        ("$anon_id", (tracker, bad) => tracker.Identify("u", bad)),
        ("alias", (tracker, bad) => tracker.CreateAlias("u", bad)),
        ("$distinct_ids", (tracker, bad) => tracker.Merge("u", bad)),
    ];

    public static TheoryData<int, string> Each =>
        [.. from way in Enumerable.Range(0, Ways.Length) from bad in (string[])[High, Low, Between] select new TheoryDataRow<int, string>(way, bad)];

    [Theory, MemberData(nameof(Each), DisableDiscoveryEnumeration = true)]
    public async Task Half_of_a_pair_is_refused_by_name(int way, string bad)
    {
        var (field, track) = Ways[way];
        await using var run = new TrackerRun();
        var recording = new RecordingTracker();

        Assert.False(track(run.Tracker, bad));
        Assert.False(track(recording, bad));

        Assert.Equal(("not_serializable", field), (Assert.Single(run.Rejected).Code, run.Rejected[0].Field));
        Assert.Equal(field, Assert.Single(recording.Rejected).Field);
    }

    [Theory, MemberData(nameof(Each), DisableDiscoveryEnumeration = true)]
    public async Task Whole_pairs_and_the_replacement_character_itself_stay(int way, string bad)
    {
        var fine = bad.Replace("\ud83d\ud83d", "\ud83d\ude00", StringComparison.Ordinal)
            .Replace("a\ud83d", "a\ud83d\ude00\ufffd", StringComparison.Ordinal)
            .Replace("\ude00b", "\ud83d\ude00\ufffdb", StringComparison.Ordinal);
        await using var run = new TrackerRun();

        if (way == 12) return; // a char is never a whole pair
        var stored = await run.OnlyAsync(tracker => Ways[way].Track(tracker, fine));

        Assert.Contains(JsonSerializer.Serialize(fine)[1..^1], JsonSerializer.Serialize(stored), StringComparison.Ordinal);
    }

    [MixpanelEvent("Written")]
    sealed record Written(string Text);

    sealed record ByHand(string Text) : IMixpanelEvent<ByHand>
    {
        public static string EventName => "By hand";

        public static void WriteProperties(ByHand happened, MixpanelEventWriter writer)
        {
            writer.Name("Text"u8);
            writer.Value(happened.Text);
        }
    }

    [JsonSerializable(typeof(Written))]
    sealed partial class UnicodeContracts : JsonSerializerContext;
}

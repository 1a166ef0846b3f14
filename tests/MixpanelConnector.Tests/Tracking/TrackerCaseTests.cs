using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Tracking;

/// <summary>
/// Answers of Mixpanel, or of a server in its place, to a tracker: each case is a folder of <c>tests/Cases/tracker</c> with the expected
/// outcome of the tracked records; see the README there. A new case is a new folder.
/// </summary>
public sealed class TrackerCaseTests
{
    static readonly string Folder = Repository.File("tests/Cases/tracker");

    public static TheoryData<string> Cases => [.. Directory.GetDirectories(Folder).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Cases))]
    public async Task What_is_tracked_ends_where_it_should(string name)
    {
        var expected = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Folder, name, "case.json"), TestContext.Current.CancellationToken))!.AsObject();
        AssertKnown(expected, "because", "batch", "answers", "until_told", "flush", "track", "stored", "rejected", "requests", "most", "largest");
        var tracking = new TrackerOptions { StopTimeout = TimeSpan.FromMinutes(30) };
        if ((int?)expected["batch"] is { } batch) tracking = tracking with { BatchRecords = batch };
        await using var run = new TrackerRun(tracking);
        var answers = new Queue<JsonObject>((expected["answers"]?.AsArray() ?? []).SelectMany(answer => Enumerable.Repeat(answer!.AsObject(), Times(answer!))));
        var untilTold = expected["until_told"]?.AsObject();
        run.Mixpanel.Script = request =>
        {
            lock (answers)
            {
                if (untilTold is not null) return Scripted(untilTold, run, request);
                if (answers.FirstOrDefault() is not { } next || !IsMeant(next, request)) return null;
                if ((bool?)next["always"] is not true) answers.Dequeue();
                return Scripted(next, run, request);
            }
        };

        foreach (var step in expected["track"]!.AsArray())
            for (var n = 0; n < Times(step!); n++) Track(step!.AsObject(), run.Tracker, n);

        if (untilTold is not null)
        {
            var told = await Given.FailsAsync(() => run.Tracker.FlushAsync());
            Assert.Equal((string?)expected["flush"], told.Error.Kind.ToString());
            Assert.Equal(told.Error.Kind, run.Tracker.LastError?.Kind);
            Assert.Equal(expected["track"]!.AsArray().Sum(step => Times(step!)), run.Tracker.Pending);
            lock (answers) untilTold = null;
            while (run.Tracker.Pending > 0) await Task.Yield();
        }

        await run.Tracker.FlushAsync();

        Assert.Equal(0, run.Tracker.Pending);
        Assert.Null(run.Tracker.LastError);
        AssertEach(expected["stored"]!.AsArray(), run.Mixpanel.Stored.Select(record => JsonNode.Parse(record)!.AsObject()));
        AssertEach(expected["rejected"]?.AsArray() ?? [], run.Rejected.Select(rejected => new JsonObject
        {
            ["code"] = rejected.Code,
            ["field"] = rejected.Field,
            ["http_status"] = rejected.HttpStatus,
            ["maybe_delivered"] = rejected.MaybeDelivered,
            ["json"] = JsonNode.Parse(rejected.Json.Span),
        }));
        var ids = run.Mixpanel.Stored.Select(record => JsonElement.Parse(record))
            .Where(record => record.TryGetProperty("event", out _))
            .Select(record => record.GetProperty("properties").GetProperty("$insert_id").GetString()).ToList();
        Assert.Equal(ids.Count, ids.Distinct(StringComparer.Ordinal).Count());
        if ((int?)expected["requests"] is { } requests) Assert.Equal(requests, run.Mixpanel.Requests.Count);
        if ((int?)expected["most"] is { } most) Assert.All(run.Mixpanel.Requests, request => Assert.InRange(request.Records.Count, 1, most));
        if ((int?)expected["largest"] is { } largest) Assert.All(run.Mixpanel.Requests, request => Assert.InRange(request.Body.Length, 0, largest));
    }

    static void Track(JsonObject step, MixpanelTracker tracker, int n)
    {
        AssertKnown(step, "event", "identify", "profile", "group", "update", "user", "properties", "pad", "times");
        var properties = (step["properties"]?.DeepClone() ?? new JsonObject()).AsObject();
        if (step["times"] is not null) properties["i"] = n;
        if ((int?)step["pad"] is { } pad) properties["pad"] = new string('p', pad);
        var taken = step switch
        {
            _ when (string?)step["event"] is { } name => tracker.Track(name, (string?)step["user"] ?? "u", properties),
            _ when (string?)step["identify"] is { } user => tracker.Identify(user, "0b7e2c4e-6a58-4c9e-8f0e-2a6f5d1c3b4a"),
            _ when (string?)step["group"] is { } group => tracker.Group("company", group).Set(properties),
            _ => Update(tracker.Profile((string)step["profile"]!), (string)step["update"]!, properties),
        };
        Assert.True(taken, step.ToJsonString());
    }

    static bool Update(ProfileUpdates profile, string update, JsonObject properties) => update switch
    {
        "$set" => profile.Set(properties),
        "$set_once" => profile.SetOnce(properties),
        "$add" => properties.All(property => profile.Add(property.Key, (long)property.Value!)),
        "$append" => properties.All(property => profile.Append(property.Key, property.Value!.DeepClone())),
        _ => throw new ArgumentOutOfRangeException(nameof(update), update, "No update of a case."),
    };

    static HttpResponseMessage? Scripted(JsonObject answer, TrackerRun run, ArrivedRequest request)
    {
        AssertKnown(answer, "status", "body", "headers", "throws", "stores", "times", "always", "path", "with", "over");
        if ((bool?)answer["stores"] is true) run.Mixpanel.Store(request.Records);
        if ((string?)answer["throws"] is { } exception) throw UnforeseenTests.Exceptions[exception]();
        var scripted = MixpanelDouble.Answer((int)answer["status"]!, answer["body"] is JsonValue text ? (string)text! : answer["body"]?.ToJsonString() ?? "");
        foreach (var (name, value) in answer["headers"]?.AsObject() ?? []) scripted.Headers.TryAddWithoutValidation(name, (string)value!);
        return scripted;
    }

    static bool IsMeant(JsonObject answer, ArrivedRequest request) =>
        ((string?)answer["path"] is not { } path || request.Path == path)
        && ((string?)answer["with"] is not { } with || request.Records.Any(record => record.Contains(with, StringComparison.Ordinal)))
        && ((int?)answer["over"] is not { } over || request.Body.Length > over);

    static int Times(JsonNode node) => (int?)node["times"] ?? 1;

    /// <summary>Asserts that the counts are equal, and that each expected one matches a different actual one.</summary>
    static void AssertEach(JsonArray expected, IEnumerable<JsonObject> found)
    {
        var left = found.ToList();
        foreach (var wanted in expected)
        {
            var form = wanted!.DeepClone().AsObject();
            form.Remove("times");
            for (var n = 0; n < Times(wanted!); n++)
            {
                var fitting = left.FindIndex(candidate => Fits(form, candidate));
                Assert.True(fitting >= 0,
                    $"{n} and not more of {form.ToJsonString()} beside {left.Count} others, such as {left.FirstOrDefault()?.ToJsonString()}");
                left.RemoveAt(fitting);
            }
        }

        Assert.True(left.Count == 0, $"{left.Count} beyond what is expected, such as {left.FirstOrDefault()?.ToJsonString()}");
    }

    static void AssertKnown(JsonObject form, params string[] members) =>
        Assert.Empty(form.Select(member => member.Key).Except(members, StringComparer.Ordinal));

    /// <summary>Whether every expected member is present with its value; null means that the member is absent.</summary>
    static bool Fits(JsonNode? expected, JsonNode? actual) => (expected, actual) switch
    {
        (JsonObject members, JsonObject others) => members.All(member => Fits(member.Value, others[member.Key])),
        _ => JsonNode.DeepEquals(expected, actual),
    };
}

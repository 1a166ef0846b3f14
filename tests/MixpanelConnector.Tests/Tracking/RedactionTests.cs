using System.Text.Json.Nodes;

namespace MixpanelConnector.Tests.Tracking;

public sealed class RedactionTests
{
    [Theory]
    [InlineData("""{"password":"x","a":1}""", """{"a":1}""")]
    [InlineData("""{"PassWord":{"deep":1},"a":1}""", """{"a":1}""")]
    [InlineData("""{"a":{"b":[{"password":1,"c":2}]}}""", """{"a":{"b":[{"c":2}]}}""")]
    [InlineData("""{"passwords":"kept","my password":1}""", """{"passwords":"kept","my password":1}""")]
    public async Task Named_properties_go_at_every_depth(string given, string expected) =>
        await SameAsync(new() { Names = ["password"] }, given, expected);

    [Theory]
    [InlineData("""{"a":"ada@example.com"}""", "{}")]
    [InlineData("""{"a":["x","mail me: a.b+c@mail.example.co.uk!"]}""", """{"a":["x"]}""")]
    [InlineData("""{"url":"https://x.com/?q=ada%40example.com&p=1","b":1}""", """{"b":1}""")]
    [InlineData("""{"ada@example.com":1,"b":"not @ all, a@b, @x.com"}""", """{"b":"not @ all, a@b, @x.com"}""")]
    public async Task Addresses_go_with_the_property_or_the_item(string given, string expected) =>
        await SameAsync(new() { EmailAddresses = true }, given, expected);

    [Theory]
    [InlineData("""{"a":"to ada@example.com and bob@example.com.","password":5}""", """{"a":"to *** and ***.","password":"***"}""")]
    [InlineData("""{"a":"$1 ada@example.com"}""", """{"a":"$1 ***"}""")]
    public async Task With_a_replacement_the_rest_of_a_text_stays(string given, string expected) =>
        await SameAsync(new() { EmailAddresses = true, Names = ["password"], Replacement = "***" }, given, expected);

    [Theory]
    [InlineData("4111111111111111", "*")]
    [InlineData("card 4111 1111 1111 1111 12/27", "card * 12/27")]
    [InlineData("4111-1111-1111-1111, 378282246310005", "*, *")]
    [InlineData("12345 4111 1111 1111 1111", "12345 *")]
    [InlineData("5555555555554444.", "*.")]
    [InlineData("4111111111111112", "4111111111111112")]
    [InlineData("1700000000000", "1700000000000")]
    [InlineData("941111111111111111", "941111111111111111")]
    [InlineData("41111111111111114111111111111111", "41111111111111114111111111111111")]
    [InlineData("tel 4111", "tel 4111")]
    [InlineData("", "")]
    public async Task Numbers_of_cards_are_told_from_others(string given, string expected) =>
        await SameAsync(new() { CardNumbers = true, Replacement = "*" }, new JsonObject { ["a"] = given }.ToJsonString(),
            new JsonObject { ["a"] = expected }.ToJsonString());

    [Fact]
    public async Task A_card_as_a_number_goes_and_a_time_stays() =>
        await SameAsync(new() { CardNumbers = true }, """{"card":4111111111111111,"at":1700000000000,"x":4.111111111111111}""",
            """{"at":1700000000000,"x":4.111111111111111}""");

    [Fact]
    public async Task Own_patterns_run_in_linear_time() =>
        await SameAsync(new() { Patterns = [@"\b\d{3}-\d{2}-\d{4}\b", "(?i)(a+)+b!"], Replacement = "-" },
            $$"""{"ssn":"is 123-45-6789.","a":"{{new string('a', 50_000)}}c"}""", $$"""{"ssn":"is -.","a":"{{new string('a', 50_000)}}c"}""");

    [Theory]
    [InlineData("$set", true)]
    [InlineData("$append", false)]
    [InlineData("$add", false)]
    public async Task An_update_that_changes_a_list_or_adds_gets_no_replacement(string operation, bool isReplaced)
    {
        await using var run = new TrackerRun(new TrackerOptions { Redaction = new() { Names = ["secret"], Replacement = "***" } });

        var profile = run.Tracker.Profile("ada");
        Assert.True(operation switch { "$set" => profile.Set("secret", 1), "$append" => profile.Append("secret", 1), _ => profile.Add("secret", 1) });
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(isReplaced ? """{"secret":"***"}""" : null, run.Stored.Select(record => record.GetProperty(operation).GetRawText()).SingleOrDefault());
    }

    [Fact]
    public async Task It_comes_after_BeforeSend_and_sees_what_is_sent()
    {
        await using var run = new TrackerRun(new TrackerOptions
        {
            SuperProperties = new() { ["owner"] = "ada@example.com" },
            BeforeSend = [record => { record.Properties["added"] = JsonValue.Create(new Uri("mailto:ada@example.com"), Json.Default.Uri); return true; }],
            Redaction = new() { EmailAddresses = true },
        });

        var sent = await run.OnlyAsync(tracker => tracker.Track("E", "ada"));

        Assert.DoesNotContain("example", sent.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ids_stay()
    {
        await using var run = new TrackerRun(new TrackerOptions { Redaction = new() { EmailAddresses = true, Names = ["alias", "token", "time"] } });

        run.Tracker.Track("E", "ada@example.com", new { token = "own", time = 1795435200 });
        run.Tracker.Identify("ada@example.com", "bob@example.com");
        run.Tracker.CreateAlias("ada@example.com", "bob@example.com");
        run.Tracker.Merge("ada@example.com", "bob@example.com");
        run.Tracker.Profile("ada@example.com").Set("a", 1);
        run.Tracker.Group("company", "x@example.com").Set("a", 1);
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.All(run.Stored, record => Assert.Contains("@example.com", record.GetRawText(), StringComparison.Ordinal));
        Assert.Equal(3, run.Stored.Count(record => record.GetRawText().Contains("bob@example.com", StringComparison.Ordinal)));
        var first = run.Stored.Single(record => record.TryGetProperty("event", out var name) && name.GetString() == "E").GetProperty("properties");
        Assert.False(first.TryGetProperty("token", out _));
        Assert.Equal(1795435200, first.GetProperty("time").GetInt64());
    }

    [Theory]
    [InlineData("ip", null)]
    [InlineData("$ip", null)]
    [InlineData("IP", "***")]
    public async Task The_address_of_a_person_can_be_named(string name, string? replacement)
    {
        await using var run = new TrackerRun(new TrackerOptions { Redaction = new() { Names = [name], Replacement = replacement } });

        Assert.Equal(0,
            (await run.OnlyAsync(tracker => tracker.Track("E", "ada", new { ip = "1.2.3.4" }))).GetProperty("properties").GetProperty("ip").GetInt32());
        run.Tracker.Profile("ada").With(new ProfileSettings { Ip = "1.2.3.4" }).Set("a", 1);
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.DoesNotContain("1.2.3.4", run.Stored[1].GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("distinct_id", null, "distinct_id")]
    [InlineData("", null, "empty")]
    [InlineData("a", "(", "not a regular expression")]
    [InlineData("a", "(?<=x)y", "linear")]
    [InlineData("a", "x*", "empty string")]
    public void One_that_cannot_be_is_refused(string name, string? pattern, string expected)
    {
        var options = new TrackerOptions { Redaction = new() { Names = [name], Patterns = pattern is null ? [] : [pattern] } };

        var refused = Assert.Throws<MixpanelException>(() => new MixpanelTracker(Given.Token(), options));

        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.Equal("redaction", refused.Error.Field);
    }

    /// <summary>As an event and as an update.</summary>
    static async Task SameAsync(Redaction redaction, string given, string expected)
    {
        await using var run = new TrackerRun(new TrackerOptions { Redaction = redaction });
        run.Tracker.Track("E", "u", JsonNode.Parse(given)!.AsObject());
        run.Tracker.Profile("u").Set(JsonNode.Parse(given)!.AsObject());
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        var properties = JsonNode.Parse(run.Stored.Single(record => record.TryGetProperty("event", out _)).GetProperty("properties").GetRawText())!.AsObject();
        foreach (var name in (string[])["distinct_id", "time", "$insert_id", "ip", "mp_lib", "$lib_version"]) properties.Remove(name);
        Assert.Equal(expected, properties.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        var update = run.Stored.SingleOrDefault(record => !record.TryGetProperty("event", out _));
        if (expected == "{}") Assert.Equal(default, update.ValueKind);
        else Assert.Equal(expected, update.GetProperty("$set").GetRawText());
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(Uri))]
sealed partial class Json : System.Text.Json.Serialization.JsonSerializerContext;

using System.Text.Json.Nodes;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Binding;

/// <summary>One rule for every date and time that an action takes as text: what is wrong is said in words, and nothing is sent.</summary>
public sealed class DateFieldTests
{
    const string LocalTime = "^(?:[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})$";

    static readonly string[] Garbage =
    [
        "garbage", "", " ", "01.02.2026", "2026-1-2", "2026-01-31 ", "2026-01-31\n", "٢٠٢٦-01-31", "20260131", "tomorrow", "2026-01-31T25",
    ];

    /// <summary>The fields whose schema is that of a date or a time.</summary>
    public static TheoryData<string, string> Fields
    {
        get
        {
            var fields = new TheoryData<string, string>();
            foreach (var action in ActionCatalogue.Actions)
                foreach (var (name, rules) in PropertiesOf(action))
                    if (IsDate(rules!)) fields.Add(action.Name, name);
            return fields;
        }
    }

    [Fact]
    public void Every_date_has_the_schema_of_one()
    {
        Assert.Equal(30, Fields.Count);
        // An expiry may also be a duration; its own tests are below.
        var others = ActionCatalogue.Actions.SelectMany(action =>
            PropertiesOf(action)
                .Where(field => (string?)field.Value!["type"] == "string" && IsNamedLikeOne(field.Key) && !IsDate(field.Value))
                .Select(field => $"{action.Name} {field.Key}"));
        Assert.Equal("create_service_account expires", string.Join(", ", others));

        static bool IsNamedLikeOne(string name) =>
            name is "date" or "expires" || name.EndsWith("_date", StringComparison.Ordinal) || name.EndsWith("_at", StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Fields))]
    public async Task A_text_of_another_form_is_refused_in_words_with_an_example(string action, string field)
    {
        foreach (var text in Garbage)
        {
            var said = await RefusalOfAsync(action, field, text);
            Assert.Matches($@"(^|; ){field}: must be a (date|time|day or a time,) such as 2026-01-31[0-9 :]*( or 2026-01-31T13:00:00Z)?(\.$|; )", said);
        }
    }

    [Theory, MemberData(nameof(Fields))]
    public async Task A_day_or_a_time_of_day_that_does_not_exist_is_refused_as_that(string action, string field)
    {
        foreach (var text in Exists(action, field).SelectMany(NotExisting))
            Assert.Contains($"{field}: is {text}, a {(text.Length == 10 ? "day" : "time")} that does not exist", await RefusalOfAsync(action, field, text),
                StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Fields))]
    public async Task One_that_exists_is_taken(string action, string field)
    {
        foreach (var text in Exists(action, field)) Assert.DoesNotContain($"{field}:", await RefusalOfAsync(action, field, text), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2027-02-30", "is 2027-02-30, a day that does not exist")]
    [InlineData(" 2027-02-30 ", "is 2027-02-30, a day that does not exist")]
    [InlineData("2027-02-30T12:00:00Z", "is 2027-02-30T12:00:00Z, a time that does not exist")]
    [InlineData("2027-01-31T24:00:00Z", "is 2027-01-31T24:00:00Z, a time that does not exist")]
    [InlineData("31.1.2027", "such as 2027-01-31")]
    [InlineData("garbage", "such as 2027-01-31")]
    public async Task An_expiry_that_does_not_exist_is_refused_as_that(string text, string says)
    {
        await using var server = await RecordingServer.StartAsync();
        using var client = new MixpanelClient(Given.Account().At(server));
        var error = (await Given.FailsAsync(() => client.CallAsync("create_service_account", $$"""{"username":"a","expires":"{{text}}"}"""))).Error;
        Assert.Equal((ErrorKind.InvalidInput, "expires"), (error.Kind, error.Field));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    /// <summary>Ids have a pattern, too.</summary>
    [Fact]
    public async Task No_pattern_is_shown_to_people()
    {
        foreach (var action in ActionCatalogue.Actions)
            foreach (var (name, rules) in PropertiesOf(action))
                if (rules!["pattern"] is not null) Assert.DoesNotContain("match", await RefusalOfAsync(action.Name, name, "garbage"), StringComparison.Ordinal);
    }

    static JsonObject PropertiesOf(ActionDescriptor action) => action.InputSchema()["properties"]!.AsObject();

    static bool IsDate(JsonNode rules) =>
        (string?)rules["format"] == "date"
            || ((string?)rules["pattern"] is { } pattern && pattern.StartsWith("^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}", StringComparison.Ordinal));

    static string[] Exists(string action, string field)
    {
        var rules = PropertiesOf(ActionCatalogue.Find(action)!)[field]!;
        return (string?)rules["format"] == "date" ? ["2026-01-31", "2024-02-29", "0001-01-01", "9999-12-31"]
            : (string?)rules["pattern"] == LocalTime ? ["2026-01-31 13:00:00", "2024-02-29 00:00:00", "2026-12-31 23:59:59"]
            :
            [
                "2026-01-31",
                "2024-02-29",
                "2026-01-31T13:00:00Z",
                "2026-01-31T13:00:00",
                "2026-01-31 13:00:00",
                "2026-01-31T13:00:00.5Z",
                "2026-01-31T13:00:00.1234567+05:30",
                "2026-01-31T13:00:00-0800",
            ];
    }

    static IEnumerable<string> NotExisting(string text)
    {
        foreach (var day in (string[])["2026-02-30", "2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "0000-01-01"]) yield return day + text[10..];
        if (text.Length == 10) yield break;
        foreach (var time in (string[])["24:00:00", "23:60:00", "23:59:60"]) yield return text[..11] + time + text[19..];
    }

    /// <summary>What is said about an input with this field alone; empty if nothing is wrong.</summary>
    static async Task<string> RefusalOfAsync(string action, string field, string text)
    {
        await using var server = await RecordingServer.StartAsync();
        using var client = new MixpanelClient(Given.Account().At(server));
        try
        {
            await client.CallAsync(action, new JsonObject { [field] = text }.ToJsonString());
            return "";
        }
        catch (MixpanelException e)
        {
            if (e.Error.Kind is ErrorKind.InvalidInput) Assert.Empty(server.Requests);
            return e.Error.Kind is ErrorKind.InvalidInput ? e.Error.Message : "";
        }
    }
}

using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Actions;

/// <summary>Every action with the table of <c>tests/Cases/actions</c>, from JSON to JSON.</summary>
public class ActionRowTests
{
    const string OAuthText = "oauth-of-a-person";

    public static TheoryData<string> Names => [.. ActionRow.All.Select(row => row.Name)];

    [Theory, MemberData(nameof(Names))]
    public async Task An_action_asks_and_answers_as_its_row_says(string name)
    {
        var row = ActionRow.All.Single(row => row.Name == name);
        using var mixpanel = new ScriptedMixpanel(row);
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        using var client = new MixpanelClient(Options(row), http);
        var action = ActionCatalogue.Find(row.Action)!;

        if (row.Problem is { } problem)
        {
            var error = (await Given.FailsAsync(action.InvokeAsync(client, row.Input, TestContext.Current.CancellationToken))).Error;
            Assert.Equal(problem.Kind, JsonNamingPolicy.SnakeCaseLower.ConvertName(error.Kind.ToString()));
            Assert.Equal(problem.Field, error.Field);
            if (problem.Says is not null) Assert.Contains(problem.Says, error.Message, StringComparison.Ordinal);
        }
        else
        {
            var result = await action.InvokeAsync(client, row.Input, TestContext.Current.CancellationToken);
            Given.JsonEqual(row.Output!.Value.GetRawText(), JsonElement.Parse(result.Json.Span));
            Assert.Equal(row.Refused, result.Refused);
            Assert.Equal(row.Secret is not null, !result.Secrets.IsEmpty);
        }

        Assert.Equal(row.Wire.Select(ActionRow.Sorted), mixpanel.Lines, StringComparer.Ordinal);
        if (mixpanel.Lines.Count == 0) return;
        Assert.Equal(action.Auth switch { AuthScheme.ProjectToken => null, AuthScheme.OAuthToken => $"Bearer {OAuthText}", _ => Given.AccountHeader },
            mixpanel.Authorization);
        Assert.Equal(row.Type, mixpanel.Type);
        Assert.True(row.IsBody(mixpanel.Body), mixpanel.Body);
    }

    [Fact]
    public void Every_action_has_a_row() =>
        Assert.Empty(ActionCatalogue.Actions.Select(action => action.Name)
            .Except(ActionRow.All.Where(row => row is { Shows: null, Problem: null }).Select(row => row.Action), StringComparer.Ordinal));

    [Theory]
    [InlineData(MixpanelRegion.Eu, "-eu", "eu.")]
    [InlineData(MixpanelRegion.In, "-in", "in.")]
    public async Task The_region_chooses_the_host_of_every_action(MixpanelRegion region, string suffix, string prefix)
    {
        foreach (var row in Plain)
        {
            using var mixpanel = new ScriptedMixpanel(row);
            using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
            using var client = new MixpanelClient(Options(row) with { Region = region }, http);

            await ActionCatalogue.Find(row.Action)!.InvokeAsync(client, row.Input, TestContext.Current.CancellationToken);

            var line = row.Wire[^1]
                .Replace("https://api.", $"https://api{suffix}.", StringComparison.Ordinal)
                .Replace("https://data.", $"https://data{suffix}.", StringComparison.Ordinal)
                .Replace("https://mixpanel", $"https://{prefix}mixpanel", StringComparison.Ordinal);
            Assert.Equal(ActionRow.Sorted(line), mixpanel.Lines[^1]);
        }
    }

    /// <summary>Whatever is received instead of an answer results in an output or a problem, never in an unexpected exception.</summary>
    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("5")]
    [InlineData("\"text\"")]
    [InlineData("true")]
    [InlineData("[null]")]
    [InlineData("[[]]")]
    [InlineData("[5]")]
    [InlineData("[{}]")]
    [InlineData("{\"results\":null}")]
    [InlineData("{\"results\":[]}")]
    [InlineData("{\"results\":{}}")]
    [InlineData("{\"results\":5}")]
    [InlineData("{\"results\":\"text\"}")]
    [InlineData("{\"results\":[null]}")]
    [InlineData("{\"results\":[[]]}")]
    [InlineData("{\"results\":[{}]}")]
    [InlineData("{\"results\":{\"id\":[],\"name\":{},\"results\":null,\"status\":7}}")]
    [InlineData("{\"status\":\"ok\",\"error\":{}}")]
    public async Task No_answer_is_a_defect(string answer)
    {
        foreach (var row in Plain)
        {
            using var mixpanel = new ScriptedMixpanel(row with { Replies = [new RowReply { Body = JsonElement.Parse(answer) }] });
            using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
            using var client = new MixpanelClient(Options(row), http);

            var defect = await Record.ExceptionAsync(async () =>
                await ActionCatalogue.Find(row.Action)!.InvokeAsync(client, row.Input, TestContext.Current.CancellationToken));

            Assert.True(defect is null or MixpanelException { Error.Kind: not ErrorKind.InvalidInput }, $"{row.Action}: {defect}");
        }
    }

    public static TheoryData<string, int> Once => Outcomes(isRepeatable: false);

    public static TheoryData<string, int> Again => Outcomes(isRepeatable: true);

    [Theory, MemberData(nameof(Once))]
    public async Task What_must_not_be_repeated_is_sent_once_and_its_outcome_is_said_to_be_unknown(string action, int status)
    {
        var (error, sent) = await FailAsync(action, status);

        Assert.Equal(1, sent);
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        Assert.Matches("may have been (done|created)", error.Message);
    }

    [Theory, MemberData(nameof(Again))]
    public async Task What_may_be_repeated_is_sent_again(string action, int status)
    {
        var (error, sent) = await FailAsync(action, status);

        Assert.True(sent > 1, $"It was sent {sent} times.");
        Assert.DoesNotContain("may have been", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deletion_that_finds_nothing_at_its_second_try_is_done()
    {
        foreach (var row in Plain.Where(row => ActionCatalogue.Find(row.Action)!.Effect is ActionEffect.Delete
            && row.Wire[0].StartsWith("DELETE ", StringComparison.Ordinal)))
        {
            using var mixpanel =
                new ScriptedMixpanel(row with { Replies = [new(0), new(404, JsonElement.Parse("""{"status":"error","error":"not found"}"""))] });
            using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
            using var client = new MixpanelClient(Options(row), http);

            await ActionCatalogue.Find(row.Action)!.InvokeAsync(client, row.Input, TestContext.Current.CancellationToken);

            Assert.Equal(2, mixpanel.Lines.Count);
        }
    }

    static IEnumerable<ActionRow> Plain => ActionRow.All.Where(row => row.Shows is null);

    static TheoryData<string, int> Outcomes(bool isRepeatable)
    {
        var data = new TheoryData<string, int>();
        foreach (var operation in Operation.All.Where(operation => operation.IsRepeatable == isRepeatable))
            foreach (var status in new[] { 0, 500 }) data.Add(operation.Action, status);
        return data;
    }

    static async Task<(MixpanelError Error, int Sent)> FailAsync(string action, int status)
    {
        var row = Plain.Single(row => row.Action == action);
        using var mixpanel = new ScriptedMixpanel(row with { Replies = [new(status)] });
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        using var client = new MixpanelClient(Options(row), http);
        var error = (await Given.FailsAsync(ActionCatalogue.Find(action)!.InvokeAsync(client, row.Input, TestContext.Current.CancellationToken))).Error;
        return (error, mixpanel.Lines.Count);
    }

    static MixpanelOptions Options(ActionRow row) => Given.Account() with
    {
        Token = Given.TokenText,
        OAuthToken = new MixpanelSecret(OAuthText),
        ProjectId = row.Setting("project_id"),
        OrganizationId = row.Setting("organization_id"),
        WorkspaceId = row.Setting("workspace_id"),
    };
}

namespace MixpanelConnector.Emulator.Tests.Control;

/// <summary>Members that Mixpanel ignores silently are refused if that is enabled.</summary>
public sealed class StrictUnknownTests
{
    [Theory]
    [InlineData("/track?ip=1&_=123&img=0", """[{"event":"A","properties":{"token":"local"}}]""", null)]
    [InlineData("/track?debug=1", """[{"event":"A","properties":{"token":"local"}}]""", "unknown parameter: debug")]
    [InlineData("/track?verbose=1", """[{"event":"A","propertiez":{},"properties":{"token":"local"}}]""",
        "'propertiez' is invalid: only 'event' and 'properties' are allowed")]
    [InlineData("/track", "data=W10%3D&debug=1", "unknown parameter: debug")]
    [InlineData("/engage?verbose=1", """{"$token":"local","$distinct_id":"a","$user_id":"b","$set":{}}""", null)]
    [InlineData("/engage?verbose=1", """{"$token":"local","$distinct_id":"a","$sett":{},"$set":{}}""", "'$sett' is invalid: not known")]
    [InlineData("/groups?verbose=1", """{"$token":"local","$group_key":"k","$group_id":"a","colour":1,"$set":{}}""", "'colour' is invalid: not known")]
    [InlineData("/groups?colour=1", """{"$token":"local","$group_key":"k","$group_id":"a","$set":{}}""", "unknown parameter: colour")]
    [InlineData("/import?project_id=1&colour=1", "[]", "unknown parameter: colour")]
    public async Task An_unknown_parameter_or_member_is_refused(string path, string body, string? message)
    {
        await using var strict = await LocalMixpanel.StartAsync(options => options with { StrictUnknown = true });
        await using var lenient = await LocalMixpanel.StartAsync();

        var answers = new List<string>();
        foreach (var mixpanel in (LocalMixpanel[])[strict, lenient])
            answers.Add((await mixpanel.SendAsync(HttpMethod.Post, path, new StringContent(body), LocalMixpanel.Basic("local", "local"))).Text);

        if (message is null) Assert.Equal(answers[1], answers[0]);
        else Assert.Contains(message, answers[0].Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("known", answers[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/app/projects/1/annotations", """{"date":"2026-01-31 13:00:00","description":"d"}""", null)]
    [InlineData("/api/app/projects/1/annotations", """{"date":"2026-01-31 13:00:00","description":"d","colour":1}""", "colour: is not known")]
    [InlineData("/api/app/projects/1/annotations/tags", """{"name":"t","colour":1}""", "colour: is not known")]
    [InlineData("/api/app/organizations/1/service-accounts", """{"username":"u","projects":[{"id":1,"role":"admin"}]}""", null)]
    [InlineData("/api/app/organizations/1/service-accounts", """{"username":"u","projects":[{"id":1,"rôle":"admin"}]}""", "projects.rôle: is not known")]
    [InlineData("/api/app/organizations/1/service-accounts", """{"username":"u","expired":"2030-01-01T00:00:00Z"}""", "expired: is not known")]
    [InlineData("/api/app/workspaces/1/experiments", """{"name":"e","hypotheses":"h"}""", "hypotheses: is not known")]
    public async Task An_unknown_member_of_a_body_of_the_App_API_is_refused(string path, string body, string? message)
    {
        await using var strict = await LocalMixpanel.StartAsync(options => options with { StrictUnknown = true });
        await using var lenient = await LocalMixpanel.StartAsync();

        var answer = await strict.SendAsync(HttpMethod.Post, path, new StringContent(body), LocalMixpanel.Basic("local", "local"));

        Assert.Equal((message is null ? null : 400, message),
            (answer.Status < 300 ? null : (int?)answer.Status, answer.Status < 300 ? null : answer.Json.GetProperty("error").GetString()));
        Assert.InRange((await lenient.SendAsync(HttpMethod.Post, path, new StringContent(body), LocalMixpanel.Basic("local", "local"))).Status, 200, 299);
    }
}

using System.Text;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests.Interfaces;

/// <summary>A fake Mixpanel for a table of rows: returns the current row's answers and records requests. Rows without settings share interfaces.</summary>
public sealed class RowMixpanel : IAsyncLifetime
{
    const string Username = "robot";
    const string Token = "0123456789abcdef0123456789abcdef";
    const string OAuthToken = "oauth-of-a-person";

    readonly List<RecordedRequest> _asked = [];
    RecordingServer _server = null!;
    EveryInterface _usual = null!;
    ActionRow? _row;

    public async ValueTask InitializeAsync()
    {
        _server = await RecordingServer.StartAsync(Answer);
        _usual = await EveryInterface.StartAsync(Settings(row: null));
    }

    public async ValueTask DisposeAsync()
    {
        await _usual.DisposeAsync();
        await _server.DisposeAsync();
    }

    /// <summary>Executes a call of a row, and compares the requests to Mixpanel with the row.</summary>
    internal async Task<T> CallAsync<T>(ActionRow row, ActionDescriptor action, Func<EveryInterface, Task<T>> call)
    {
        var own = row.Settings is null ? null : await EveryInterface.StartAsync(Settings(row));
        try
        {
            Begin(row);
            (own ?? _usual).Renew();
            var given = await call(own ?? _usual);
            EnsureAsked(row, action);
            return given;
        }
        finally
        {
            if (own is not null) await own.DisposeAsync();
        }
    }

    /// <summary>Executes a call that must not reach Mixpanel.</summary>
    internal async Task CallInVainAsync(ActionRow row, Func<EveryInterface, Task> call)
    {
        Begin(row);
        await call(_usual);
        Assert.Empty(_asked);
    }

    void Begin(ActionRow row)
    {
        _row = row;
        _asked.Clear();
    }

    void EnsureAsked(ActionRow row, ActionDescriptor action)
    {
        Assert.Equal(row.Wire.Select(PathOf), _asked.Select(request => ActionRow.Line(request.Method, Uri.UnescapeDataString(request.Path), request.Query)), StringComparer.Ordinal);
        if (_asked.Count == 0) return;
        var last = _asked[^1];
        Assert.Equal(row.Type, last.Header("Content-Type")?.Split(';')[0]);
        Assert.True(row.IsBody(last.Text), last.Text);
        Assert.Equal(
            action.Auth switch
            {
                AuthScheme.ProjectToken => null,
                AuthScheme.OAuthToken => $"Bearer {OAuthToken}",
                _ => $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{Tool.Secret}"))}",
            }, last.Header("Authorization"));
    }

    /// <summary>A line of the row without the host, which is this server, and unescaped.</summary>
    static string PathOf(string line)
    {
        var sorted = ActionRow.Sorted(line);
        var method = sorted[..sorted.IndexOf(' ', StringComparison.Ordinal)];
        var path = sorted[sorted.IndexOf('/', sorted.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var query = path.IndexOf('?', StringComparison.Ordinal);
        return $"{method} {Uri.UnescapeDataString(query < 0 ? path : path[..query])}{(query < 0 ? "" : path[query..])}";
    }

    Answer Answer(RecordedRequest request)
    {
        _asked.Add(request);
        if (_row is not { Replies.Count: > 0 }) return Testing.Answer.Plain("Nothing is to be asked.", 500);
        var reply = _row.Reply(_asked.Count - 1);
        if (reply.Status == 0) return Testing.Answer.Reset;
        var body = Encoding.UTF8.GetBytes(reply.Text);
        if (reply.IsCut) return Testing.Answer.RawText($"HTTP/1.1 {reply.Status} OK\r\nContent-Type: {reply.Type}\r\nTransfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{reply.Text}\r\n");
        return new Answer { Status = reply.Status, Body = body, Headers = reply.Type is null ? [] : [("Content-Type", reply.Type)] };
    }

    Dictionary<string, string> Settings(ActionRow? row)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["MIXPANEL_ENDPOINT"] = _server.Url,
            ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = Username,
            ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = Tool.Secret,
            ["MIXPANEL_TOKEN"] = Token,
            ["MIXPANEL_OAUTH_TOKEN"] = OAuthToken,
        };
        foreach (var name in new[] { "project_id", "organization_id", "workspace_id" })
            if ((row ?? ActionRow.All[0]).Setting(name) is { } id) settings["MIXPANEL_" + name.ToUpperInvariant()] = id.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return settings;
    }
}

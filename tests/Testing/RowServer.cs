using System.Globalization;
using System.Text;

namespace MixpanelConnector.Testing;

/// <summary>A fake Mixpanel for rows, one at a time: returns a row's answers, and compares the requests with it.</summary>
public sealed class RowServer : IAsyncDisposable
{
    public const string Username = "robot";
    public const string Secret = "s3cret-of-the-account";
    public const string OAuthToken = "oauth-of-a-person";

    readonly List<RecordedRequest> _asked = [];
    RecordingServer _server = null!;
    ActionRow? _row;

    RowServer()
    {
    }

    /// <summary>The requests since the row began.</summary>
    public IReadOnlyList<RecordedRequest> Asked => _asked;

    public static async Task<RowServer> StartAsync()
    {
        var server = new RowServer();
        server._server = await RecordingServer.StartAsync(server.Answer);
        return server;
    }

    /// <summary>Answers as a row specifies from now on.</summary>
    public void Begin(ActionRow row)
    {
        _row = row;
        _asked.Clear();
    }

    /// <summary>How the requests differ from those of the row; null if they do not.</summary>
    public string? Difference()
    {
        var row = _row!;
        var (expected, asked) = (string.Join('\n', row.Wire.Select(PathOf)),
            string.Join('\n', _asked.Select(request => ActionRow.Line(request.Method, Uri.UnescapeDataString(request.Path), request.Query))));
        if (expected != asked) return $"Expected the requests\n{expected}\nbut there were\n{asked}";
        if (_asked is not [.., var last]) return null;
        var type = last.Header("Content-Type")?.Split(';')[0];
        return type == row.Type && row.IsBody(last.Text) ? null : $"Unexpected body of {type ?? "no type"}: {last.Text}";
    }

    /// <summary>The settings that point the program at this server, as environment variables.</summary>
    /// <param name="row">The row whose own settings apply; null for the usual ones.</param>
    public Dictionary<string, string> Settings(ActionRow? row)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["MIXPANEL_ENDPOINT"] = _server.Url,
            ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = Username,
            ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = Secret,
            ["MIXPANEL_TOKEN"] = "0123456789abcdef0123456789abcdef",
            ["MIXPANEL_OAUTH_TOKEN"] = OAuthToken,
        };
        foreach (var name in new[] { "project_id", "organization_id", "workspace_id" })
            if ((row ?? ActionRow.All[0]).Setting(name) is { } id) settings["MIXPANEL_" + name.ToUpperInvariant()] = id.ToString(CultureInfo.InvariantCulture);
        return settings;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

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
        if (reply.IsCut)
            return Testing.Answer.RawText(
                $"HTTP/1.1 {reply.Status} OK\r\nContent-Type: {reply.Type}\r\nTransfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{reply.Text}\r\n");
        return new Answer { Status = reply.Status, Body = body, Headers = reply.Type is null ? [] : [("Content-Type", reply.Type)] };
    }
}

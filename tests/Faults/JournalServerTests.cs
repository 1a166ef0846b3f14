using System.Net;
using System.Text;

namespace MixpanelConnector.Faults;

/// <summary>The server on which the campaigns rely: it never stores what it refuses, whatever fault it injects.</summary>
public sealed class JournalServerTests
{
    public static TheoryData<string> Faults => [.. Replies.Keys];

    static readonly Dictionary<string, (Reply Reply, HttpStatusCode? Status)> Replies = new(StringComparer.Ordinal)
    {
        ["none"] = (Reply.Good, HttpStatusCode.BadRequest),
        ["500 after storing"] = (Reply.Error(500, stores: true), HttpStatusCode.InternalServerError),
        ["reset after storing"] = (Reply.Reset(stores: true), null),
        ["cut answer"] = (new Reply { Ending = Ending.Cut }, HttpStatusCode.BadRequest),
        ["slow answer"] = (new Reply { Delay = TimeSpan.FromMilliseconds(1) }, HttpStatusCode.BadRequest),
    };

    [Theory, MemberData(nameof(Faults))]
    public async Task A_refused_event_is_not_stored(string fault)
    {
        var (reply, status) = Replies[fault];
        var journal = new FullJournal();
        await using var server = new JournalServer(journal) { Refuses = n => n == 1, Script = _ => reply };

        Assert.Equal(status, await PostAsync(server.Url));

        Assert.Equal([0L, 2L], journal.Arrivals.Select(arrival => arrival.Oid));
        Assert.Equal(2, server.Stored);
        Assert.Empty(server.Complaints);
    }

    static async Task<HttpStatusCode?> PostAsync(string url)
    {
        using var client = new HttpClient { Timeout = Hang.Limit };
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{url}/import?strict=1");
        request.Content = new StringContent($"[{string.Join(',', Enumerable.Range(0, 3).Select(Event))}]", Encoding.UTF8, "application/json");
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            return response.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    static string Event(int n) => $$$"""{"event":"Seen","properties":{"time":1757000000,"distinct_id":"u","$insert_id":"id-{{{n}}}","oid":{{{n}}}}}""";
}

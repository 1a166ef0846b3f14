using System.Net;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Tests.Actions;

/// <summary>Stands where the network would be: gives the answers of a row, and keeps what was asked.</summary>
sealed class ScriptedMixpanel(IReadOnlyList<RowReply> replies) : HttpMessageHandler
{
    /// <summary>Method and address, with the query's parts sorted and not escaped.</summary>
    public List<string> Lines { get; } = [];

    public string? Authorization { get; private set; }

    public string? Type { get; private set; }

    public string Body { get; private set; } = "";

    public static string Sorted(string line)
    {
        var query = line.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? line : line[..(query + 1)] + Fields(line[(query + 1)..]);
    }

    public static string Fields(string text) => string.Join('&', text.Split('&').Order(StringComparer.Ordinal));

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var address = request.RequestUri!;
        var query = Fields(string.Join('&', address.Query.TrimStart('?').Split('&').Select(Uri.UnescapeDataString)));
        Lines.Add($"{request.Method} {address.GetLeftPart(UriPartial.Path)}{(query.Length == 0 ? "" : "?")}{query}");
        Authorization = request.Headers.Authorization?.ToString();
        Type = request.Content?.Headers.ContentType?.MediaType;
        Body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        var reply = replies[Math.Min(Lines.Count, replies.Count) - 1];
        if (reply.Status == 0) throw new HttpRequestException(HttpRequestError.ResponseEnded, "The connection was broken.");
        return new HttpResponseMessage((HttpStatusCode)reply.Status)
        {
            RequestMessage = request,
            Content = reply.Body switch
            {
                null => new ByteArrayContent([]),
                { ValueKind: JsonValueKind.String } text => new StringContent(text.GetString()!, Encoding.UTF8, "text/plain"),
                { } json => new StringContent(json.GetRawText(), Encoding.UTF8, "application/json"),
            },
        };
    }
}

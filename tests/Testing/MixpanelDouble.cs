using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Testing;

/// <summary>A received request.</summary>
public sealed record ArrivedRequest(int Number, string Path, string Query, byte[] Body, IReadOnlyList<string> Records)
{
    public static ArrivedRequest From(int number, Uri address, byte[] body)
    {
        using var document = JsonDocument.Parse(body);
        return new(number, address.AbsolutePath, address.Query, body, [.. document.RootElement.EnumerateArray().Select(record => record.GetRawText())]);
    }
}

/// <summary>
/// A test double of Mixpanel's ingestion, in the same process: records what it receives, and accepts all of it unless the test's script specifies otherwise. A
/// script returns null to accept the request.
/// </summary>
public sealed class MixpanelDouble : HttpMessageHandler
{
    readonly ConcurrentQueue<ArrivedRequest> _requests = new();
    readonly ConcurrentQueue<string> _stored = new();
    int _count;

    /// <summary>Returns a response instead of accepting the request's records.</summary>
    public Func<ArrivedRequest, HttpResponseMessage?> Script { get; set; } = _ => null;

    /// <summary>The requests that get no response until their sender gives up.</summary>
    public Func<ArrivedRequest, bool> Stalls { get; set; } = _ => false;

    public IReadOnlyList<ArrivedRequest> Requests => [.. _requests];

    /// <summary>The accepted records, in the order of arrival.</summary>
    public IReadOnlyList<string> Stored => [.. _stored];

    public void Store(IEnumerable<string> records)
    {
        foreach (var record in records) _stored.Enqueue(record);
    }

    public static HttpResponseMessage Answer(int status, string body) =>
        new((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    public static HttpResponseMessage Accepted(int count) => Answer(200, $$"""{"code":200,"num_records_imported":{{count}},"status":"OK"}""");

    /// <summary>Accepts all but the records at the indexes, as Mixpanel's strict mode does.</summary>
    public HttpResponseMessage TakeAllBut(ArrivedRequest request, params int[] indexes)
    {
        Store(request.Records.Where((_, i) => !indexes.Contains(i)));
        if (indexes.Length == 0) return Accepted(request.Records.Count);
        var failed = string.Join(',', indexes.Select(i => $$"""{"index":{{i}},"insert_id":"","field":"properties.x","message":"refused"}"""));
        return Answer(400,
            $$"""{"code":400,"error":"some data points in the request failed validation","failed_records":[{{failed}}],"num_records_imported":{{request.Records.Count - indexes.Length}},"status":"Bad Request"}""");
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
        if (request.Content.Headers.ContentEncoding.Contains("gzip"))
        {
            using var gzip = new GZipStream(new MemoryStream(body), CompressionMode.Decompress);
            using var plain = new MemoryStream();
            gzip.CopyTo(plain);
            body = plain.ToArray();
        }

        var arrived = ArrivedRequest.From(Interlocked.Increment(ref _count), request.RequestUri!, body);
        _requests.Enqueue(arrived);
        if (Stalls(arrived)) await Task.Delay(Timeout.Infinite, cancellationToken);
        if (Script(arrived) is { } scripted) return scripted;
        Store(arrived.Records);
        return arrived.Path is "/engage" or "/groups" ? Answer(200, """{"status":1,"error":null}""") : Accepted(arrived.Records.Count);
    }
}

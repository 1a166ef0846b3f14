using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;

namespace MixpanelConnector.Testing;

/// <summary>A small server that implements the S3 protocol for one bucket, including what development servers lack: conditions, versions, faults.</summary>
public sealed class Bucket : IAsyncDisposable
{
    readonly ConcurrentDictionary<string, (byte[] Content, string? Version)> _objects = new(StringComparer.Ordinal);
    readonly Dictionary<string, SortedDictionary<int, byte[]>> _parts = new(StringComparer.Ordinal);

    RecordingServer? _server;
    int _begun;

    /// <summary>Returns a response that replaces the bucket's; null to let the bucket respond.</summary>
    public Func<RecordedRequest, Answer?> Script { get; set; } = _ => null;

    /// <summary>Whether conditional requests are supported, as by S3, or ignored, as by other stores.</summary>
    public bool KnowsConditions { get; set; } = true;

    public int PageSize { get; set; } = 1000;

    /// <summary>Unfinished multipart uploads: keys and ids.</summary>
    public List<(string Key, string Upload)> Uploads { get; } = [];

    public IReadOnlyList<RecordedRequest> Requests => _server!.Requests;

    /// <summary>The endpoint for clients.</summary>
    public string Url => _server!.Url;

    public IEnumerable<string> Keys => _objects.Keys.Order(StringComparer.Ordinal);

    public static async Task<Bucket> StartAsync()
    {
        var bucket = new Bucket();
        bucket._server = await RecordingServer.StartAsync(request => bucket.Script(request) ?? bucket.Serve(request));
        return bucket;
    }

    public void Put(string key, string text, string? version = null) => _objects[key] = (Encoding.UTF8.GetBytes(text), version);

    public void Put(string key, byte[] content) => _objects[key] = (content, null);

    public void Delete(string key) => _objects.TryRemove(key, out _);

    public byte[]? Of(string key) => _objects.TryGetValue(key, out var found) ? found.Content : null;

    public IEnumerable<RecordedRequest> Reads(string key) => Requests.Where(request => request.Method == "GET" && request.Path == "/b/" + key);

    public ValueTask DisposeAsync() => _server!.DisposeAsync();

    public static string Tag(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content))[..32];

    public static Answer Refused(int status, string code) =>
        Answer.Plain($"<Error><Code>{code}</Code><Message>secret-message</Message></Error>", status, "application/xml");

    /// <summary>Processes a request and returns the response.</summary>
    public Answer Serve(RecordedRequest request)
    {
        var key = request.Path.Length > 3 ? request.Path[3..] : "";
        var query = request.Query;
        return (request.Method, key) switch
        {
            ("GET", "") when query.Contains("uploads",
                StringComparison.Ordinal) => Xml(new XElement("ListMultipartUploadsResult", new XElement("IsTruncated", "false"),
                    Uploads.Select(upload => new XElement("Upload", new XElement("Key", upload.Key), new XElement("UploadId", upload.Upload))))),
            ("GET", "") => List(request),
            ("DELETE", _) when Parameter(request, "uploadId") is { } upload => Aborted(upload),
            ("DELETE", _) => Deleted(key),
            ("POST", _) when query.Contains("uploads", StringComparison.Ordinal) => Begun(key),
            ("POST", _) => Completed(key, Parameter(request, "uploadId")!),
            ("PUT", _) when Parameter(request, "partNumber") is { } number =>
                Part(Parameter(request, "uploadId")!, int.Parse(number, CultureInfo.InvariantCulture), request.Body),
            ("PUT", _) => Put(request, key),
            _ => Read(request, key),
        };
    }

    Answer Put(RecordedRequest request, string key)
    {
        var now = Of(key);
        if (KnowsConditions
            && ((request.Header("If-None-Match") == "*" && now is not null)
                || (request.Header("If-Match") is { } tag && (now is null || tag.Trim('"') != Tag(now)))))
            return Refused(412, "PreconditionFailed");
        _objects[key] = (request.Body, null);
        return new Answer().With("ETag", $"\"{Tag(request.Body)}\"");
    }

    Answer Begun(string key)
    {
        var upload = string.Create(CultureInfo.InvariantCulture, $"upload-{++_begun}");
        Uploads.Add((key, upload));
        _parts[upload] = [];
        return Xml(new XElement("InitiateMultipartUploadResult", new XElement("Bucket", "b"), new XElement("Key", key), new XElement("UploadId", upload)));
    }

    Answer Part(string upload, int number, byte[] body)
    {
        if (!_parts.TryGetValue(upload, out var parts)) return Refused(404, "NoSuchUpload");
        parts[number] = body;
        return new Answer().With("ETag", $"\"{Tag(body)}\"");
    }

    Answer Completed(string key, string upload)
    {
        if (!_parts.Remove(upload, out var parts)) return Refused(404, "NoSuchUpload");
        Uploads.RemoveAll(one => one.Upload == upload);
        var content = parts.Values.SelectMany(part => part).ToArray();
        _objects[key] = (content, null);
        return Xml(new XElement("CompleteMultipartUploadResult", new XElement("ETag", $"\"{Tag(content)}\"")));
    }

    Answer Deleted(string key)
    {
        Delete(key);
        return new() { Status = 204 };
    }

    Answer Aborted(string upload)
    {
        _parts.Remove(upload);
        return Uploads.RemoveAll(one => one.Upload == upload) > 0 ? new() { Status = 204 } : Refused(404, "NoSuchUpload");
    }

    Answer Read(RecordedRequest request, string key)
    {
        if (!_objects.TryGetValue(key, out var found)) return request.Method == "HEAD" ? new() { Status = 404 } : Refused(404, "NoSuchKey");
        if (KnowsConditions && request.Header("If-Match") is { } tag && tag.Trim('"') != Tag(found.Content)) return Refused(412, "PreconditionFailed");
        var answer = new Answer().With("ETag", $"\"{Tag(found.Content)}\"").With("Last-Modified", "Sun, 29 Nov 2026 12:00:00 GMT");
        if (found.Version is { } version) answer = answer.With("x-amz-version-id", version);
        if (request.Method == "HEAD") return answer.With("Content-Length", found.Content.Length.ToString(CultureInfo.InvariantCulture));
        if (request.Header("Range") is not { } range) return answer with { Body = found.Content };
        var from = int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture);
        return answer.With("Content-Range", $"bytes {from}-{found.Content.Length - 1}/{found.Content.Length}") with
        {
            Status = 206,
            Body = found.Content[from..],
        };
    }

    Answer List(RecordedRequest request)
    {
        var prefix = Parameter(request, "prefix") ?? "";
        var from = Parameter(request, "continuation-token") ?? "";
        var keys = _objects.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(key, from) > 0)
            .Order(StringComparer.Ordinal).ToList();
        var page = keys.Take(PageSize).ToList();
        var more = keys.Count > page.Count;
        return Xml(new XElement(
            "ListBucketResult",
            new XElement("Name", "b"),
            new XElement("IsTruncated", more ? "true" : "false"),
            more ? new XElement("NextContinuationToken", page[^1]) : null,
            page.Select(key => new XElement("Contents", new XElement("Key", key), new XElement("ETag", $"\"{Tag(Of(key)!)}\""),
                new XElement("Size", Of(key)!.Length)))));
    }

    static string? Parameter(RecordedRequest request, string name) =>
        request.Query.TrimStart('?')
            .Split('&')
            .Select(pair => pair.Split('='))
            .Where(pair => pair[0] == name)
            .Select(pair => Uri.UnescapeDataString(pair[1])).FirstOrDefault();

    static Answer Xml(XElement content) => Answer.Plain(content.ToString(), type: "application/xml");
}

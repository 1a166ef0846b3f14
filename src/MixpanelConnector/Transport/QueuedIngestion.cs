using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Queues;

namespace MixpanelConnector.Transport;

/// <summary>Publishes requests to Mixpanel's ingestion API to a queue, and answers like Mixpanel once the broker has confirmed them.</summary>
static class QueuedIngestion
{
    /// <summary>The maximum size of the records in a message, in bytes; a consumer accepts 10 MB by default.</summary>
    const long LargestBody = 8 << 20;

    /// <summary>Writes names without needless escapes.</summary>
    static readonly JsonWriterOptions Plainly = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether the queue replaces Mixpanel for a request.</summary>
    public static bool Takes(MixpanelRequest request) =>
        request is { Api: Api.Ingestion, Body: not null, Path: "/import" or "/track" or "/engage" or "/groups" };

    public static async Task<Reply> SendAsync(MixpanelQueue queue, MixpanelRequest request, CancellationToken cancellationToken)
    {
        var kind = request.Path switch
        {
            "/engage" => QueuedKind.Profiles,
            "/groups" => QueuedKind.Groups,
            _ => QueuedKind.Events,
        };
        using var document = JsonDocument.Parse(Plain(request.Body!));
        List<JsonElement> records = document.RootElement.ValueKind is JsonValueKind.Array ? [.. document.RootElement.EnumerateArray()] : [document.RootElement];
        // Where the broker keeps order only per key, each message has the records of one person.
        List<(string? Key, List<JsonElement> Records)> keys = kind is QueuedKind.Events || !queue.OrdersByKey
            ? [(null, records)]
            : records.GroupBy(KeyOf, StringComparer.Ordinal).Select(of => (of.Key.Length == 0 ? null : of.Key, of.ToList())).ToList();
        var published = 0;
        var publishing = Task.WhenAll(keys.Select(of => PublishAsync(of.Key, of.Records)));
        await publishing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (publishing.Exception?.InnerExceptions.OfType<QueueException>().OrderByDescending(failure => failure.MayHaveArrived).ToList() is [var e, ..])
        {
            var mayHaveArrived = published > 0 || e.MayHaveArrived;
            if (e.Fault is QueueFault.Refused && !mayHaveArrived)
                return Reply.Answer((int)HttpStatusCode.RequestEntityTooLarge,
                    Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new QueueRefusal(e.Message), QueuedIngestionJson.Default.QueueRefusal)));
            var kindOf = e.Fault switch
            {
                QueueFault.Forbidden => ErrorKind.Forbidden,
                QueueFault.Refused => ErrorKind.TooLarge,
                _ => ErrorKind.Unavailable,
            };
            return Reply.None(new(kindOf, mayHaveArrived ? e.Message : $"{e.Message} Nothing was accepted.") { LocalDetail = e.LocalDetail }, mayHaveArrived);
        }

        await publishing.ConfigureAwait(false); // rethrows failures that are not the queue's
        return Reply.Answer(200,
            Encoding.UTF8.GetBytes(request.Path is "/import"
                ? string.Create(CultureInfo.InvariantCulture, $$"""{"code":200,"num_records_imported":{{records.Count}},"status":"OK"}""")
                : """{"error":null,"status":1}"""));

        async Task PublishAsync(string? key, List<JsonElement> of)
        {
            foreach (var body in Bodies(of, request.Path))
            {
                await queue.PublishAsync(kind, new QueueBody(body, "gzip", Guid.CreateVersion7().ToString("N", CultureInfo.InvariantCulture)) { Key = key },
                    request.IsRepeatable, cancellationToken).ConfigureAwait(false);
                Interlocked.Increment(ref published);
            }
        }
    }

    static byte[] Plain(RequestBody body)
    {
        if (body.ContentEncoding is null) return body.Bytes.ToArray();
        using var gzip = new GZipStream(new MemoryStream(body.Bytes.ToArray(), writable: false), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        gzip.CopyTo(plain);
        return plain.ToArray();
    }

    /// <summary>Returns the bodies of messages with these records in order, each below the limit of a consumer.</summary>
    static IEnumerable<byte[]> Bodies(List<JsonElement> records, string path)
    {
        using var line = new MemoryStream();
        for (var next = 0; next < records.Count;)
        {
            using var compressed = new MemoryStream();
            using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
            {
                for (long length = 0; next < records.Count; next++)
                {
                    line.SetLength(0);
                    WriteWithoutToken(line, records[next], path);
                    line.WriteByte((byte)'\n');
                    if (length > 0 && length + line.Length > LargestBody) break;
                    length += line.Length;
                    gzip.Write(line.GetBuffer().AsSpan(0, (int)line.Length));
                }
            }

            yield return compressed.ToArray();
        }
    }

    /// <summary>Omits the token: a consumer has credentials of its own.</summary>
    static void WriteWithoutToken(MemoryStream line, JsonElement record, string path)
    {
        using var json = new Utf8JsonWriter(line, Plainly);
        json.WriteStartObject();
        foreach (var member in record.EnumerateObject())
        {
            if (path is "/engage" or "/groups" && member.NameEquals("$token"u8)) continue;
            if (path is not "/track" || !member.NameEquals("properties"u8) || member.Value.ValueKind is not JsonValueKind.Object)
            {
                Write(json, member);
                continue;
            }

            json.WriteStartObject(member.Name);
            foreach (var property in member.Value.EnumerateObject().Where(property => !property.NameEquals("token"u8))) Write(json, property);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>Writes the value unchanged, unless it spans several lines.</summary>
    static void Write(Utf8JsonWriter json, JsonProperty member)
    {
        var value = JsonMarshal.GetRawUtf8Value(member.Value);
        json.WritePropertyName(member.Name);
        if (value.IndexOfAny((byte)'\n', (byte)'\r') < 0) json.WriteRawValue(value, skipInputValidation: true);
        else member.Value.WriteTo(json);
    }

    static string KeyOf(JsonElement record) =>
        record.TryGetProperty("$distinct_id", out var id) || record.TryGetProperty("$group_id", out id) ? id.ToString() : "";
}

/// <summary>The answer when a message is too large for the broker.</summary>
sealed record QueueRefusal(string Error);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(QueueRefusal))]
sealed partial class QueuedIngestionJson : JsonSerializerContext;

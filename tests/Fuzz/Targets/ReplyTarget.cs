using System.Globalization;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Fuzz;

/// <summary>Judging an answer to an import of five events, compared with a strict verdict: only clear success counts. The first byte is the status.</summary>
sealed class ReplyTarget : Target
{
    const int Sent = 5;
    const string Canary = "canary-secret-7f3a";

    static readonly int[] Statuses = [200, 400, 201, 204, 301, 401, 403, 404, 408, 413, 418, 429, 500, 501, 503];

    static readonly MixpanelOptions Options = new() { ServiceAccount = new("robot", new MixpanelSecret(Canary)), ProjectId = 1 };

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. ((string[])
        [
            """{"code":200,"num_records_imported":5,"status":"OK"}""",
            """{"code":200,"num_records_imported":4,"status":"OK"}""",
            """{"num_records_imported":"5.0","status":1}""",
            """{"status":1,"error":null}""",
            """{"code":400,"error":"some data points in the request failed validation","failed_records":[{"index":1,"insert_id":"id-1","field":"properties.time","message":"must not be missing"},{"index":"4","$insert_id":"x"}],"num_records_imported":3,"status":"Bad Request"}""",
            """{"code":400,"error":{"a":"canary-secret-7f3a"},"failed_records":["identity events are not allowed"],"num_records_imported":0}""",
            """{"code":400,"failed_records":[{"index":0,"message":"\ud800\u001b[31m\u202e"},{"index":3.0,"message":7}]}""",
            "<html><title>Welcome canary-secret-7f3a</title></html>", "", "[]", "1", "null",
        ]).SelectMany(text => (byte[][])[[0, .. Encoding.UTF8.GetBytes(text)], [1, .. Encoding.UTF8.GetBytes(text)]]),
        .. Enumerable.Range(2, 13)
            .Select(status => (byte[])[(byte)status, .. """{"code":200,"num_records_imported":5,"status":"OK","error":"canary-secret-7f3a"}"""u8]),
    ];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. ((string[])
        [
            "\"num_records_imported\":5,", "\"num_records_imported\":", "\"code\":200,", "\"code\":", "\"status\":\"OK\",", "\"status\":",
            "\"failed_records\":[", "{\"index\":1}", "{\"index\":", "\"index\":\"1\"", "\"message\":\"", "5", "5.0", "\"5\"", "5e0", "0.5e1", "-1", "1e400",
            "null", "true", "[]", "{}", ",", "}", "]", "\"", Canary, "\\u0063anary-secret-7f3a", "\\ud800", "\\u001b", "\u202e", "\r\n",
        ]).Select(Encoding.UTF8.GetBytes),
        [0xff], [0xed, 0xa0, 0x80],
    ];

    public override IReadOnlyList<byte[]> Regressions { get; } =
    [
        [0, .. Encoding.UTF8.GetBytes("{\"code\":200,\"num_records_imported\":5,\"status\":\"\u202eOK\"}")],
        [1, .. """{"code":200,"num_rec\ud800ords_imported":5,"status":"OK"}"""u8],
    ];

    public override void Run(byte[] input)
    {
        if (input.Length == 0) return;
        var status = Statuses[input[0] % Statuses.Length];
        var verdict = ReplyClassifier.ReadImport(Reply.Answer(status, input.AsMemory(1)), Sent, Options);
        Same(Expected(status, input.AsMemory(1), out var failed), verdict.Kind, $"the verdict on {status}");
        if (verdict.Kind is VerdictKind.Partial)
            Hold(verdict.Failed.Select(record => record.Index).SequenceEqual(failed.Order()), "the records that were refused");
        else Hold(verdict.Failed.Count == 0, "refused records without a refusal in part");
        foreach (var text in verdict.Failed.SelectMany(record => (string?[])[record.Message, record.Field, record.InsertId])
            .Append(verdict.Error?.Message)
            .Append(verdict.Status).OfType<string>())
        {
            Hold(!text.Contains(Canary, StringComparison.Ordinal), "a secret is told");
            Hold(!text.Any(char.IsControl) && !text.Contains('\u202e', StringComparison.Ordinal), "control characters are told");
            Hold(text.Length < 1000, "a text is too long to tell");
        }
    }

    static VerdictKind Expected(int status, ReadOnlyMemory<byte> body, out List<int> failed)
    {
        failed = [];
        switch (status)
        {
            case 401 or 403 or 404: return VerdictKind.Unauthorized;
            case 413: return VerdictKind.TooLarge;
            case 408 or 429 or 500 or 503: return VerdictKind.Retry;
            case not (200 or 400): return VerdictKind.Untrusted;
        }

        var otherwise = status == 200 ? VerdictKind.Untrusted : VerdictKind.Ambiguous;
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            return otherwise;
        }

        using (document)
        {
            if (document.RootElement.ValueKind is not JsonValueKind.Object || !AreReadable(document.RootElement)) return otherwise;
            var members = document.RootElement.EnumerateObject().ToList();
            var count = Whole(Last(members, "num_records_imported"));
            if (status == 200)
            {
                var code = Whole(Last(members, "code"));
                var word = Word(Last(members, "status"));
                var isSuccess = code is null or 200 && (word is "OK" or "ok" or "1" || (word is null && code == 200));
                return !isSuccess || count is null ? VerdictKind.Untrusted : count == Sent ? VerdictKind.Accepted : VerdictKind.Miscounted;
            }

            if (Last(members, "failed_records") is not { ValueKind: JsonValueKind.Array } list || list.GetArrayLength() == 0) return otherwise;
            foreach (var item in list.EnumerateArray())
            {
                if (item.ValueKind is not JsonValueKind.Object || !AreReadable(item) || Whole(Last([.. item.EnumerateObject()], "index")) is not { } index
                    || index is < 0 or >= Sent || failed.Contains((int)index))
                    return otherwise;
                failed.Add((int)index);
            }

            return count is null || count == Sent - failed.Count ? VerdictKind.Partial : otherwise;
        }
    }

    static bool AreReadable(JsonElement element)
    {
        try
        {
            foreach (var member in element.EnumerateObject()) _ = member.Name;
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>For a duplicate name, the last one counts.</summary>
    static JsonElement? Last(List<JsonProperty> members, string name)
    {
        for (var i = members.Count - 1; i >= 0; i--)
            if (members[i].NameEquals(name)) return members[i].Value;
        return null;
    }

    static string? Word(JsonElement? element)
    {
        try
        {
            return element switch
            {
                { ValueKind: JsonValueKind.String } text => text.GetString(),
                { ValueKind: JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False } other => other.GetRawText(),
                _ => null,
            };
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    static long? Whole(JsonElement? element) =>
        Word(element) is { } text && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number == decimal.Floor(number)
            && Math.Abs(number) < long.MaxValue
            ? (long)number
            : null;
}

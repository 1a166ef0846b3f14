using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary>
/// Hostile and unusual requests; each family is a folder of <c>tests/Cases/serve</c> with the expected results: see the README there.
/// A new case is a new folder.
/// </summary>
public sealed class ServeCaseTests
{
    const string Each = "{each}";
    static readonly string Folder = Repository.File("tests/Cases/serve");

    public static TheoryData<string> Cases => [.. Directory.GetDirectories(Folder).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Cases))]
    public async Task What_is_asked_is_answered_as_is_right(string name)
    {
        var expected = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Folder, name, "case.json"), TestContext.Current.CancellationToken))!.AsObject();
        AssertKnown(expected, "because", "keys", "tools_may_write", "spool", "mixpanel", "steps", "requests", "log", "not_log");
        using var folder = new TemporaryFolder();
        var (read, write) = ("", "");
        var keys = (bool?)expected["keys"] is true ? Served.KeysIn(folder, out read, out write) : Keys.None;
        var texts = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["{read}"] = read,
            ["{write}"] = write,
            ["{secret}"] = Tool.Secret,
            ["{basic}"] = Convert.ToBase64String(Encoding.UTF8.GetBytes($"robot:{Tool.Secret}")),
        };
        var answers = expected["mixpanel"]?.AsArray().Select(answer => Scripted(answer!.AsObject(), texts)).ToArray();
        var next = -1;
        await using var served = await Served.StartAsync(
            options => options with
            {
                Keys = keys,
                ToolsMayWrite = (bool?)expected["tools_may_write"] ?? false,
                Spool = (long?)expected["spool"] ?? options.Spool,
            },
            request => answers is null ? Accept(request) : answers[Math.Min(Interlocked.Increment(ref next), answers.Length - 1)]);
        (texts["{host}"], texts["{port}"]) =
            (served.Gateway.Address.Authority, served.Gateway.Address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));

        foreach (var step in expected["steps"]!.AsArray())
        {
            foreach (var each in step!["each"]?.AsArray() ?? [""])
            {
                texts[Each] = Fill((string)each!, texts);
                await TakeAsync(step.AsObject(), served, texts);
            }
        }

        Assert.Equal(200, await served.RawAsync("GET /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n"));
        if ((int?)expected["requests"] is { } requests) Assert.Equal(requests, served.Mixpanel.Requests.Count);
        await served.StopAsync();
        AssertTexts(expected["log"], expected["not_log"], texts, served.Log);
    }

    static async Task TakeAsync(JsonObject step, Served served, Dictionary<string, string> texts)
    {
        AssertKnown(step, "each", "send", "raw", "headers", "body", "gzip", "status", "until", "answer", "has", "has_not", "largest");
        var expected = (int)step["status"]!;
        if (step["raw"] is { } raw)
        {
            var status = await served.RawAsync(Fill((string)raw!, texts));
            Assert.True(status == expected, $"{status} to {raw} with {texts[Each]}");
            return;
        }

        var line = Fill((string)step["send"]!, texts).Split(' ', 2);
        var headers = (step["headers"]?.AsObject() ?? []).Select(header => (header.Key, Fill((string)header.Value!, texts))).ToList();
        if ((bool?)step["gzip"] is true) headers.Add(("Content-Encoding", "gzip"));
        while (true)
        {
            using var answer = await served.SendAsync(new HttpMethod(line[0]), line[1], Body(step, texts), [.. headers]);
            var text = await answer.TextAsync();
            var said = $"{(int)answer.StatusCode} to {step["send"]} with {texts[Each]}: {text[..Math.Min(text.Length, 1000)]}";
            Assert.True((int)answer.StatusCode == expected, said);
            var json = text.StartsWith('{') ? JsonNode.Parse(text) : null;
            if (step["until"] is { } until && !Fits(until, json))
            {
                Assert.True((string?)json!["status"] is "queued" or "running", said);
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
                continue;
            }

            if (step["answer"] is { } wanted) Assert.True(Fits(wanted, json), said);
            if ((int?)step["largest"] is { } largest) Assert.InRange(Encoding.UTF8.GetByteCount(text), 0, largest);
            AssertTexts(step["has"], step["has_not"], texts, $"{answer.Headers}{answer.Content.Headers}{text}");
            if (json?["id"] is JsonValue known && known.TryGetValue<string>(out var id)) texts["{id}"] = id; // of JSON-RPC it is a number
            return;
        }
    }

    /// <summary>Text, JSON, or parts: text or bytes in hexadecimal digits, each repeated as often as specified.</summary>
    static byte[]? Body(JsonObject step, Dictionary<string, string> texts)
    {
        if (step["body"] is not { } body) return null;
        var bytes = body is JsonArray parts
            ? Joined(parts.Select(part => Part(part!, texts)))
            : Encoding.UTF8.GetBytes(Fill(body is JsonValue ? (string)body! : body.ToJsonString(), texts));
        return (bool?)step["gzip"] is true ? Gzip(bytes) : bytes;
    }

    static byte[] Part(JsonNode part, Dictionary<string, string> texts)
    {
        if (part is JsonValue) return Encoding.UTF8.GetBytes(Fill((string)part!, texts));
        AssertKnown(part.AsObject(), "text", "hex", "times");
        var times = (int?)part["times"] ?? 1;
        if ((string?)part["hex"] is { } digits) return Joined(Enumerable.Repeat(Convert.FromHexString(digits), times));
        var text = Fill((string)part["text"]!, texts);
        var counts = text.Contains("{n}", StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, times)
            .Select(n => counts ? text.Replace("{n}", n.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal) : text)));
    }

    static byte[] Joined(IEnumerable<byte[]> parts)
    {
        using var joined = new MemoryStream();
        foreach (var part in parts) joined.Write(part);
        return joined.ToArray();
    }

    static Answer Scripted(JsonObject answer, Dictionary<string, string> texts)
    {
        AssertKnown(answer, "status", "headers", "body", "gzip");
        var scripted = Answer.Json("", (int?)answer["status"] ?? 200) with { Body = Body(answer, texts) ?? [] };
        if ((bool?)answer["gzip"] is true) scripted = scripted.With("Content-Encoding", "gzip");
        foreach (var (name, value) in answer["headers"]?.AsObject() ?? []) scripted = scripted.With(name, Fill((string)value!, texts));
        return scripted;
    }

    /// <summary>A fake Mixpanel that accepts everything.</summary>
    static Answer Accept(RecordedRequest request) =>
        request.Path.Contains("/query/",
            StringComparison.Ordinal) ? Answer.Json("""{"results":[],"page":0,"page_size":1000,"total":0,"session_id":"s","status":"ok"}""")
        : request.Method == "POST" && request.Path.Contains("/service-accounts", StringComparison.Ordinal) ? Answer.Json(Served.Created)
        : Answer.Json($$"""{"code":200,"num_records_imported":{{(request.Text.StartsWith('[') ? request.Json.GetArrayLength() : 1)}},"status":"OK"}""");

    static byte[] Gzip(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest)) gzip.Write(bytes);
        return compressed.ToArray();
    }

    static string Fill(string text, Dictionary<string, string> texts) =>
        texts.Reverse().Aggregate(text, (filled, pair) => filled.Replace(pair.Key, pair.Value, StringComparison.Ordinal));

    static void AssertTexts(JsonNode? has, JsonNode? hasNot, Dictionary<string, string> texts, string text)
    {
        foreach (var wanted in has?.AsArray() ?? []) Assert.Contains(Fill((string)wanted!, texts), text, StringComparison.Ordinal);
        foreach (var unwanted in hasNot?.AsArray() ?? []) Assert.DoesNotContain(Fill((string)unwanted!, texts), text, StringComparison.Ordinal);
    }

    static void AssertKnown(JsonObject form, params string[] members) =>
        Assert.Empty(form.Select(member => member.Key).Except(members, StringComparer.Ordinal));

    /// <summary>Whether every expected member is present with its value; null means that the member is absent.</summary>
    static bool Fits(JsonNode? expected, JsonNode? actual) => (expected, actual) switch
    {
        (JsonObject members, JsonObject others) => members.All(member => Fits(member.Value, others[member.Key])),
        (null, null) => true,
        _ => JsonNode.DeepEquals(expected, actual),
    };
}

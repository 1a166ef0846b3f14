using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations.Control;

/// <summary>
/// Loads the data of a seed as any client would: by requests to this server, so that everything in the store complies with its rules. An invalid seed is
/// rejected with the location of the error, and nothing of it is kept.
/// </summary>
sealed class Seeding(DocumentStore documents, Snapshots snapshots, string instance)
{
    /// <summary>Requests with this header, whose value is the id of this instance, are not subject to faults and are not recorded in the journal.</summary>
    public const string Header = "X-Emulator-Instance";

    const string Kind = "emulator seed";
    const int BytesPerRequest = 8 * 1024 * 1024;

    static readonly string[] OfProjects =
    [
        "id", "name", "token", "secret", "timezone", "identity_management", "region", "events", "profiles", "groups", "funnels", "reports", "cohorts",
        "lookup_tables", "feature_flags", "annotations", "schemas",
    ];
    static readonly AuthenticationHeaderValue Owner = new("Basic",
        Convert.ToBase64String(Encoding.UTF8.GetBytes($"{DevelopmentCredentials.ServiceAccountUsername}:{DevelopmentCredentials.ServiceAccountSecret}")));

    HttpClient? _http;

    /// <summary>Called when a seed was rolled back.</summary>
    public Action Undone { get; set; } = () => { };

    /// <summary>Sets the client for requests to this server.</summary>
    public void Connect(HttpClient http)
    {
        http.DefaultRequestHeaders.Authorization = Owner;
        http.DefaultRequestHeaders.Add(Header, instance);
        _http = http;
    }

    /// <summary>Loads a seed once: a store that already contains it is left unchanged.</summary>
    /// <exception cref="FormatException">It is not valid, or the store was created from another one.</exception>
    public async Task ApplyOnceAsync(string seed, CancellationToken cancellationToken)
    {
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(seed)));
        var known = documents.List(0, Kind);
        if (known.Any(document => document.Id == hash)) return;
        if (known.Count > 0)
            throw new FormatException(
                "The seed differs from the one that the store was created from. Use another folder, delete this one, "
                + "or start without a seed and load it with POST /emulator/seed.");
        await ApplyAsync(Encoding.UTF8.GetBytes(seed), cancellationToken).ConfigureAwait(false);
        await documents.ChangeAsync(0, Kind, all => all.TryAdd(hash, []), cancellationToken).ConfigureAwait(false);
    }

    /// <exception cref="FormatException">It is not valid; the message states the location.</exception>
    public async Task ApplyAsync(ReadOnlyMemory<byte> text, CancellationToken cancellationToken)
    {
        JsonElement seed;
        try
        {
            seed = JsonElement.Parse(text.Span, new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            throw new FormatException($"The seed is not valid JSON, or has a duplicate member, at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.",
                e);
        }
        if (seed.ValueKind != JsonValueKind.Object) throw Wrong("", "must be a JSON object");
        AllowOnly(seed, "", "$schema", "projects", "service_accounts");
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (project, at) in Objects(seed, "projects", ""))
        {
            if (project.TryGetProperty("id", out var id) && !ids.Add(id.GetRawText())) throw Wrong($"{at}.id", "occurs twice");
        }
        await snapshots.AllOrNothingAsync(() => BringInAsync(seed, cancellationToken), Undone, cancellationToken).ConfigureAwait(false);
    }

    async Task BringInAsync(JsonElement seed, CancellationToken cancellationToken)
    {
        foreach (var (project, at) in Objects(seed, "projects", ""))
            await ApplyProjectAsync(project, at, cancellationToken).ConfigureAwait(false);
        foreach (var (account, at) in Objects(seed, "service_accounts", ""))
        {
            AllowOnly(account, at, "username", "secret", "role", "expires", "projects");
            var username = Text(account, "username", at);
            await SendAsync(HttpMethod.Put, $"/emulator/service-accounts/{Uri.EscapeDataString(username)}", Without(account, "username"), at,
                cancellationToken).ConfigureAwait(false);
        }
    }

    async Task ApplyProjectAsync(JsonElement project, string at, CancellationToken cancellationToken)
    {
        AllowOnly(project, at, OfProjects);
        var id = project.TryGetProperty("id", out var number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out var value) && value > 0
            ? value
            : throw Wrong($"{at}.id", "must be an integer from 1");
        var made = await SendAsync(HttpMethod.Put, Path("/emulator/projects/", id, ""),
            Only(project, "name", "token", "secret", "timezone", "identity_management", "region"), at, cancellationToken).ConfigureAwait(false);
        var token = made.GetProperty("results").GetProperty("token").GetString()!;

        foreach (var (name, path) in ((string, string)[])[
            ("funnels", Path("/emulator/projects/", id, "/funnels")),
            ("reports", Path("/emulator/projects/", id, "/reports")),
            ("cohorts", Path("/emulator/projects/", id, "/cohorts")),
            ("feature_flags", Path("/api/app/projects/", id, Path("/workspaces/", id, "/feature-flags"))),
            ("annotations", Path("/api/app/projects/", id, "/annotations"))])
        {
            foreach (var (definition, place) in Objects(project, name, at))
                await SendAsync(HttpMethod.Post, path, Whole(definition), place, cancellationToken).ConfigureAwait(false);
        }
        await ApplyTablesAsync(project, id, at, cancellationToken).ConfigureAwait(false);
        if (Objects(project, "schemas", at) is { Count: > 0 })
            await SendAsync(HttpMethod.Post, Path("/api/app/projects/", id, "/schemas"), json => Wrap(json, "entries", project.GetProperty("schemas")),
                $"{at}.schemas", cancellationToken).ConfigureAwait(false);

        await SendRecordsAsync(Path("/import?strict=1&project_id=", id, ""), Objects(project, "events", at), (json, record) => record.WriteTo(json),
            cancellationToken).ConfigureAwait(false);
        await SendRecordsAsync("/engage?strict=1&verbose=1", Objects(project, "profiles", at),
            (json, record) => WriteUpdate(json, record, token, "$distinct_id"), cancellationToken,
            place => Check(place.Item, place.At, "$distinct_id")).ConfigureAwait(false);
        await SendRecordsAsync("/groups?strict=1&verbose=1", Objects(project, "groups", at),
            (json, record) => WriteUpdate(json, record, token, "$group_key", "$group_id"), cancellationToken,
            place => Check(place.Item, place.At, "$group_key", "$group_id")).ConfigureAwait(false);
    }

    async Task ApplyTablesAsync(JsonElement project, int id, string at, CancellationToken cancellationToken)
    {
        foreach (var (table, place) in Objects(project, "lookup_tables", at))
        {
            AllowOnly(table, place, "id", "name", "mappings", "csv");
            var made = await SendAsync(HttpMethod.Post, Path("/emulator/projects/", id, "/lookup-tables"), Without(table, "csv"), place,
                cancellationToken).ConfigureAwait(false);
            if (!table.TryGetProperty("csv", out _)) continue;
            using var content = new StringContent(Text(table, "csv", place), Encoding.UTF8, "text/csv");
            await SendAsync(HttpMethod.Put, Path($"/lookup-tables/{made.GetProperty("results").GetProperty("id").GetString()}?project_id=", id, ""), content,
                $"{place}.csv", cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends records in batches, as large as a request may be.</summary>
    async Task SendRecordsAsync(string path, List<(JsonElement Item, string At)> records, Action<Utf8JsonWriter, JsonElement> write,
        CancellationToken cancellationToken, Action<(JsonElement Item, string At)>? check = null)
    {
        for (var next = 0; next < records.Count;)
        {
            var (first, bytes) = (next, new ArrayBufferWriter<byte>());
            using (var json = new Utf8JsonWriter(bytes, Http.Replies.Readable))
            {
                json.WriteStartArray();
                while (next < records.Count && next - first < EventLimits.RecordsPerRequest
                    && (next == first || json.BytesCommitted + json.BytesPending < BytesPerRequest))
                {
                    check?.Invoke(records[next]);
                    write(json, records[next++].Item);
                }
                json.WriteEndArray();
            }
            using var content = new ReadOnlyMemoryContent(bytes.WrittenMemory) { Headers = { ContentType = new("application/json") } };
            var (status, answer) = await AskAsync(HttpMethod.Post, path, content, cancellationToken).ConfigureAwait(false);
            if (answer.TryGetProperty("failed_records", out var failed) && failed.GetArrayLength() > 0 && failed[0].ValueKind == JsonValueKind.Object)
                throw Wrong(records[first + failed[0].GetProperty("index").GetInt32()].At, failed[0].GetProperty("message").GetString()!);
            if (status >= 300 || (answer.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.String))
                throw Wrong(records[first].At, answer.GetProperty("error").GetString()!);
        }
    }

    async Task<JsonElement> SendAsync(HttpMethod method, string path, Action<Utf8JsonWriter> write, string at, CancellationToken cancellationToken)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, Http.Replies.Readable))
            write(json);
        using var content = new ReadOnlyMemoryContent(bytes.WrittenMemory) { Headers = { ContentType = new("application/json") } };
        return await SendAsync(method, path, content, at, cancellationToken).ConfigureAwait(false);
    }

    async Task<JsonElement> SendAsync(HttpMethod method, string path, HttpContent content, string at, CancellationToken cancellationToken)
    {
        var (status, answer) = await AskAsync(method, path, content, cancellationToken).ConfigureAwait(false);
        return status < 300
            ? answer
            : throw Wrong(at,
                answer.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.String ? error.GetString()! : answer.GetRawText());
    }

    async Task<(int Status, JsonElement Answer)> AskAsync(HttpMethod method, string path, HttpContent content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var response = await _http!.SendAsync(request, cancellationToken).ConfigureAwait(false);
        return ((int)response.StatusCode, JsonElement.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false)));
    }

    static FormatException Wrong(string at, string what) => new($"The seed is not valid at {(at == "" ? "the top level" : at)}: {what}");

    static string Path(string before, int id, string after) => string.Create(CultureInfo.InvariantCulture, $"{before}{id}{after}");

    static void AllowOnly(JsonElement json, string at, params ReadOnlySpan<string> names)
    {
        foreach (var member in json.EnumerateObject())
        {
            if (!names.Contains(member.Name)) throw Wrong(at, $"unknown member {member.Name}, expected one of {string.Join(", ", names.ToArray())}");
        }
    }

    static List<(JsonElement Item, string At)> Objects(JsonElement json, string name, string at)
    {
        var path = at == "" ? name : $"{at}.{name}";
        if (!json.TryGetProperty(name, out var list)) return [];
        if (list.ValueKind != JsonValueKind.Array) throw Wrong(path, "must be a list");
        return
        [
            .. list.EnumerateArray().Select((item, i) => item.ValueKind == JsonValueKind.Object
                ? (item, Path($"{path}[", i, "]"))
                : throw Wrong(Path($"{path}[", i, "]"), "must be an object")),
        ];
    }

    static string Text(JsonElement json, string name, string at) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
            ? text
            : throw Wrong($"{at}.{name}", "must be a non-empty string");

    /// <summary>Profiles have the format in which Mixpanel returns them.</summary>
    static void Check(JsonElement record, string at, params ReadOnlySpan<string> names)
    {
        AllowOnly(record, at, [.. names, "$properties"]);
        foreach (var name in names)
            Text(record, name, at);
        if (!record.TryGetProperty("$properties", out var properties) || properties.ValueKind != JsonValueKind.Object)
            throw Wrong($"{at}.$properties", "must be an object");
    }

    static void WriteUpdate(Utf8JsonWriter json, JsonElement record, string token, params ReadOnlySpan<string> names)
    {
        json.WriteStartObject();
        json.WriteString("$token", token);
        if (names is ["$distinct_id"]) // a group has no time
            json.WriteBoolean("$ignore_time", true);
        foreach (var name in names)
            json.WriteString(name, record.GetProperty(name).GetString());
        json.WritePropertyName("$set");
        record.GetProperty("$properties").WriteTo(json);
        json.WriteEndObject();
    }

    static Action<Utf8JsonWriter> Whole(JsonElement item) => item.WriteTo;

    static void Wrap(Utf8JsonWriter json, string name, JsonElement item)
    {
        json.WriteStartObject();
        json.WritePropertyName(name);
        item.WriteTo(json);
        json.WriteEndObject();
    }

    static Action<Utf8JsonWriter> Only(JsonElement item, params string[] names) =>
        json => WriteMembers(json, item.EnumerateObject().Where(member => names.Contains(member.Name, StringComparer.Ordinal)));

    static Action<Utf8JsonWriter> Without(JsonElement item, string name) =>
        json => WriteMembers(json, item.EnumerateObject().Where(member => member.Name != name));

    static void WriteMembers(Utf8JsonWriter json, IEnumerable<JsonProperty> members)
    {
        json.WriteStartObject();
        foreach (var member in members)
            member.WriteTo(json);
        json.WriteEndObject();
    }
}

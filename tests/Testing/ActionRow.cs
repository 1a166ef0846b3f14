using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector.Testing;

/// <summary>A case of <c>tests/Cases/actions</c>: the input of an action, its requests to Mixpanel, and its output for the responses.</summary>
public sealed record ActionRow
{
    static readonly Lazy<ActionRow[]> Rows = new(() =>
        [
            .. Directory.GetFiles(Repository.File("tests/Cases/actions"), "*.json")
                .Order(StringComparer.Ordinal)
                .SelectMany(file => JsonSerializer.Deserialize(File.ReadAllBytes(file), ActionRowJson.Default.ActionRowArray)!),
        ]);

    public static IReadOnlyList<ActionRow> All => Rows.Value;

    public required string Action { get; init; }

    /// <summary>What the row shows; null for the plain call.</summary>
    public string? Shows { get; init; }

    /// <summary>The input of the action; null for none.</summary>
    [JsonPropertyName("input")]
    public JsonElement? Written { get; init; }

    /// <summary>Lists of the input with the length of each: they are padded with their last item.</summary>
    public IReadOnlyDictionary<string, int>? Fill { get; init; }

    /// <summary>The input of the action, with its lists padded.</summary>
    [JsonIgnore]
    public JsonElement Input => Written is not { } input ? JsonElement.Parse("{}") : Fill is null ? input : Filled(input, Fill);

    /// <summary>Settings that differ from the usual ones: workspace_id, organization_id or project_id, null for none.</summary>
    public IReadOnlyDictionary<string, long?>? Settings { get; init; }

    /// <summary>Method and address of every request, with the query in any order and unescaped; if empty, nothing may be sent.</summary>
    public IReadOnlyList<string> Wire { get => field ?? []; init; }

    /// <summary>The content type of the last request's body; null for no body.</summary>
    public string? Type { get; init; }

    /// <summary>The last request's body: JSON; for a form its fields in any order, unescaped; for CSV the text.</summary>
    public JsonElement? Body { get; init; }

    /// <summary>The responses in order; the last one repeats.</summary>
    public IReadOnlyList<RowReply> Replies { get => field ?? []; init; }

    public JsonElement? Output { get; init; }

    /// <summary>The one-time secret, shown as <c>***</c> in the output.</summary>
    public string? Secret { get; init; }

    /// <summary>Whether the output reports that Mixpanel rejected data.</summary>
    public bool Refused { get; init; }

    public RowProblem? Problem { get; init; }

    /// <summary>
    /// Whether the requests depend on the time of the call, which is <see cref="ImpatientClock.Noon"/>. The program as a process has the real time.
    /// </summary>
    public bool IsTimed { get; init; }

    public string Name => Shows is null ? Action : $"{Action}: {Shows}";

    /// <summary>A setting of the row, or the usual one.</summary>
    public long? Setting(string name) => Settings is not null && Settings.TryGetValue(name, out var value) ? value : name switch
    {
        "project_id" => 12345,
        "organization_id" => 77,
        "workspace_id" => 3,
        _ => throw new ArgumentException($"There is no usual {name}.", nameof(name)),
    };

    /// <summary>The response to a request, by the number of requests before it.</summary>
    public RowReply Reply(int before) => Replies[Math.Min(before, Replies.Count - 1)];

    /// <summary>Method and address, with the parts of the query sorted and unescaped.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">The address up to the query.</param>
    /// <param name="query">The query as it was sent.</param>
    public static string Line(string method, string path, string query)
    {
        var fields = Fields(Unescaped(query.TrimStart('?')));
        return $"{method} {path}{(fields.Length == 0 ? "" : "?")}{fields}";
    }

    /// <summary>A line of <see cref="Wire"/>, with its query sorted as in <see cref="Line"/>.</summary>
    public static string Sorted(string line)
    {
        var query = line.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? line : line[..(query + 1)] + Fields(line[(query + 1)..]);
    }

    /// <summary>Whether a sent body equals that of the row.</summary>
    public bool IsBody(string sent) => Type switch
    {
        "application/json" => JsonElement.DeepEquals(Body!.Value, JsonElement.Parse(sent)),
        "application/x-www-form-urlencoded" => Fields(Body!.Value.GetString()!) == Fields(Unescaped(sent)),
        _ => (Body?.GetString() ?? "") == sent,
    };

    /// <summary>How an answer differs from that of the row; null if it does not.</summary>
    /// <param name="given">The output or the problem.</param>
    /// <param name="isProblem">Which of the two it is.</param>
    /// <param name="secret">What the output has as its secret.</param>
    public string? Difference(JsonElement given, bool isProblem, string? secret)
    {
        if (isProblem != Problem is not null) return $"Expected {(Problem is null ? "an output" : "a problem")} but was {given.GetRawText()}";
        if (Problem is { } problem)
        {
            var field = given.TryGetProperty("field", out var found) ? found.GetString() : null;
            var isIt = problem.Kind == given.GetProperty("kind").GetString() && problem.Field == field
                && given.GetProperty("detail").GetString()!.Contains(problem.Says ?? "", StringComparison.Ordinal);
            return isIt ? null : $"Expected {problem}\nbut was  {given.GetRawText()}";
        }

        var output = JsonObject.Create(Output!.Value)!;
        if (Secret is not null) output["secret"] = secret;
        return JsonElement.DeepEquals(JsonElement.Parse(output.ToJsonString()), given)
            ? null
            : $"Expected {output.ToJsonString()}\nbut was  {given.GetRawText()}";
    }

    /// <summary>An input with the confirmation that HTTP requires for irreversible actions; otherwise as written, whatever is wrong with it.</summary>
    public static string Confirmed(JsonElement input)
    {
        var text = input.GetRawText();
        return input.ValueKind is JsonValueKind.Object ? $"{{\"confirm\":true{(text.Contains(':', StringComparison.Ordinal) ? "," : "")}{text[1..]}" : text;
    }

    /// <summary>The fields of the input that a client has changed.</summary>
    /// <param name="sent">The input that the client sends.</param>
    public IReadOnlyList<string> Changed(JsonElement sent)
    {
        var (given, changed) = (ValuesOf(Input), ValuesOf(sent));
        return
        [
            .. given.Concat(changed).Select(field => field.Key).Distinct(StringComparer.Ordinal).Where(name => !AreSame([.. given[name]], [.. changed[name]])),
        ];
    }

    /// <summary>
    /// The values of an input by the name of their field: several if it is there twice, none if it is null. A name with half a character is empty.
    /// </summary>
    public static ILookup<string, JsonElement> ValuesOf(JsonElement input)
    {
        return input.EnumerateObject()
            .Where(field => field.Value.ValueKind is not JsonValueKind.Null)
            .ToLookup(NameOf, field => field.Value, StringComparer.Ordinal);

        static string NameOf(JsonProperty field)
        {
            try
            {
                return field.Name;
            }
            catch (InvalidOperationException)
            {
                return "";
            }
        }
    }

    static bool AreSame(JsonElement[] some, JsonElement[] others)
    {
        try
        {
            return some.Length == others.Length && some.Zip(others).All(pair => JsonElement.DeepEquals(pair.First, pair.Second));
        }
        catch (InvalidOperationException)
        {
            return false; // half a character, which only one of them can have
        }
    }

    static string Unescaped(string fields) => string.Join('&', fields.Split('&').Select(Uri.UnescapeDataString));

    static string Fields(string text) => string.Join('&', text.Split('&').Order(StringComparer.Ordinal));

    static JsonElement Filled(JsonElement input, IReadOnlyDictionary<string, int> fill)
    {
        var filled = JsonObject.Create(input)!;
        foreach (var (name, length) in fill)
        {
            var list = filled[name]!.AsArray();
            while (list.Count < length) list.Add(list[^1]!.DeepClone());
        }

        return JsonElement.Parse(filled.ToJsonString());
    }
}

/// <param name="Status">The status; 0 for a connection that breaks before a response.</param>
/// <param name="Body">JSON, or a string that is sent as plain text.</param>
/// <param name="IsCut">Whether the connection breaks after the body, before the end of the response.</param>
public sealed record RowReply(int Status = 200, JsonElement? Body = null, bool IsCut = false)
{
    /// <summary>The body as it is sent.</summary>
    [JsonIgnore]
    public string Text => Body switch
    {
        null => "",
        { ValueKind: JsonValueKind.String } text => text.GetString()!,
        { } json => json.GetRawText(),
    };

    /// <summary>The content type; null for no body.</summary>
    [JsonIgnore]
    public string? Type => Body switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } => "text/plain; charset=utf-8",
        _ => "application/json; charset=utf-8",
    };
}

/// <param name="Kind">The kind of the problem.</param>
/// <param name="Field">The reported field.</param>
/// <param name="Says">A text that its message contains.</param>
public sealed record RowProblem(string Kind, string? Field = null, string? Says = null)
{
    /// <summary>The field of the input with the mistake, empty if its name is the mistake; null for a problem of another kind.</summary>
    [JsonIgnore]
    public string? Mistake => Kind == "invalid_input" ? Field?.Split('.', '[')[0] ?? "" : null;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ActionRow[]))]
sealed partial class ActionRowJson : JsonSerializerContext;

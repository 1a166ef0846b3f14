using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Http;

/// <summary>
/// The parameters of a query: fields of a form, members of a JSON object, or in the query string. Unknown or repeated parameters, and other formats, are
/// rejected: ignoring them would answer a different question.
/// </summary>
sealed class QueryFields
{
    const int LargestBody = 1024 * 1024;

    /// <summary>The parameters of every query.</summary>
    static readonly string[] Common = ["project_id", "workspace_id"];

    readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    readonly HttpRequest _request;
    readonly string[] _parameters;

    QueryFields(HttpRequest request, string[] parameters)
    {
        _request = request;
        _parameters = parameters;
    }

    /// <param name="context">The request.</param>
    /// <param name="parameters">The parameters of the operation, in addition to those of every query.</param>
    public static async Task<QueryFields> ReadAsync(HttpContext context, string[] parameters)
    {
        FormText.RequireUtf8(context.Request.QueryString.Value);
        var fields = new QueryFields(context.Request, parameters);
        foreach (var (name, values) in context.Request.Query)
            fields.Add(name, values);
        using var body = await RequestBody.ReadAsync(context.Request, LargestBody, gzipAllowed: false, context.RequestAborted).ConfigureAwait(false);
        if (body.Length > 0) fields.Read(context.Request.ContentType, body.Memory);
        return fields;
    }

    /// <summary>The field's text; null if it is missing or empty.</summary>
    public string? Text(string name) =>
        IsKnown(name) ? _values.GetValueOrDefault(name) : throw new InvalidOperationException($"the operation does not declare the parameter {name}");

    void Read(string? contentType, ReadOnlyMemory<byte> body)
    {
        switch (contentType?.Split(';')[0].Trim().ToLowerInvariant())
        {
            case FormText.Type:
                foreach (var (name, values) in FormText.Parse(contentType, body.Span))
                    Add(name, values);
                break;
            case "application/json":
                foreach (var member in JsonBody.Parse(body.Span).Members)
                    Add(member.Name, TextOf(member.Value));
                break;
            default:
                throw new RefusedException(415, "parameters in a body must be application/x-www-form-urlencoded or application/json");
        }
    }

    /// <summary>A form contains arrays and objects as JSON.</summary>
    static string TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => "",
        JsonValueKind.String => value.GetString()!,
        _ => value.GetRawText(),
    };

    void Add(string name, StringValues values)
    {
        if (!IsKnown(name)) throw RefusedException.UnknownParameter(_request, name);
        foreach (var value in values)
        {
            if (!string.IsNullOrEmpty(value) && !_values.TryAdd(name, value) && _values[name] != value)
                throw new RefusedException(400, $"{name} is given twice, with different values");
        }
    }

    bool IsKnown(string name) => _parameters.Contains(name, StringComparer.Ordinal) || Common.Contains(name, StringComparer.Ordinal);

    public int Integer(string name, int otherwise, int least, int most)
    {
        if (Text(name) is not { } text) return otherwise;
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw new RefusedException(400, $"invalid {name}: must be an integer from {least} to {most}");
    }

    /// <summary>The text of a required field.</summary>
    public string Required(string name) => Text(name) ?? throw Missing(name);

    public int RequiredInteger(string name) =>
        int.TryParse(Required(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new RefusedException(400, $"invalid {name}: must be an integer");

    /// <summary>Each project has one workspace, with the same number.</summary>
    public void CheckWorkspace(Project project)
    {
        if (Text("workspace_id") is not null && RequiredInteger("workspace_id") != project.Id)
            throw new RefusedException(403, "service account has no access to this workspace");
    }

    /// <summary>One of the names of an enumeration, in lower case.</summary>
    public T Choice<T>(string name, T? otherwise, params ReadOnlySpan<T> among)
        where T : struct, Enum
    {
        if (Text(name) is not { } text) return otherwise ?? throw Missing(name);
        foreach (var value in among)
        {
            if (value.ToString().Equals(text, StringComparison.OrdinalIgnoreCase)) return value;
        }
        throw new RefusedException(400, $"invalid {name}: must be {string.Join(", ", among.ToArray()).ToLowerInvariant()}");
    }

    /// <summary>The days <c>from_date</c> and <c>to_date</c>.</summary>
    public (DateOnly From, DateOnly To) Dates()
    {
        var (from, to) = (Date("from_date"), Date("to_date"));
        return to >= from ? (from, to) : throw new RefusedException(400, "invalid to_date: must not be before from_date");
    }

    static RefusedException Missing(string name) => new(400, $"missing required parameter: {name}");

    public bool Boolean(string name) => Text(name)?.ToLowerInvariant() switch
    {
        "true" or "1" => true,
        null or "false" or "0" => false,
        _ => throw new RefusedException(400, $"invalid {name}: must be true or false"),
    };

    public DateOnly Date(string name) =>
        DateOnly.TryParseExact(Text(name), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? date
            : throw (Text(name) is null ? Missing(name) : new RefusedException(400, $"invalid {name}: must be a date like 2026-01-31"));

    /// <summary>The field as a JSON array of strings; null if it is missing.</summary>
    public IReadOnlyList<string>? Texts(string name)
    {
        if (Text(name) is not { } text) return null;
        try
        {
            var array = JsonElement.Parse(text);
            if (array.ValueKind == JsonValueKind.Array && array.EnumerateArray().All(element => element.ValueKind == JsonValueKind.String))
                return [.. array.EnumerateArray().Select(element => element.GetString()!)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Reported by the refusal below.
        }
        throw new RefusedException(400, $"invalid {name}: must be a JSON array of strings");
    }
}

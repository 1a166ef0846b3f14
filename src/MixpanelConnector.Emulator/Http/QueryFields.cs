using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Http;

/// <summary>The parameters of a query: fields of a form, else of the query string.</summary>
sealed class QueryFields
{
    const int LargestForm = 1024 * 1024;

    readonly Dictionary<string, StringValues> _form;
    readonly IQueryCollection _query;

    QueryFields(Dictionary<string, StringValues> form, IQueryCollection query)
    {
        _form = form;
        _query = query;
    }

    public static async Task<QueryFields> ReadAsync(HttpContext context)
    {
        using var body = await RequestBody.ReadAsync(context.Request, LargestForm, gzipAllowed: false, context.RequestAborted).ConfigureAwait(false);
        return new QueryFields(QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body.Memory.Span)), context.Request.Query);
    }

    /// <summary>The field's text; null when it is missing or empty.</summary>
    public string? Text(string name)
    {
        var value = _form.TryGetValue(name, out var sent) ? sent.ToString() : _query[name].ToString();
        return value == "" ? null : value;
    }

    public int Integer(string name, int otherwise, int least, int most)
    {
        if (Text(name) is not { } text)
            return otherwise;
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw new RefusedException(400, $"invalid {name}: must be an integer from {least} to {most}");
    }

    /// <summary>The field's text, without which there is no answer.</summary>
    public string Required(string name) => Text(name) ?? throw Missing(name);

    public int RequiredInteger(string name) =>
        int.TryParse(Required(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new RefusedException(400, $"invalid {name}: must be an integer");

    /// <summary>Each project has one workspace, numbered like it.</summary>
    public void CheckWorkspace(Project project)
    {
        if (Text("workspace_id") is not null && RequiredInteger("workspace_id") != project.Id)
            throw new RefusedException(403, "service account has no access to this workspace");
    }

    /// <summary>One of the names of an enumeration, in lower case.</summary>
    public T Choice<T>(string name, T? otherwise, params ReadOnlySpan<T> among)
        where T : struct, Enum
    {
        if (Text(name) is not { } text)
            return otherwise ?? throw Missing(name);
        foreach (var value in among)
        {
            if (value.ToString().Equals(text, StringComparison.OrdinalIgnoreCase))
                return value;
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

    /// <summary>The field as a JSON array of texts; null when it is missing.</summary>
    public IReadOnlyList<string>? Texts(string name)
    {
        if (Text(name) is not { } text)
            return null;
        try
        {
            var array = JsonElement.Parse(text);
            if (array.ValueKind == JsonValueKind.Array && array.EnumerateArray().All(element => element.ValueKind == JsonValueKind.String))
                return [.. array.EnumerateArray().Select(element => element.GetString()!)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The refusal below says it.
        }
        throw new RefusedException(400, $"invalid {name}: must be a JSON array of strings");
    }
}

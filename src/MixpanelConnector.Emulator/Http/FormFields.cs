using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace MixpanelConnector.Emulator.Http;

/// <summary>
/// The fields of an operation that accepts a form, or of its query string for GET. A field may be repeated only if it is a list. Messages contain the names of
/// fields, never their values: some are secrets.
/// </summary>
sealed class FormFields
{
    const int LargestBody = 1024 * 1024;
    const string ProjectField = "project_id";

    readonly Dictionary<string, StringValues> _values = new(StringComparer.Ordinal);

    /// <summary>Reads only the query string.</summary>
    public static FormFields OfQuery(HttpRequest request)
    {
        FormText.RequireUtf8(request.QueryString.Value);
        var fields = new FormFields();
        foreach (var (name, values) in request.Query)
            fields._values[name] = NotEmpty(values);
        return fields;
    }

    /// <summary>Reads the form. From the query string it accepts only the project: other fields there would end up in logs.</summary>
    public static async Task<FormFields> OfFormAsync(HttpContext context)
    {
        using var body = await RequestBody.ReadAsync(context.Request, LargestBody, gzipAllowed: false, context.RequestAborted).ConfigureAwait(false);
        if (body.Length > 0 && context.Request.ContentType?.Split(';')[0].Trim().Equals(FormText.Type, StringComparison.OrdinalIgnoreCase) != true)
            throw new RefusedException(415, "the body must be " + FormText.Type);
        FormText.RequireUtf8(context.Request.QueryString.Value);
        var fields = new FormFields();
        foreach (var (name, values) in FormText.Parse(context.Request.ContentType, body.Memory.Span))
            fields._values[name] = NotEmpty(values);
        foreach (var (name, values) in context.Request.Query)
        {
            if (name != ProjectField) throw new RefusedException(400, $"unknown parameter: {name}");
            fields._values[name] = StringValues.Concat(fields._values.GetValueOrDefault(name), NotEmpty(values));
        }
        return fields;
    }

    public string? Project => Text(ProjectField);

    /// <summary>The names of the fields that were sent, except for the project.</summary>
    public IEnumerable<string> Names => _values.Keys.Where(name => name != ProjectField);

    public bool Has(string name) => _values.GetValueOrDefault(name).Count > 0;

    /// <summary>All values of a list.</summary>
    public IReadOnlyList<string> Texts(string name) => _values.GetValueOrDefault(name)!;

    /// <summary>The field's text; null if it is missing or empty.</summary>
    public string? Text(string name)
    {
        var values = Texts(name);
        if (values.Distinct(StringComparer.Ordinal).Count() > 1) throw new RefusedException(400, $"{name} is given twice, with different values");
        return values.Count == 0 ? null : values[0];
    }

    public string Required(string name) => Text(name) ?? throw new RefusedException(400, $"missing required parameter: {name}");

    /// <summary>The field's text, one of the allowed values; the first of them if it is missing.</summary>
    public string OneOf(string name, params ReadOnlySpan<string> among)
    {
        var text = Text(name) ?? among[0];
        return among.Contains(text) ? text : throw Invalid(name, $"must be {string.Join(", ", among.ToArray())}");
    }

    public bool Boolean(string name, bool otherwise) => Text(name) switch
    {
        null => otherwise,
        "true" => true,
        "false" => false,
        _ => throw Invalid(name, "must be true or false"),
    };

    public DateOnly? Date(string name) =>
        Text(name) is not { } text ? null
        : DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date
        : throw Invalid(name, "must be a date like 2026-01-31");

    /// <summary>Rejects all other fields.</summary>
    public void AllowOnly(params ReadOnlySpan<string> names)
    {
        foreach (var name in Names)
        {
            if (!names.Contains(name)) throw new RefusedException(400, $"unknown parameter: {name}");
        }
    }

    public static RefusedException Invalid(string name, string rule) => new(400, $"invalid {name}: {rule}");

    static StringValues NotEmpty(StringValues values) => values.Where(value => !string.IsNullOrEmpty(value)).ToArray();
}

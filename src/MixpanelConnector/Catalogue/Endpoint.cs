using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>How an operation is called. Fields named in the path go there; the others go into the query or the body.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The path below the group's; a part in braces stands for a field or a setting.</param>
sealed record Endpoint(HttpMethod Method, string Path)
{
    /// <summary>The effect of an operation with such a method, unless its declaration specifies another.</summary>
    public ActionEffect Effect =>
        Method == HttpMethod.Get ? ActionEffect.Read
            : Method == HttpMethod.Post ? ActionEffect.Create
            : Method == HttpMethod.Delete ? ActionEffect.Delete
            : ActionEffect.Update;

    /// <summary>Where the fields go that the path does not name. Default: by the method.</summary>
    public FieldPlace Fields { get; init; } = Method == HttpMethod.Get || Method == HttpMethod.Delete ? FieldPlace.Query : FieldPlace.Json;

    /// <summary>The fields, by their names on the wire, that go into the query although the others go into the body.</summary>
    public IReadOnlyList<string> QueryFields { get; init; } = [];

    /// <summary>The fields that only this library uses, and that are not sent.</summary>
    public IReadOnlyList<string> OwnFields { get; init; } = [];

    /// <summary>Whether a list in the query is sent as a repeated field. Default: false, it is JSON text.</summary>
    public bool RepeatsLists { get; init; }

    /// <summary>Constant parameters in the query.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Query { get; init; } = [];

    /// <summary>Constant fields in the body.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Constant { get; init; } = [];

    /// <summary>Creates the body from the fields that the path does not name. Default: the fields.</summary>
    public Func<ActionContext, JsonObject, JsonNode?>? Body { get; init; }

    /// <summary>Whether the fields go into the path, and all others either into the query or into the JSON body, unchanged.</summary>
    public bool IsPlain =>
        Fields is FieldPlace.Query or FieldPlace.Json && Body is null && QueryFields.Count + OwnFields.Count + Query.Count + Constant.Count == 0
            && !RepeatsLists;

    /// <summary>The names in a path that stand for fields or settings.</summary>
    public static IEnumerable<string> PartsOf(string path) => path.Split('/').Where(part => part is ['{', .., '}']).Select(part => part[1..^1]);

    public static Endpoint Get(string path = "") => new(HttpMethod.Get, path);

    public static Endpoint Post(string path = "") => new(HttpMethod.Post, path);

    public static Endpoint Put(string path = "") => new(HttpMethod.Put, path);

    public static Endpoint Patch(string path = "") => new(HttpMethod.Patch, path);

    public static Endpoint Delete(string path = "") => new(HttpMethod.Delete, path);

    /// <summary>Creates the request for an input.</summary>
    public async ValueTask<MixpanelRequest> RequestAsync(ActionContext context, JsonElement input, JsonTypeInfo type, CancellationToken cancellationToken)
    {
        var fields = JsonObject.Create(input)!;
        var path = new StringBuilder();
        foreach (var part in (context.Action.Group.BasePath + Path).Split('/').Skip(1))
        {
            path.Append('/');
            if (part is not ['{', .., '}']) path.Append(part);
            else path.Append(Uri.EscapeDataString(await PartAsync(part[1..^1], fields, context, cancellationToken).ConfigureAwait(false)));
        }

        Rename(fields, type);
        foreach (var name in OwnFields) fields.Remove(name);
        foreach (var (name, value) in Constant) fields[name] = value;
        var request = context.Request(path.ToString());
        foreach (var name in QueryFields)
        {
            if (fields.Remove(name, out var value)) request = request.With(name, Text(value));
        }

        if (Fields is FieldPlace.Query)
            request = request with
            {
                Query = [.. request.Query, .. RepeatsLists ? Repeated(fields) : fields.Select(field => KeyValuePair.Create(field.Key, Text(field.Value)))],
            };
        return Fields switch
        {
            FieldPlace.Json => request with { Body = new(JsonDefaults.Utf8(Body is null ? fields : Body(context, fields)), "application/json") },
            FieldPlace.Csv => request with { Body = new(Encoding.UTF8.GetBytes((string)fields.Single().Value!), "text/csv") },
            FieldPlace.Form =>
                request with { Body = new(Encoding.UTF8.GetBytes(string.Join('&', Form(context, fields))), "application/x-www-form-urlencoded") },
            _ => request,
        };
    }

    IEnumerable<string> Form(ActionContext context, JsonObject fields) =>
        Repeated((JsonObject)(Body is null ? fields : Body(context, fields)!))
            .Select(field => $"{Uri.EscapeDataString(field.Key)}={Uri.EscapeDataString(field.Value)}");

    /// <summary>Expands a list of plain values into one field for each.</summary>
    static IEnumerable<KeyValuePair<string, string>> Repeated(JsonObject fields) =>
        fields.SelectMany(field => field.Value is JsonArray { Count: > 0 } all && all[0] is JsonValue
            ? all.Select(each => KeyValuePair.Create(field.Key, Text(each)))
            : [KeyValuePair.Create(field.Key, Text(field.Value))]);

    /// <summary>Returns a part of the path: a field of the input, or else the value from the settings or the credential.</summary>
    static async ValueTask<string> PartAsync(string name, JsonObject fields, ActionContext context, CancellationToken cancellationToken)
    {
        if (fields.Remove(name, out var given) && given is not null)
            return Text(given) is { Length: > 0 } text and not ("." or "..")
                ? text
                : throw MixpanelException.Invalid(name, $"{name} must not be empty or consist only of dots.");
        var id = name switch
        {
            "project_id" => context.Options.ProjectId ?? throw MixpanelException.Invalid(name, "This call requires a project. Configure the project id."),
            "organization_id" => await CredentialScope.OrganizationAsync(context, cancellationToken).ConfigureAwait(false),
            "workspace_id" => await CredentialScope.WorkspaceAsync(context, cancellationToken).ConfigureAwait(false),
            _ => throw MixpanelException.Invalid(name, $"{name} is missing."),
        };
        return id.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Renames the fields that have another name on the wire.</summary>
    static void Rename(JsonObject fields, JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            if ((property.AttributeProvider as PropertyInfo)?.GetCustomAttribute<WireNameAttribute>() is { } wire
                && fields.Remove(property.Name, out var value))
                fields[wire.Name] = value;
        }
    }

    /// <summary>Formats a value as part of a URL or form: text unchanged, everything else as JSON.</summary>
    static string Text(JsonNode? value) =>
        value is null ? "" : value.GetValueKind() is JsonValueKind.String ? value.GetValue<string>() : Encoding.UTF8.GetString(JsonDefaults.Utf8(value));
}

/// <summary>Where the fields of an input go.</summary>
enum FieldPlace
{
    /// <summary>Into the query; lists and objects as JSON text.</summary>
    Query,

    /// <summary>Into the body, as a JSON object.</summary>
    Json,

    /// <summary>Into the body, as a form; a list of plain values as a repeated field, objects as JSON text.</summary>
    Form,

    /// <summary>Into the body: the text of the only field, as CSV.</summary>
    Csv,
}

/// <summary>The name of a field on the wire, where it differs.</summary>
[AttributeUsage(AttributeTargets.Property)]
sealed class WireNameAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}

/// <summary>A field whose value nobody may see: it is not offered as an option of a command.</summary>
[AttributeUsage(AttributeTargets.Property)]
sealed class ConfidentialAttribute : Attribute;

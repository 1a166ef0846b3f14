using System.Globalization;
using System.Text.Json;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The projects that a service account sees, according to Mixpanel: this distinguishes a wrong project from an insufficient role.</summary>
sealed class ProjectsSeen
{
    const int MostShown = 10;

    /// <summary>Nothing is known.</summary>
    public static readonly ProjectsSeen Unknown = new(null);

    readonly Dictionary<long, (string? Name, string? Role)>? _projects;

    ProjectsSeen(Dictionary<long, (string? Name, string? Role)>? projects) => _projects = projects;

    /// <exception cref="MixpanelException">The answer is no success.</exception>
    public static ProjectsSeen Of(Reply reply, MixpanelOptions options)
    {
        using var document = ReplyClassifier.ReadJson(reply, options);
        if (Members(document.RootElement, "projects") is not { ValueKind: JsonValueKind.Object } projects) return Unknown;
        var seen = new Dictionary<long, (string?, string?)>();
        foreach (var project in projects.EnumerateObject())
            if (Id(project) is { } id) seen[id] = (Safe(Text(Member(project.Value, "name")), options), Safe(Role(project.Value), options));
        return new(seen);
    }

    /// <summary>Returns the ids of the objects of a kind, such as <c>projects</c>, that an account sees.</summary>
    /// <param name="me">Mixpanel's answer about the account.</param>
    /// <param name="kind">The kind.</param>
    public static IEnumerable<long> Ids(JsonElement me, string kind) =>
        Members(me, kind) is { ValueKind: JsonValueKind.Object } members ? members.EnumerateObject().Select(Id).OfType<long>() : [];

    /// <summary>Returns the account's role in one of them; null where it is not given.</summary>
    public static string? RoleOf(JsonElement me, string kind, long id) => Role(Member(Members(me, kind), id.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Returns the same error, with its cause where that is known.</summary>
    public MixpanelError Explain(MixpanelError error, string api, MixpanelOptions options)
    {
        var project = options.ProjectId;
        if (project is null)
            return error.Kind is ErrorKind.InvalidInput or ErrorKind.Forbidden or ErrorKind.NotFound or ErrorKind.Rejected
                ? error with { Field = "project_id", Message = $"No project is set.{Listed(" ")}" }
                : error;
        if (_projects is null || error.Kind is not (ErrorKind.Unauthorized or ErrorKind.Forbidden or ErrorKind.NotFound or ErrorKind.Rejected)
            || error.HttpStatus == 402)
            return error;
        if (!_projects.TryGetValue(project.Value, out var seen))
            return error with
            {
                Kind = ErrorKind.NotFound,
                Field = "project_id",
                Message = string.Create(CultureInfo.InvariantCulture,
                    $"The service account has no access to the project {project}: the project id is wrong, the account was not added to it, "
                    + $"or the project is in another region.{Listed(" ")}"),
            };
        if (error.Kind is not ErrorKind.Forbidden) return error;
        var needed = api == "import" ? "Imports need an owner or admin of the project." : "Queries need a role in the project that may read its data.";
        return error with
        {
            Message = string.Create(CultureInfo.InvariantCulture,
                $"The service account has access to the project {project}, but its role there{(seen.Role is { } role ? $", {role}," : "")} is not "
                + $"sufficient. {needed} A project owner can change the role."),
        };
    }

    string Listed(string before) => _projects switch
    {
        null => "",
        { Count: 0 } => $"{before}The account has access to no project.",
        _ => $"{before}The account has access to {string.Join(", ", _projects.Take(MostShown).Select(project => project.Key.ToString(CultureInfo.InvariantCulture) + (project.Value.Name is { } name ? $" ({name})" : "")))}{(_projects.Count > MostShown ? $" and {_projects.Count - MostShown} more" : "")}.",
    };

    /// <summary>Returns the objects of a kind that an account sees, by id.</summary>
    public static JsonElement Members(JsonElement me, string kind) => Member(Member(me, "results"), kind);

    static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind is JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : default;

    static long? Id(JsonProperty member) => long.TryParse(member.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id > 0 ? id : null;

    static string? Role(JsonElement of) =>
        Member(of, "role") is { ValueKind: JsonValueKind.Object } role ? Text(Member(role, "name")) : Text(Member(of, "role"));

    static string? Text(JsonElement element) => element.ValueKind is JsonValueKind.String && element.GetString() is { Length: > 0 } text ? text : null;

    static string? Safe(string? text, MixpanelOptions options) => text is null ? null : ReplyClassifier.Safe(options, text);
}

using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/app/workspaces/…/experiments</c>: stores experiments as documents, with their state transitions. Nothing is measured.</summary>
sealed class Experiments(DocumentStore documents, Access access, TimeProvider time)
{
    const string Kind = "experiment";
    const int LongestName = 255, LongestDescription = 400;

    /// <summary>The members that a request may set; others, including <c>global_access_type</c>, are accepted and not returned, as documented.</summary>
    static readonly string[] Created = ["name", "description", "hypothesis", "settings", "variants", "metrics"];

    static readonly string[] Updated = [.. Created, "status", "start_date", "end_date", "exposures_cache", "results_cache", "tags"];

    /// <summary>All members that a request may contain.</summary>
    public static readonly string[] Members = [.. Updated, "global_access_type"];

    static readonly string[] Nullable = ["description", "hypothesis", "start_date", "end_date"];

    public async Task ListAsync(HttpContext context)
    {
        var (_, project, _) = await access.WorkspaceOfPathAsync(context).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartArray();
            foreach (var experiment in documents.List(project.Id, Kind))
                experiment.Content.WriteTo(json);
            json.WriteEndArray();
        }).ConfigureAwait(false);
    }

    public async Task CreateAsync(HttpContext context)
    {
        var (account, project) = await access.WritableWorkspaceAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        body.RequiredText("name", LongestName);
        CheckMembers(body);
        var experiment = new JsonObject
        {
            ["id"] = Guid.NewGuid().ToString(),
            ["content_type"] = "experiment",
            ["description"] = "",
            ["hypothesis"] = "",
            ["status"] = "draft",
            ["variants"] = new JsonArray(),
            ["metrics"] = new JsonArray(),
            ["settings"] = new JsonObject(),
            ["exposures_cache"] = new JsonObject(),
            ["results_cache"] = new JsonObject(),
            ["start_date"] = null,
            ["end_date"] = null,
            ["feature_flag"] = null,
            ["tags"] = new JsonArray(),
            ["is_favorited"] = false,
            ["pinned_date"] = null,
            ["deleted"] = null,
            ["created"] = Now(),
            ["creator_id"] = account.Id,
            ["creator_name"] = account.Username,
            ["creator_email"] = ServiceAccounts.EmailOf(account.Username),
        };
        foreach (var right in (string[])
        [
            "can_view",
            "can_update_basic",
            "can_update_restricted",
            "can_update_visibility",
            "can_share",
            "is_shared_with_project",
        ])
            experiment[right] = true;
        foreach (var right in (string[])["is_superadmin", "allow_staff_override"])
            experiment[right] = false;
        Merge(experiment, body, Created);
        Touch(experiment, account);
        await ChangeAsync(context, project, all => all.Add((string)experiment["id"]!, experiment)).ConfigureAwait(false);
        await context.Response.ResultsAsync(201, json => experiment.WriteTo(json)).ConfigureAwait(false);
    }

    public async Task GetAsync(HttpContext context)
    {
        var (_, project, _) = await access.WorkspaceOfPathAsync(context).ConfigureAwait(false);
        var experiment = documents.Find(project.Id, Kind, IdOf(context)) ?? throw NotFound();
        await AnswerAsync(context, experiment.Content).ConfigureAwait(false);
    }

    public Task UpdateAsync(HttpContext context) => EditAsync(context, (experiment, body) =>
    {
        if (body.Has("name")) body.RequiredText("name", LongestName);
        body.OneOf("status", "draft", "draft", "active", "concluded", "success", "fail");
        CheckMembers(body);
        Merge(experiment, body, Updated);
    });

    public async Task DeleteAsync(HttpContext context)
    {
        var (_, project) = await access.WritableWorkspaceAsync(context).ConfigureAwait(false);
        await ChangeAsync(context, project, all =>
        {
            if (!all.Remove(IdOf(context))) throw NotFound();
        }).ConfigureAwait(false);
        await AnswerAsync(context, []).ConfigureAwait(false);
    }

    /// <summary>Archives an experiment, with the response of a deletion.</summary>
    public async Task ArchiveAsync(HttpContext context)
    {
        await ChangeAsync(context, (experiment, _) => experiment["deleted"] = Now(), optionalBody: true).ConfigureAwait(false);
        await AnswerAsync(context, []).ConfigureAwait(false);
    }

    public Task UnarchiveAsync(HttpContext context) => EditAsync(context, (experiment, _) => experiment["deleted"] = null, optionalBody: true);

    public Task LaunchAsync(HttpContext context) => EditAsync(
        context,
        (experiment, _) =>
        {
            Require(experiment, "draft");
            experiment["status"] = "active";
            experiment["start_date"] = Now();
        },
        optionalBody: true);

    public Task ConcludeAsync(HttpContext context) => EditAsync(context, (experiment, body) =>
    {
        Require(experiment, "active");
        experiment["status"] = "concluded";
        experiment["end_date"] = body.Text("end_date") ?? Now();
    });

    public Task DecideAsync(HttpContext context) => EditAsync(context, (experiment, body) =>
    {
        Require(experiment, "concluded", "active");
        experiment["status"] = body.Boolean("success") is { } success ? (success ? "success" : "fail") : throw body.Invalid("success", "must not be missing");
        experiment["results_cache"]!["variant"] = body.Text("variant");
        experiment["results_cache"]!["message"] = body.Text("message");
        experiment["end_date"] ??= Now();
    });

    static void CheckMembers(JsonBody body)
    {
        if (body.Text("description")?.Length > LongestDescription) throw body.Invalid("description", $"must have at most {LongestDescription} characters");
        foreach (var text in (string[])["hypothesis", "start_date", "end_date", "global_access_type"])
            body.Text(text);
        foreach (var item in (string[])["settings", "exposures_cache", "results_cache"])
            body.Object(item);
        foreach (var list in (string[])["variants", "metrics"])
            body.CheckList(list);
        if (body.Has("tags")) body.Texts("tags");
        foreach (var name in Updated.Except(Nullable, StringComparer.Ordinal))
            body.RefuseNull(name);
    }

    static void Merge(JsonObject experiment, JsonBody body, string[] members)
    {
        foreach (var name in body.Names.Intersect(members, StringComparer.Ordinal))
            experiment[name] = body.Node(name);
    }

    static void Require(JsonObject experiment, params ReadOnlySpan<string> states)
    {
        if (!states.Contains((string?)experiment["status"])) throw new RefusedException(400, $"status: must be {string.Join(" or ", states.ToArray())}");
    }

    static string IdOf(HttpContext context) => (string)context.Request.RouteValues["experiment"]!;

    static RefusedException NotFound() => new(404, "experiment not found");

    static Task AnswerAsync(HttpContext context, JsonObject experiment) => context.Response.ResultsAsync(200, json => experiment.WriteTo(json));

    string Now() => time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    void Touch(JsonObject experiment, ServiceAccount account)
    {
        experiment["modified"] = Now();
        experiment["last_modified_by_id"] = account.Id;
        experiment["last_modified_by_name"] = account.Username;
        experiment["last_modified_by_email"] = ServiceAccounts.EmailOf(account.Username);
    }

    async Task EditAsync(HttpContext context, Action<JsonObject, JsonBody> edit, bool optionalBody = false) =>
        await AnswerAsync(context, await ChangeAsync(context, edit, optionalBody).ConfigureAwait(false)).ConfigureAwait(false);

    /// <summary>Applies an edit to the experiment in the path.</summary>
    async Task<JsonObject> ChangeAsync(HttpContext context, Action<JsonObject, JsonBody> edit, bool optionalBody)
    {
        var (account, project) = await access.WritableWorkspaceAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context, optionalBody).ConfigureAwait(false);
        JsonObject edited = [];
        await ChangeAsync(context, project, all =>
        {
            if (!all.TryGetValue(IdOf(context), out var experiment)) throw NotFound();
            edit(experiment, body);
            Touch(experiment, account);
            edited = experiment.DeepClone().AsObject();
        }).ConfigureAwait(false);
        return edited;
    }

    Task<bool> ChangeAsync(HttpContext context, Project project, Action<Dictionary<string, JsonObject>> change) => documents.ChangeAsync(
        project.Id, Kind,
        all =>
        {
            change(all);
            return true;
        },
        context.RequestAborted);
}

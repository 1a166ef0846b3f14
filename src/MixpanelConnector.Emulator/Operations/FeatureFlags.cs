using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/app/projects/…/workspaces/…/feature-flags</c>: validates flags and stores them as documents.</summary>
sealed class FeatureFlags(DocumentStore documents, Access access, TimeProvider time)
{
    public const string Kind = "feature flag";
    const int MostVariants = 11;
    const int LongestName = 255, LongestValue = 32_768, SaltLength = 32;

    public async Task ListAsync(HttpContext context)
    {
        var (_, project, _) = await access.WorkspaceOfPathAsync(context).ConfigureAwait(false);
        var archived = context.Request.Query["include_archived"].ToString() switch
        {
            "true" => true,
            "false" => false,
            "" when !context.Request.Query.ContainsKey("include_archived") => false,
            _ => throw new RefusedException(400, "include_archived: must be true or false"),
        };
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartArray();
            foreach (var flag in documents.List(project.Id, Kind).Where(flag => archived || (string?)flag.Content["status"] != "archived"))
                flag.Content.WriteTo(json);
            json.WriteEndArray();
        }).ConfigureAwait(false);
    }

    public async Task CreateAsync(HttpContext context)
    {
        var (account, project) = await access.WritableWorkspaceAsync(context).ConfigureAwait(false);
        var flag = Check(await JsonBody.ReadAsync(context).ConfigureAwait(false), project);
        var id = Guid.NewGuid().ToString();
        Stamp(flag, account, "last_modified_by", "modified");
        Stamp(flag, account, "creator", "created");
        flag["id"] = id;
        flag["project_id"] = project.Id;
        flag["workspace_id"] = project.Id;
        flag["project_name"] = project.Name;
        flag["content_type"] = "feature-flags";
        flag["is_favorited"] = false;
        flag["pinned_date"] = null;
        flag["deleted"] = null;
        flag["enabled_at"] = EnabledAt(flag, before: null);
        flag["content_environments_id"] = null;
        foreach (var right in (string[])["can_view", "can_update_basic", "can_share", "can_pin", "is_shared_with_project"])
            flag[right] = true;
        foreach (var right in (string[])["is_superadmin", "allow_staff_override"])
            flag[right] = false;
        await ChangeAsync(context, project, all =>
        {
            RefuseTakenKey(all, flag, id);
            all.Add(id, flag);
        }).ConfigureAwait(false);
        await AnswerAsync(context, flag).ConfigureAwait(false);
    }

    public async Task GetAsync(HttpContext context)
    {
        var (_, project, _) = await access.WorkspaceOfPathAsync(context).ConfigureAwait(false);
        var flag = documents.Find(project.Id, Kind, IdOf(context)) ?? throw NotFound();
        await AnswerAsync(context, flag.Content).ConfigureAwait(false);
    }

    public async Task ReplaceAsync(HttpContext context)
    {
        var (account, project) = await access.WritableWorkspaceAsync(context).ConfigureAwait(false);
        var (id, flag) = (IdOf(context), Check(await JsonBody.ReadAsync(context).ConfigureAwait(false), project));
        await ChangeAsync(context, project, all =>
        {
            if (!all.TryGetValue(id, out var before)) throw NotFound();
            RefuseTakenKey(all, flag, id);
            Stamp(flag, account, "last_modified_by", "modified");
            flag["enabled_at"] = EnabledAt(flag, before);
            foreach (var (name, value) in before)
            {
                if (!flag.ContainsKey(name) && !Payload.Contains(name, StringComparer.Ordinal)) flag[name] = value?.DeepClone();
            }
            all[id] = flag;
        }).ConfigureAwait(false);
        await AnswerAsync(context, flag).ConfigureAwait(false);
    }

    public async Task DeleteAsync(HttpContext context)
    {
        var (_, project) = await access.WritableWorkspaceAsync(context).ConfigureAwait(false);
        var id = IdOf(context);
        await ChangeAsync(context, project, all =>
        {
            if (!all.Remove(id)) throw NotFound();
        }).ConfigureAwait(false);
        await AnswerAsync(context, []).ConfigureAwait(false);
    }

    static readonly string[] Payload =
    [
        "name", "key", "description", "tags", "experiment_id", "status", "context", "data_group_id", "serving_method", "ruleset", "workspace_id",
        "is_experiment_active", "hash_salt", "reset_hash_salt",
    ];

    static JsonObject Check(JsonBody body, Project project)
    {
        body.AllowOnly(Payload);
        body.RequiredText("name", LongestName);
        body.RequiredText("key", LongestName);
        body.RequiredText("context", LongestName);
        body.Text("description");
        body.Texts("tags");
        body.Boolean("is_experiment_active");
        body.Boolean("reset_hash_salt");
        if (body.Integer("workspace_id") is { } workspace && workspace != project.Id) throw body.Invalid("workspace_id", "is not the one of the path");
        if (body.Node("data_group_id") is { } group && group.GetValueKind() is not (JsonValueKind.String or JsonValueKind.Number))
            throw body.Invalid("data_group_id", "must be text or an integer");
        body.RefuseNull("status");
        body.OneOf("serving_method", "", "client", "server", "remote_or_local", "remote_only");
        if (body.Text("experiment_id") is { } experiment && !(Guid.TryParseExact(experiment, "D", out var id) && id.Version == 4))
            throw body.Invalid("experiment_id", "must be a UUID of version 4");
        if (body.Text("hash_salt") is { } salt && JsonBody.LengthOf(salt) != SaltLength) throw body.Invalid("hash_salt", $"must have {SaltLength} characters");
        var ruleset = body.Object("ruleset") ?? throw body.Invalid("ruleset", "must not be missing");
        CheckRuleset(ruleset);
        var flag = body.ToObject();
        flag["status"] = body.OneOf("status", "disabled", "enabled", "disabled", "archived");
        flag.Remove("reset_hash_salt");
        return flag;
    }

    static void CheckRuleset(JsonBody ruleset)
    {
        ruleset.AllowOnly("variants", "rollout", "test");
        var variants = ruleset.Objects("variants");
        if (variants.Count > MostVariants) throw ruleset.Invalid("variants", $"must be at most {MostVariants}");
        var keys = new HashSet<string>(StringComparer.OrdinalIgnoreCase); // as they are looked up
        foreach (var variant in variants)
        {
            variant.AllowOnly("key", "value", "description", "is_control", "split", "is_sticky");
            if (!keys.Add(variant.RequiredText("key"))) throw variant.Invalid("key", "must be another one for each variant");
            variant.Text("description");
            variant.Boolean("is_sticky");
            RequireShare(variant, "split");
            if (variant.Boolean("is_control") is null) throw variant.Invalid("is_control", "must not be missing");
            if (!variant.Names.Contains("value", StringComparer.Ordinal)) throw variant.Invalid("value", "must not be missing");
            if (variant.Node("value") is JsonValue value && value.GetValueKind() == JsonValueKind.String
                && JsonBody.LengthOf(value.GetValue<string>()) > LongestValue)
                throw variant.Invalid("value", $"must have at most {LongestValue} characters");
        }
        foreach (var rollout in ruleset.Objects("rollout"))
        {
            rollout.AllowOnly(
                "name", "cohort_definition", "runtime_evaluation_definition", "runtime_evaluation_rule", "runtime_event_rule", "cohort_hash",
                "rollout_percentage", "variant_override", "variant_splits");
            rollout.Text("name");
            rollout.Text("cohort_hash");
            foreach (var definition in (string[])["cohort_definition", "runtime_evaluation_definition", "runtime_evaluation_rule"])
                rollout.Object(definition);
            if (rollout.Object("runtime_event_rule") is { } rule) CheckEventRule(rule);
            RequireShare(rollout, "rollout_percentage");
            var splits = rollout.Object("variant_splits") ?? throw rollout.Invalid("variant_splits", "must not be missing");
            foreach (var name in splits.Names)
            {
                splits.RefuseNull(name);
                splits.Number(name);
            }
            if (rollout.Object("variant_override") is { } variant)
            {
                variant.AllowOnly("key");
                variant.RequiredText("key");
            }
        }
        if (ruleset.Object("test") is { } test)
        {
            foreach (var name in test.Names)
            {
                var users = test.Object(name) ?? throw test.Invalid(name, "must be an object");
                foreach (var user in users.Names)
                    _ = users.Text(user) ?? throw users.Invalid(user, "must be text");
            }
        }
    }

    static void CheckEventRule(JsonBody rule)
    {
        rule.AllowOnly("event_name", "time_window", "duration", "property_filters");
        rule.RequiredText("event_name");
        rule.OneOf("time_window", "", "while_flag_enabled");
        rule.OneOf("duration", "indefinitely", "end_of_session", "indefinitely");
        rule.Object("property_filters");
    }

    static void RequireShare(JsonBody body, string name)
    {
        if (body.Number(name) is not (>= 0 and <= 1)) throw body.Invalid(name, "must be a number from 0 to 1");
    }

    static void RefuseTakenKey(Dictionary<string, JsonObject> all, JsonObject flag, string id)
    {
        if (all.Any(other => other.Key != id && (string?)other.Value["key"] == (string?)flag["key"])) throw new RefusedException(400, "key: already taken");
    }

    static string IdOf(HttpContext context) => (string)context.Request.RouteValues["flag"]!;

    static RefusedException NotFound() => new(404, "feature flag not found");

    static Task AnswerAsync(HttpContext context, JsonObject flag) => context.Response.ResultsAsync(200, json => flag.WriteTo(json));

    string Now() => time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    string? EnabledAt(JsonObject flag, JsonObject? before) =>
        (string?)flag["status"] != "enabled" ? (string?)before?["enabled_at"]
        : (string?)before?["status"] == "enabled" ? (string?)before["enabled_at"]
        : Now();

    void Stamp(JsonObject flag, ServiceAccount account, string who, string when)
    {
        flag[when] = Now();
        flag[who + "_id"] = account.Id;
        flag[who + "_name"] = account.Username;
        flag[who + "_email"] = ServiceAccounts.EmailOf(account.Username);
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

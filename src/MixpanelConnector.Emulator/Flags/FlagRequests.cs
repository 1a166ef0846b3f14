using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Operations;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Flags;

/// <summary><c>/flags</c>: the variants for a context, and the definitions from which SDKs compute them locally. Enabled flags only.</summary>
sealed class FlagRequests(DocumentStore documents, Accounts accounts, Access access)
{
    const int LargestBody = 1024 * 1024;

    /// <summary>Conditions on data that is not available to an evaluation here: such a rollout matches nobody.</summary>
    static readonly string[] Unknowable = ["cohort_hash", "cohort_definition", "runtime_event_rule"];

    public async Task AssignAsync(HttpContext context)
    {
        var project = await ProjectAsync(context).ConfigureAwait(false);
        var evaluated =
            Checked(HttpMethods.IsPost(context.Request.Method) ? await ContextOfBodyAsync(context).ConfigureAwait(false) : ContextOfQuery(context.Request));
        var key = context.Request.Query["flag_key"].ToString();
        var budget = new RuleBudget(context.RequestAborted);
        var assigned = EnabledOf(project).Where(flag => key == "" || KeyOf(flag) == key)
            .Select(flag => (Flag: flag, Assignment: FlagEvaluation.Assign(flag, evaluated, IsKnowable, budget)))
                .Where(each => each.Assignment is not null).ToList();
        await context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("code", 200);
            json.WriteStartObject("flags");
            foreach (var (flag, given) in assigned)
            {
                var assignment = given!.Value;
                json.WriteStartObject(KeyOf(flag));
                json.WriteString("variant_key", assignment.Key);
                json.WritePropertyName("variant_value");
                assignment.Variant.GetProperty("value").WriteTo(json);
                Copy(json, flag, "experiment_id", "is_experiment_active");
                json.WriteBoolean("is_qa_tester", assignment.IsTestUser);
                json.WriteEndObject();
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    public async Task DefineAsync(HttpContext context)
    {
        var project = await ProjectAsync(context).ConfigureAwait(false);
        await context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("flags");
            foreach (var flag in EnabledOf(project).Where(flag => FlagEvaluation.Member(flag, "serving_method")?.GetString() != "remote_only"))
            {
                json.WriteStartObject();
                Copy(json, flag, "id", "name", "key", "status", "project_id", "workspace_id", "context", "hash_salt", "experiment_id", "is_experiment_active");
                var ruleset = flag.GetProperty("ruleset");
                json.WriteStartObject("ruleset");
                CopyAll(json, ruleset, "variants", "key", "value", "is_control", "is_sticky", "split");
                CopyAll(
                    json, ruleset, "rollout",
                    "name", "rollout_percentage", "cohort_hash", "runtime_evaluation_rule", "runtime_evaluation_definition", "variant_splits",
                    "variant_override");
                Copy(json, ruleset, "test");
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    static bool IsKnowable(JsonElement rollout) => !Unknowable.Any(name => FlagEvaluation.Member(rollout, name) is { } rule && !IsEmpty(rule));

    static bool IsEmpty(JsonElement rule) =>
        rule.ValueKind == JsonValueKind.Object ? !rule.EnumerateObject().Any() : rule.ValueKind == JsonValueKind.String && rule.GetString() == "";

    static string KeyOf(JsonElement flag) => flag.GetProperty("key").GetString()!;

    IEnumerable<JsonElement> EnabledOf(Project project) =>
        documents.List(project.Id, FeatureFlags.Kind)
            .Where(flag => (string?)flag.Content["status"] == "enabled")
            .Select(flag => JsonElement.Parse(ProfileText.Write(flag.Content)));

    /// <summary>Copies the existing members; a variant's value may be null, other null members are omitted.</summary>
    static void Copy(Utf8JsonWriter json, JsonElement from, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (from.TryGetProperty(name, out var value) && (value.ValueKind != JsonValueKind.Null || name == "value"))
            {
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
        }
    }

    static void CopyAll(Utf8JsonWriter json, JsonElement ruleset, string list, params ReadOnlySpan<string> names)
    {
        json.WriteStartArray(list);
        if (FlagEvaluation.Member(ruleset, list) is { } elements)
        {
            foreach (var element in elements.EnumerateArray())
            {
                json.WriteStartObject();
                Copy(json, element, names);
                json.WriteEndObject();
            }
        }
        json.WriteEndArray();
    }

    static JsonElement ContextOfQuery(HttpRequest request)
    {
        if (request.Query["context"].ToString() is not { Length: > 0 } text) throw Missing();
        try
        {
            return JsonText.AreAllValid(Encoding.UTF8.GetBytes(text)) ? JsonElement.Parse(text) : default;
        }
        catch (JsonException)
        {
            return default;
        }
    }

    /// <summary>mixpanel-browser before 2.68 sends the context as a member of a JSON body, whose content type it gives as bytes.</summary>
    static async Task<JsonElement> ContextOfBodyAsync(HttpContext context)
    {
        using var body = await RequestBody.ReadAsync(context.Request, LargestBody, gzipAllowed: false, context.RequestAborted).ConfigureAwait(false);
        return JsonBody.ParseObject(body.Memory.Span).TryGetProperty("context", out var given) ? given : throw Missing();
    }

    static RefusedException Missing() => new(400, "'context' is required: the evaluation context as a JSON object");

    static JsonElement Checked(JsonElement context)
    {
        if (context.ValueKind != JsonValueKind.Object) throw new RefusedException(400, "'context' is invalid: must be a JSON object");
        return FlagEvaluation.Member(context, "distinct_id") is { ValueKind: JsonValueKind.String } ? context
            : throw new RefusedException(400, "distinct_id must be provided in evalContext as a string");
    }

    /// <summary>The project of the token or secret used as credentials, or for a service account the project of <c>project_id</c> or <c>token</c>.</summary>
    async Task<Project> ProjectAsync(HttpContext context)
    {
        var (token, id) = (context.Request.Query["token"].ToString(), context.Request.Query["project_id"].ToString());
        if (Credentials.Of(context.Request) is { Secret: "" } signer)
        {
            var own = accounts.ProjectOfToken(signer.Username, context.Region()) ?? accounts.ProjectOfSecret(signer.Username, context.Region())
                ?? throw RefusedException.BadCredentials();
            return (token == "" || token == own.Token) && (id == "" || id == IdOf(own))
                ? own
                : throw new RefusedException(403, "the token or the secret that signs in is another project's");
        }
        if (id == "" && token != "")
        {
            // Authenticate first: whether a token exists is disclosed to authenticated callers only.
            await access.AccountAsync(context).ConfigureAwait(false);
            id = accounts.ProjectOfToken(token, context.Region()) is { } named ? IdOf(named) : throw new RefusedException(403, "no project with this token");
        }
        var project = await access.ReadableProjectAsync(context, id).ConfigureAwait(false);
        return token == "" || token == project.Token ? project : throw new RefusedException(403, "'token' and 'project_id' are of two projects");
    }

    static string IdOf(Project project) => project.Id.ToString(CultureInfo.InvariantCulture);
}

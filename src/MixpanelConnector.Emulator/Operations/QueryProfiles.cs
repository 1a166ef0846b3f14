using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/query/engage</c>: profiles of users, or of groups with <c>data_group_id</c>, in pages.</summary>
sealed class QueryProfiles(ProfileStore profiles, ProfileQuery query, QuerySessions sessions, DocumentStore documents, Access access, Quota quota,
    TimeProvider time)
{
    const int DefaultPageSize = 1000;
    const int LargestPageSize = 10_000;

    /// <summary>The parameters that determine the result of a session.</summary>
    static readonly string[] Questions =
        [
            "where", "selector", "distinct_id", "distinct_ids", "data_group_id", "filter_by_cohort", "include_all_users", "behaviors", "as_of_timestamp",
            "search", "sort_key", "sort_order",
        ];

    static readonly string[] Parameters = [.. Questions, "output_properties", "page", "page_size", "session_id"];

    public async Task HandleAsync(HttpContext context)
    {
        var fields = await QueryFields.ReadAsync(context, Parameters).ConfigureAwait(false);
        var project = await access.ReadableProjectAsync(context, fields.Text("project_id")).ConfigureAwait(false);
        fields.CheckWorkspace(project);
        using var running = quota.BeginQuery(project.Id);
        QueryBudget.Begin(context.RequestAborted);

        var kind = new ProfileKind(project.Id, fields.Text("data_group_id") ?? "");
        var page = fields.Integer("page", otherwise: 0, least: 0, most: int.MaxValue);
        var outputs = fields.Texts("output_properties");
        var session = page == 0 && string.IsNullOrEmpty(fields.Text("session_id"))
            ? await OpenAsync(fields, project, kind, context.RequestAborted).ConfigureAwait(false)
            : Continue(fields, kind);
        var ids = session.ProfileIds.Skip((int)Math.Min((long)page * session.PageSize, int.MaxValue)).Take(session.PageSize).ToList();
        var found = profiles.Find(kind, ids);
        await context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("page", page);
            json.WriteNumber("page_size", session.PageSize);
            json.WriteString("session_id", session.Id);
            json.WriteString("status", "ok");
            json.WriteNumber("total", session.ProfileIds.Count);
            json.WriteStartArray("results");
            foreach (var id in ids)
            {
                json.WriteStartObject();
                json.WriteString("$distinct_id", id);
                json.WritePropertyName("$properties");
                // Deleted since the first page: it keeps its place, so that only the last page can be short.
                WriteProperties(json, found.GetValueOrDefault(id, "{}"), outputs);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteComputedAt(time.GetUtcNow());
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    static void WriteProperties(Utf8JsonWriter json, string properties, IReadOnlyList<string>? outputs)
    {
        if (outputs is null)
        {
            json.WriteRawValue(properties, skipInputValidation: true);
            return;
        }
        json.WriteStartObject();
        var utf8 = Encoding.UTF8.GetBytes(properties);
        var reader = new Utf8JsonReader(utf8);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (!outputs.Contains(name, StringComparer.Ordinal)) continue;
            json.WritePropertyName(name);
            json.WriteRawValue(utf8.AsSpan(start, (int)reader.BytesConsumed - start), skipInputValidation: true);
        }
        json.WriteEndObject();
    }

    Task<QuerySession> OpenAsync(QueryFields fields, Project project, ProfileKind kind, CancellationToken cancellationToken)
    {
        var one = fields.Text("distinct_id");
        var several = fields.Texts("distinct_ids");
        if (one is not null && several is not null) throw new RefusedException(400, "distinct_id and distinct_ids cannot both be given");
        var pageSize = fields.Integer("page_size", DefaultPageSize, least: 1, LargestPageSize);
        var behaviors = fields.Text("behaviors") is { } asked ? Behavior.Parse(asked) : [];
        var cohort = CohortOf(fields, project);
        if (cohort is not null && behaviors.Count > 0) throw new RefusedException(400, "behaviors and filter_by_cohort cannot both be given");
        var asOf = fields.Text("as_of_timestamp") is null
            ? default(DateTimeOffset?)
            : DateTimeOffset.FromUnixTimeSeconds(fields.RequiredInteger("as_of_timestamp"));
        var among = one is null ? several : [one];
        if (cohort is not null)
        {
            var members = query.MembersOf(project, cohort);
            among = among is null ? [.. members] : [.. among.Intersect(members, StringComparer.Ordinal)];
        }
        var everyone = cohort is not null && (fields.Text("include_all_users") is null || fields.Boolean("include_all_users"));
        var question = new ProfileQuestion(
            WhereOf(fields), among, behaviors, asOf, everyone, fields.Text("search"), Where.Parse(fields, "sort_key", SelectorDialect.Engage),
            fields.Choice("sort_order", SortOrder.Ascending, SortOrder.Ascending, SortOrder.Descending));
        return sessions.OpenAsync(kind, query.Find(project, kind, question), pageSize, HashesOf(fields), cancellationToken);
    }

    /// <summary>Older clients call the expression <c>selector</c>.</summary>
    static Selector? WhereOf(QueryFields fields) => (Where.Parse(fields, "where", SelectorDialect.Engage),
        Where.Parse(fields, "selector", SelectorDialect.Engage)) switch
    {
        (not null, not null) => throw new RefusedException(400, "where and selector cannot both be given"),
        var (where, selector) => where ?? selector,
    };

    Cohort? CohortOf(QueryFields fields, Project project)
    {
        if (fields.Text("filter_by_cohort") is not { } text) return null;
        try
        {
            var filter = JsonElement.Parse(text);
            if (filter.ValueKind == JsonValueKind.Object && filter.TryGetProperty("raw_cohort", out var raw) && raw.ValueKind == JsonValueKind.Object)
                return Cohort.Read(new JsonBody(raw, "raw_cohort."), isNamed: false);
            if (filter.ValueKind == JsonValueKind.Object && filter.TryGetProperty("id", out var id))
            {
                return documents.Find(project.Id, Cohort.Kind, id.ToString()) is { } saved
                    ? Cohort.Read(Saved.Body(saved.Content))
                    : throw new RefusedException(404, $"no cohort {id} in this project");
            }
        }
        catch (JsonException)
        {
            // Reported by the refusal below.
        }
        throw new RefusedException(400, "invalid filter_by_cohort: must be a JSON object like {\"id\":12345}");
    }

    static Dictionary<string, string> HashesOf(QueryFields fields) =>
        Questions.Where(name => fields.Text(name) is not null)
            .ToDictionary(name => name, name => QuerySession.Hash(fields.Text(name)!), StringComparer.Ordinal);

    /// <summary>A page may omit the parameters of the first one, but not change them.</summary>
    QuerySession Continue(QueryFields fields, ProfileKind kind)
    {
        if (fields.Text("session_id") is not { } id) throw new RefusedException(400, "session_id is required for pages after the first");
        var session = sessions.Find(id, kind) ?? throw new RefusedException(400, "request for page in uncached query for params");
        var changed = fields.Integer("page_size", session.PageSize, least: 1, LargestPageSize) != session.PageSize
            ? "page_size"
            : HashesOf(fields).FirstOrDefault(hash => session.Parameters.GetValueOrDefault(hash.Key) != hash.Value).Key;
        return changed is null ? session : throw new RefusedException(400, $"invalid {changed}: must be the same as on the first page of the session");
    }
}

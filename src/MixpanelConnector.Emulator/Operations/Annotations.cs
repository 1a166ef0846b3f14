using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/app/projects/…/annotations</c>: notes on dates, and the tags that group them.</summary>
sealed class Annotations(DocumentStore documents, Accounts accounts, Access access)
{
    const string Kind = "annotation", TagKind = "annotation tag";
    const string Written = "yyyy-MM-dd HH:mm:ss";

    static readonly string[] Accepted = [Written, "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd"];

    public async Task ListAsync(HttpContext context)
    {
        var (_, project, _) = await access.ProjectOfPathAsync(context).ConfigureAwait(false);
        var (from, to) = (DayOf(context, "fromDate") ?? DateOnly.MinValue, DayOf(context, "toDate") ?? DateOnly.MaxValue);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartArray();
            foreach (var annotation in documents.List(project.Id, Kind))
            {
                var day = DateOnly.FromDateTime(LocalTimeOf(annotation));
                if (day >= from && day <= to) Write(json, project, annotation);
            }
            json.WriteEndArray();
        }).ConfigureAwait(false);
    }

    /// <summary>The same for clients of the previous API, under <c>/api/2.0/annotations</c>.</summary>
    public Task ListOldAsync(HttpContext context, QueryFields fields, Project project)
    {
        var (from, to) = (fields.Text("from_date") is null ? DateOnly.MinValue : fields.Date("from_date"),
            fields.Text("to_date") is null ? DateOnly.MaxValue : fields.Date("to_date"));
        return context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("annotations");
            foreach (var annotation in documents.List(project.Id, Kind))
            {
                var date = LocalTimeOf(annotation);
                if (DateOnly.FromDateTime(date) < from || DateOnly.FromDateTime(date) > to) continue;
                json.WriteStartObject();
                json.WriteNumber("id", int.Parse(annotation.Id, CultureInfo.InvariantCulture));
                json.WriteString("date", date.ToString(Written, CultureInfo.InvariantCulture));
                json.WriteNumber("project_id", project.Id);
                json.WriteString("description", (string)annotation.Content["description"]!);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteBoolean("error", false);
            json.WriteEndObject();
        });
    }

    public async Task CreateAsync(HttpContext context)
    {
        var (account, project) = await access.WritableProjectAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        if (!DateTime.TryParseExact(body.RequiredText("date"), Accepted, CultureInfo.InvariantCulture,
            DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var date))
            throw body.Invalid("date", "must be a date and time like 2026-01-31 13:00:00");
        var (description, tags) = (body.RequiredText("description"), TagsOf(body, project));
        var annotation = await documents.AddAsync(
            project.Id, Kind,
            _ => new JsonObject
            {
                ["date"] = date.ToString(Written, CultureInfo.InvariantCulture),
                ["description"] = description,
                ["tags"] = tags,
                ["user_id"] = account.Id,
            },
            context.RequestAborted).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json => Write(json, project, annotation)).ConfigureAwait(false); // 201 according to the specification
    }

    public async Task GetAsync(HttpContext context)
    {
        var (_, project, _) = await access.ProjectOfPathAsync(context).ConfigureAwait(false);
        var annotation = documents.Find(project.Id, Kind, IdOf(context)) ?? throw NotFound();
        await context.Response.ResultsAsync(200, json => Write(json, project, annotation)).ConfigureAwait(false);
    }

    public async Task PatchAsync(HttpContext context)
    {
        var (_, project) = await access.WritableProjectAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        var (id, description, tags) = (IdOf(context), body.Text("description"), body.Has("tags") ? TagsOf(body, project) : null);
        var annotation = await documents.ChangeAsync(
            project.Id, Kind,
            all =>
            {
                if (!all.TryGetValue(id, out var content)) throw NotFound();
                if (description is not null) content["description"] = description;
                if (tags is not null) content["tags"] = tags;
                return new Document(id, content.DeepClone().AsObject());
            },
            context.RequestAborted).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json => Write(json, project, annotation)).ConfigureAwait(false);
    }

    public async Task DeleteAsync(HttpContext context)
    {
        var (_, project) = await access.WritableProjectAsync(context).ConfigureAwait(false);
        var id = IdOf(context);
        if (!await documents.ChangeAsync(project.Id, Kind, all => all.Remove(id), context.RequestAborted).ConfigureAwait(false)) throw NotFound();
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("id", int.Parse(id, CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    public async Task ListTagsAsync(HttpContext context)
    {
        var (_, project) = await access.WritableProjectAsync(context).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json => // according to the specification, tags have no envelope
        {
            json.WriteStartArray();
            foreach (var tag in documents.List(project.Id, TagKind))
                WriteTag(json, project, tag);
            json.WriteEndArray();
        }).ConfigureAwait(false);
    }

    public async Task CreateTagAsync(HttpContext context)
    {
        var (_, project) = await access.WritableProjectAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        var name = body.RequiredText("name");
        var tag = await documents.AddAsync(project.Id, TagKind, _ => new JsonObject { ["name"] = name }, context.RequestAborted).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json => WriteTag(json, project, tag)).ConfigureAwait(false);
    }

    /// <summary>In the project's time zone.</summary>
    static DateTime LocalTimeOf(Document annotation) => DateTime.ParseExact((string)annotation.Content["date"]!, Written, CultureInfo.InvariantCulture);

    static RefusedException NotFound() => new(404, "annotation not found");

    static string IdOf(HttpContext context) =>
        int.TryParse((string?)context.Request.RouteValues["annotation"], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id.ToString(CultureInfo.InvariantCulture)
            : throw NotFound();

    static DateOnly? DayOf(HttpContext context, string name) =>
        context.Request.Query[name].ToString() is not { Length: > 0 } text ? null
        : DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day
        : throw new RefusedException(400, $"{name}: must be a date like 2026-01-31");

    JsonArray TagsOf(JsonBody body, Project project)
    {
        if (!body.Has("tags")) return [];
        var known = documents.List(project.Id, TagKind).Select(tag => tag.Id).ToHashSet(StringComparer.Ordinal);
        var tags = body.Integers("tags");
        if (tags.FirstOrDefault(tag => !known.Contains(tag.ToString(CultureInfo.InvariantCulture)), -1) is not -1 and var unknown)
            throw body.Invalid("tags", $"no tag {unknown} in this project");
        return new JsonArray([.. tags.Select(tag => (JsonNode)tag)]);
    }

    void Write(Utf8JsonWriter json, Project project, Document annotation)
    {
        var author = (int)annotation.Content["user_id"]!;
        var names = documents.List(project.Id, TagKind).ToDictionary(tag => tag.Id, tag => (string)tag.Content["name"]!, StringComparer.Ordinal);
        json.WriteStartObject();
        json.WriteNumber("id", int.Parse(annotation.Id, CultureInfo.InvariantCulture));
        json.WriteString("date", project.Calendar.At(LocalTimeOf(annotation)).ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture));
        json.WriteNumber("project_id", project.Id);
        json.WriteString("description", (string)annotation.Content["description"]!);
        json.WriteStartObject("user");
        json.WriteNumber("id", author);
        json.WriteString("first_name", accounts.All.FirstOrDefault(account => account.Id == author)?.Username ?? "");
        json.WriteString("last_name", "");
        json.WriteEndObject();
        json.WriteStartArray("tags");
        foreach (var tag in annotation.Content["tags"]!.AsArray())
        {
            json.WriteStartObject();
            json.WriteNumber("id", (int)tag!);
            json.WriteString("name", names[((int)tag!).ToString(CultureInfo.InvariantCulture)]);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    void WriteTag(Utf8JsonWriter json, Project project, Document tag)
    {
        var id = int.Parse(tag.Id, CultureInfo.InvariantCulture);
        json.WriteStartObject();
        json.WriteNumber("id", id);
        json.WriteString("name", (string)tag.Content["name"]!);
        json.WriteNumber("project_id", project.Id);
        json.WriteBoolean("has_annotations",
            documents.List(project.Id, Kind).Any(annotation => annotation.Content["tags"]!.AsArray().Any(used => (int)used! == id)));
        json.WriteEndObject();
    }
}

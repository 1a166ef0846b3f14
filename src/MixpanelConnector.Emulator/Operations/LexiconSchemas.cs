using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/app/projects/…/schemas</c>: the expected structure of events and profiles.</summary>
sealed class LexiconSchemas(DocumentStore documents, Access access, Quota quota)
{
    const string Kind = "schema";
    const string Metadata = "metadata", Mixpanel = "com.mixpanel", Properties = "properties";
    const int MostDeletions = 3000;

    static readonly string[] OfEntity =
    [
        "$source",
        "displayName",
        "tags",
        "hidden",
        "dropped",
        "contacts",
        "teamContacts",
    ], OfProperty = ["displayName", "hidden", "dropped"];

    static readonly string[] Types = ["array", "boolean", "integer", "null", "number", "object", "string"];

    public async Task ListAsync(HttpContext context)
    {
        var project = await ReadableAsync(context).ConfigureAwait(false);
        var asked = EntityOf(context);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartArray();
            foreach (var entry in documents.List(project.Id, Kind).Where(entry => IsAsked(asked, entry.Content)))
                entry.Content.WriteTo(json);
            json.WriteEndArray();
        }).ConfigureAwait(false);
    }

    public async Task UploadAsync(HttpContext context)
    {
        var project = await WritableAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        body.AllowOnly("entries", "truncate");
        var entries = body.Objects("entries").Select(entry =>
        {
            entry.AllowOnly("entityType", "name", "schemaJson");
            var (type, name) = (entry.OneOf("entityType", "", "event", "profile"), entry.RequiredText("name"));
            return Entry(type, name, entry.Object("schemaJson") ?? throw entry.Invalid("schemaJson", "must not be missing"));
        }).ToList();
        quota.TakeSchemas(project.OrganizationId, entries.Sum(SizeOf));
        var truncate = body.Boolean("truncate") ?? false;
        var deleted = await documents.ChangeAsync(
            project.Id, Kind,
            all =>
            {
                var count = truncate ? all.Count : 0;
                RefuseTooMany(count);
                if (truncate) all.Clear();
                foreach (var entry in entries)
                    Put(all, entry);
                return count;
            },
            context.RequestAborted).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("added", entries.Count);
            json.WriteNumber("deleted", deleted);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    public async Task DeleteAsync(HttpContext context)
    {
        var project = await WritableAsync(context).ConfigureAwait(false);
        quota.TakeSchemas(project.OrganizationId, 0);
        var entity = EntityOf(context);
        var count = await documents.ChangeAsync(
            project.Id, Kind,
            all =>
            {
                var asked = all.Where(entry => IsAsked(entity, entry.Value)).Select(entry => entry.Key).ToList();
                RefuseTooMany(asked.Count);
                foreach (var id in asked)
                    all.Remove(id);
                return asked.Count;
            },
            context.RequestAborted).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("delete_count", count);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    /// <summary>One schema, without an envelope.</summary>
    public async Task GetAsync(HttpContext context)
    {
        var project = await ReadableAsync(context).ConfigureAwait(false);
        var (type, name) = EntityOf(context);
        var entry = documents.Find(project.Id, Kind, IdOf(type!, name!)) ?? throw new RefusedException(404, "schema not found");
        await context.Response.JsonAsync(200, json => entry.Content["schemaJson"]!.WriteTo(json)).ConfigureAwait(false);
    }

    public async Task PutAsync(HttpContext context)
    {
        var project = await WritableAsync(context).ConfigureAwait(false);
        var (type, name) = EntityOf(context);
        var entry = Entry(type!, name!, await JsonBody.ReadAsync(context).ConfigureAwait(false));
        quota.TakeSchemas(project.OrganizationId, SizeOf(entry));
        await documents.ChangeAsync(
            project.Id, Kind,
            all =>
            {
                Put(all, entry);
                return true;
            },
            context.RequestAborted).ConfigureAwait(false);
        await context.Response.OkAsync().ConfigureAwait(false);
    }

    static string IdOf(string type, string name) => $"{type}/{name}";

    /// <summary>The entity in the path, as far as specified there; otherwise in the query string.</summary>
    static (string? Type, string? Name) EntityOf(HttpContext context)
    {
        var type = (string?)context.Request.RouteValues["type"];
        if (type is not (null or "event" or "profile")) throw new RefusedException(400, "entityType: must be event or profile");
        var name = (string?)context.Request.RouteValues["name"] ?? (type is null ? "" : context.Request.Query["entity_name"].ToString());
        return (type, name == "" ? null : Uri.UnescapeDataString(name));
    }

    static bool IsAsked((string? Type, string? Name) asked, JsonObject entry) =>
        (asked.Type is null || (string?)entry["entityType"] == asked.Type) && (asked.Name is null || (string?)entry["name"] == asked.Name);

    static void RefuseTooMany(int deletions)
    {
        if (deletions > MostDeletions) throw new RefusedException(400, $"a request must delete at most {MostDeletions} schemas");
    }

    static int SizeOf(JsonObject entry) => 1 + (entry["schemaJson"]![Properties]?.AsObject().Count ?? 0);

    static JsonObject Entry(string type, string name, JsonBody schema)
    {
        schema.Text("description");
        CheckMetadata(schema, OfEntity);
        if (schema.Object(Properties) is { } properties)
        {
            foreach (var property in properties.Names)
            {
                var definition = properties.Object(property) ?? throw properties.Invalid(property, "must be an object");
                definition.AllowOnly("type", "description", Metadata);
                definition.Text("description");
                var kind = definition.Node("type");
                var kinds = kind is JsonArray several ? several.Select(one => one?.ToString()) : [kind?.ToString()];
                if (!kinds.Any() || kinds.Any(one => !Types.Contains(one, StringComparer.Ordinal)))
                    throw definition.Invalid("type", $"must be {string.Join(", ", Types)}, or a list of them");
                CheckMetadata(definition, OfProperty);
            }
        }
        return new JsonObject { ["entityType"] = type, ["name"] = name, ["schemaJson"] = schema.ToObject() };
    }

    static void CheckMetadata(JsonBody schema, string[] members)
    {
        if (schema.Object(Metadata)?.Object(Mixpanel) is not { } metadata) return;
        metadata.AllowOnly(members);
        metadata.Text("$source");
        metadata.Boolean("hidden");
        metadata.Boolean("dropped");
        metadata.Text("displayName");
        foreach (var list in (string[])["tags", "contacts", "teamContacts"])
        {
            if (metadata.Has(list)) metadata.Texts(list);
        }
    }

    /// <summary>Stores an entry; omitted metadata is left unchanged, and null clears it.</summary>
    static void Put(Dictionary<string, JsonObject> all, JsonObject entry)
    {
        var id = IdOf((string)entry["entityType"]!, (string)entry["name"]!);
        var schema = entry["schemaJson"]!.AsObject();
        if (all.TryGetValue(id, out var stored))
        {
            var before = stored["schemaJson"]!.AsObject();
            Keep(schema, before);
            foreach (var (name, property) in schema[Properties]?.AsObject() ?? [])
            {
                if (before[Properties]?[name] is JsonObject old) Keep(property!.AsObject(), old);
            }
        }
        Clear(schema);
        foreach (var (_, property) in schema[Properties]?.AsObject() ?? [])
            Clear(property!.AsObject());
        all[id] = entry.DeepClone().AsObject();
    }

    /// <summary>Removes members that were sent as null.</summary>
    static void Clear(JsonObject schema)
    {
        if (schema[Metadata]?[Mixpanel] is not JsonObject metadata) return;
        foreach (var name in metadata.Where(member => member.Value is null).Select(member => member.Key).ToList())
            metadata.Remove(name);
    }

    static void Keep(JsonObject schema, JsonObject before)
    {
        if (!schema.ContainsKey(Metadata) && before[Metadata] is { } all)
        {
            schema[Metadata] = all.DeepClone();
        }
        else if (schema[Metadata]?[Mixpanel] is JsonObject now && before[Metadata]?[Mixpanel] is JsonObject old)
        {
            foreach (var (name, value) in old)
            {
                if (!now.ContainsKey(name)) now[name] = value?.DeepClone();
            }
        }
    }

    async Task<Project> ReadableAsync(HttpContext context)
    {
        var (_, project, _) = await access.ProjectOfPathAsync(context).ConfigureAwait(false);
        quota.TakeSchemas(project.OrganizationId, 0);
        return project;
    }

    Task<Project> WritableAsync(HttpContext context) => access.ManagedProjectAsync(context);
}

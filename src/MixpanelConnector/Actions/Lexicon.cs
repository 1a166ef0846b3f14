using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions for Lexicon schemas.</summary>
static class LexiconActions
{
    const string Gone = "a deleted schema stays deleted", Replaces = "existing schemas are replaced";

    public static readonly ActionGroup Group = new("lexicon", "Describe events and profiles in the data dictionary.", Api.App,
        "/api/app/projects/{project_id}/schemas",
        options => new LexiconJson(options))
    { HasEnvelope = true, Cost = RateCost.Lexicon, Keywords = "schema dictionary description tracking plan" };

    public static readonly ActionSpec<NoInput, ResultList<LexiconEntry>> List = new(Group, "list_schemas", "list-all-schemas-for-project", Endpoint.Get());

    public static readonly ActionSpec<UploadSchemasInput, UploadedSchemas> Upload = new(Group, "upload_schemas", "upload-schemas-for-project", Endpoint.Post())
    {
        Does = ActionEffect.Delete,
        SafeToRepeat = Replaces,
    };

    public static readonly ActionSpec<NoInput, DeletedSchemas> DeleteAll = new(Group, "delete_all_schemas", "delete-all-schemas-in-project", Endpoint.Delete())
    {
        SafeToRepeat = Gone,
        Gone = _ => new() { DeleteCount = 0 },
    };

    public static readonly ActionSpec<SchemasOfEntityInput, ResultList<LexiconEntry>> ListOfEntity =
        new(Group, "list_schemas_for_entity", "list-schemas-for-entity", Endpoint.Get("/{entity_type}"));

    public static readonly ActionSpec<SchemasOfEntityInput, DeletedSchemas> DeleteOfEntity = new(Group, "delete_schemas_for_entity",
        "delete-schemas-for-entity", Endpoint.Delete("/{entity_type}"))
    { SafeToRepeat = Gone, Gone = _ => new() { DeleteCount = 0 } };

    public static readonly ActionSpec<SchemaName, LexiconSchema> Get =
        new(Group, "get_schema", "list-schemas-by-entity-and-name", Endpoint.Get("/{entity_type}/{name}"));

    public static readonly ActionSpec<UploadSchemaInput, StatusOutput> UploadOne = new(Group, "upload_schema", "upload-schema-by-entity-and-name",
        Endpoint.Post("/{entity_type}/{name}") with { Body = (_, fields) => fields["schema"] })
    { Does = ActionEffect.Update, SafeToRepeat = Replaces };

    public static readonly ActionSpec<SchemaName, DeletedSchemas> Delete = new(Group, "delete_schema", "delete-schema-by-entity-and-name",
        Endpoint.Delete("/{entity_type}/{name}"))
    { SafeToRepeat = Gone, Gone = _ => new() { DeleteCount = 0 } };
}

/// <summary>The kind of entity that a schema describes.</summary>
[JsonConverter(typeof(SnakeCaseNames<LexiconEntity>))]
public enum LexiconEntity
{
    /// <summary>An event.</summary>
    Event,

    /// <summary>Profiles; user profiles have the name <c>$user</c>.</summary>
    Profile,
}

/// <summary>The schemas to list or delete.</summary>
public sealed record SchemasOfEntityInput
{
    /// <summary>Events or profiles.</summary>
    public required LexiconEntity EntityType { get; init; }

    /// <summary>The name of a single event or profile. Default: all.</summary>
    [Size(1)]
    public string? EntityName { get; init; }
}

/// <summary>Identifies a schema.</summary>
public sealed record SchemaName
{
    /// <summary>An event or profiles.</summary>
    public required LexiconEntity EntityType { get; init; }

    /// <summary>The name of the event; <c>$user</c> for user profiles.</summary>
    [Size(1)]
    public required string Name { get; init; }
}

/// <summary>The schemas to upload.</summary>
public sealed record UploadSchemasInput
{
    /// <summary>The schemas.</summary>
    [Size(1, 3000)]
    public required IReadOnlyList<LexiconEntry> Entries { get; init; }

    /// <summary>Whether all other schemas of the project are removed first. Default: false.</summary>
    public bool? Truncate { get; init; }
}

/// <summary>The schema to upload.</summary>
public sealed record UploadSchemaInput
{
    /// <summary>An event or profiles.</summary>
    public required LexiconEntity EntityType { get; init; }

    /// <summary>The name of the event; <c>$user</c> for user profiles.</summary>
    [Size(1)]
    public required string Name { get; init; }

    /// <summary>The schema.</summary>
    public required LexiconSchema Schema { get; init; }
}

/// <summary>A schema, with the entity it describes.</summary>
public sealed record LexiconEntry
{
    /// <summary>What it describes.</summary>
    [JsonPropertyName("entityType")]
    public required LexiconEntity EntityType { get; init; }

    /// <summary>The name of the event; <c>$user</c> for user profiles.</summary>
    [Size(1)]
    public required string Name { get; init; }

    /// <summary>The schema.</summary>
    [JsonPropertyName("schemaJson")]
    public required LexiconSchema Schema { get; init; }
}

/// <summary>A JSON schema (draft 7) of an event or of profiles.</summary>
public sealed record LexiconSchema : MixpanelObject
{
    /// <summary>The meaning of the event or the profiles.</summary>
    public string? Description { get; init; }

    /// <summary>The properties by name, each with a type, a description, and Mixpanel metadata.</summary>
    public JsonObject? Properties { get; init; }

    /// <summary>Mixpanel's metadata, under com.mixpanel: displayName, tags, hidden, dropped, contacts, teamContacts. Null for one of them clears it.</summary>
    public JsonObject? Metadata { get; init; }
}

/// <summary>The outcome of an upload.</summary>
public sealed record UploadedSchemas : MixpanelObject
{
    /// <summary>The number of added or replaced schemas.</summary>
    public required long Added { get; init; }

    /// <summary>The number of removed schemas.</summary>
    public required long Deleted { get; init; }
}

/// <summary>The outcome of a deletion.</summary>
public sealed record DeletedSchemas : MixpanelObject
{
    /// <summary>The number of deleted schemas.</summary>
    public required long DeleteCount { get; init; }
}

[JsonSerializable(typeof(NoInput))]
[JsonSerializable(typeof(SchemasOfEntityInput))]
[JsonSerializable(typeof(SchemaName))]
[JsonSerializable(typeof(UploadSchemasInput))]
[JsonSerializable(typeof(UploadSchemaInput))]
[JsonSerializable(typeof(ResultList<LexiconEntry>))]
[JsonSerializable(typeof(LexiconSchema))]
[JsonSerializable(typeof(UploadedSchemas))]
[JsonSerializable(typeof(DeletedSchemas))]
[JsonSerializable(typeof(StatusOutput))]
sealed partial class LexiconJson : JsonSerializerContext;

public sealed partial class MixpanelClient
{
    /// <summary>Lists all Lexicon schemas of the project.</summary>
    /// <example>{}</example>
    public ValueTask<ResultList<LexiconEntry>> ListSchemasAsync(NoInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(LexiconActions.List, input ?? new(), cancellationToken);

    /// <summary>Uploads Lexicon schemas to the project's dictionary, replacing those of the same name; with truncate, replacing all.</summary>
    /// <example>{"entries":[{"entityType":"event","name":"Signed Up","schemaJson":{"description":"An account was made.","properties":{"plan":{"type":"string"}}}}]}</example>
    public ValueTask<UploadedSchemas> UploadSchemasAsync(UploadSchemasInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(LexiconActions.Upload, input, cancellationToken);

    /// <summary>Deletes all Lexicon schemas of the project.</summary>
    /// <example>{}</example>
    public ValueTask<DeletedSchemas> DeleteAllSchemasAsync(NoInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(LexiconActions.DeleteAll, input ?? new(), cancellationToken);

    /// <summary>Lists the Lexicon schemas of events or of profiles.</summary>
    /// <example>{"entity_type":"event"}</example>
    public ValueTask<ResultList<LexiconEntry>> ListSchemasForEntityAsync(SchemasOfEntityInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(LexiconActions.ListOfEntity, input, cancellationToken);

    /// <summary>Deletes the Lexicon schemas of events or of profiles.</summary>
    /// <example>{"entity_type":"event","entity_name":"Signed Up"}</example>
    public ValueTask<DeletedSchemas> DeleteSchemasForEntityAsync(SchemasOfEntityInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(LexiconActions.DeleteOfEntity, input, cancellationToken);

    /// <summary>Retrieves the Lexicon schema of an event or of profiles.</summary>
    /// <example>{"entity_type":"event","name":"Signed Up"}</example>
    public ValueTask<LexiconSchema> GetSchemaAsync(SchemaName input, CancellationToken cancellationToken = default) =>
        InvokeAsync(LexiconActions.Get, input, cancellationToken);

    /// <summary>Uploads the Lexicon schema of an event or profiles to the project's dictionary.</summary>
    /// <example>{"entity_type":"event","name":"Signed Up","schema":{"description":"An account was made."}}</example>
    public ValueTask<StatusOutput> UploadSchemaAsync(UploadSchemaInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(LexiconActions.UploadOne, input, cancellationToken);

    /// <summary>Deletes the Lexicon schema of an event or of profiles.</summary>
    /// <example>{"entity_type":"event","name":"Signed Up"}</example>
    public ValueTask<DeletedSchemas> DeleteSchemaAsync(SchemaName input, CancellationToken cancellationToken = default) =>
        InvokeAsync(LexiconActions.Delete, input, cancellationToken);
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>A project that a service account joins, and its role there. In JSON an id, an id as text, or an object with both.</summary>
[JsonConverter(typeof(Converter))]
public sealed record ProjectRole
{
    /// <summary>The id of the project.</summary>
    public required long Id { get; init; }

    /// <summary>The role in the project: owner, admin, analyst or consumer. Default: the role of the account, else analyst.</summary>
    public string? Role { get; init; }

    /// <summary>Converts a project id to a project with the default role.</summary>
    /// <param name="id">The id of the project.</param>
    public static implicit operator ProjectRole(long id) => new() { Id = id };

    /// <summary>Converts a project id to a project with the default role.</summary>
    /// <param name="id">The id of the project.</param>
    public static ProjectRole FromInt64(long id) => id;

    internal sealed class Converter : JsonConverter<ProjectRole>, IDescribesSchema
    {
        public JsonObject Schema() => new()
        {
            ["anyOf"] = new JsonArray(
                Number(),
                Text(),
                new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = new JsonObject
                    {
                        ["id"] = IdSchema(),
                        ["role"] = new JsonObject
                        {
                            ["description"] = "The role in the project. Default: the account's, else analyst.",
                            ["type"] = "string",
                            ["enum"] = new JsonArray([.. AccountRoleAttribute.Names]),
                        },
                    },
                    ["required"] = new JsonArray("id"),
                    ["additionalProperties"] = false,
                }),
        };

        public override ProjectRole Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType is not JsonTokenType.StartObject) return new ProjectRole { Id = Id(ref reader) };
            var project = new ProjectRole { Id = 0 };
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var isRole = reader.ValueTextEquals("role"u8);
                reader.Read();
                project = isRole ? project with { Role = reader.GetString() } : project with { Id = Id(ref reader) };
            }

            return project;
        }

        public override void Write(Utf8JsonWriter writer, ProjectRole value, JsonSerializerOptions options)
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", value.Id);
            if (value.Role is not null) writer.WriteString("role", value.Role);
            writer.WriteEndObject();
        }

        static JsonObject IdSchema() =>
            new()
            {
                ["description"] = "The id of the project.",
                ["anyOf"] = new JsonArray(Number(), Text()),
            };

        static JsonObject Number() => new() { ["type"] = "integer", ["minimum"] = 1 };

        static JsonObject Text() => new() { ["type"] = "string", ["pattern"] = TextForms.Whole(TextForms.Id) };

        static long Id(ref Utf8JsonReader reader) =>
            reader.TokenType is JsonTokenType.Number ? reader.GetInt64() : long.Parse(reader.GetString()!, NumberStyles.None, CultureInfo.InvariantCulture);
    }
}

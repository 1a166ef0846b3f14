using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace MixpanelConnector.Tests;

/// <summary>The declared actions, compared with the list of operations.</summary>
public class OperationTests
{
    [Fact]
    public void The_list_names_every_action_and_no_other() =>
        Assert.Equal(Operation.All.Select(operation => operation.Action).Order(StringComparer.Ordinal), ActionCatalogue.Actions.Select(action => action.Name),
            StringComparer.Ordinal);

    [Fact]
    public void An_action_is_what_the_list_says()
    {
        foreach (var operation in Operation.All)
        {
            var action = ActionCatalogue.Find(operation.Action)!;
            var cost = action.Cost switch
            {
                RateCost.Query => "qry",
                RateCost.Ingestion => "ing",
                RateCost.Export => "exp",
                RateCost.Lexicon => "lex",
                RateCost.LookupTables => "tab",
                RateCost.Gdpr => "gdpr",
                _ => "-",
            };
            var credential = action.Auth switch { AuthScheme.ProjectToken => "T", AuthScheme.OAuthToken => "B", _ => "SA" };
            Assert.Equal(
                (operation.Action, operation.OperationId, operation.Group, operation.Effect, operation.IsFinal, operation.IsRepeatable, operation.Cost,
                    operation.Credential),
                (action.Name, action.OperationId, action.Group.Name, action.Effect.ToString().ToLowerInvariant(),
                    action.Effect is ActionEffect.Update && !action.CanBeUndone, action.IsRepeatable, cost, credential));
        }
    }

    [Fact]
    public void An_action_takes_the_inputs_that_the_list_says()
    {
        string[] unlisted =
        [
            "workspace_id",
            "organization_id",
            "project_id",
            "expiring_within",
        ]; // what the settings say may be given, too; what is sorted out here and not sent
        foreach (var operation in Operation.All)
        {
            var schema = ActionCatalogue.Find(operation.Action)!.InputSchema();
            var required = (schema["required"] as JsonArray ?? []).Select(name => (string)name!).ToHashSet(StringComparer.Ordinal);
            var inputs = schema["properties"]!.AsObject()
                .Select(property => property.Key + (required.Contains(property.Key) ? "*" : ""))
                .Where(name => operation.Inputs.Contains(name, StringComparison.Ordinal) || !unlisted.Contains(name));
            Assert.Equal((operation.Action, string.Join(", ", operation.Inputs.Split(", ").Where(name => name.Length > 0).Order(StringComparer.Ordinal))),
                (operation.Action, string.Join(", ", inputs.Order(StringComparer.Ordinal))));
        }
    }

    [Fact]
    public void The_embedded_schema_of_an_input_is_that_of_its_type()
    {
        foreach (var action in ActionCatalogue.Actions)
            Assert.Equal(action.InputSchema(annotate: (_, _) => { }).ToJsonString(), InputSchemas.Find(action.Name)?.ToJsonString());
        Assert.Null(InputSchemas.Find("track"));
    }

    [Fact]
    public void Nineteen_operations_must_not_be_repeated() =>
        Assert.Equal(
            [
                "append_user_properties", "create_annotation", "create_annotation_tag", "create_data_deletion", "create_data_retrieval", "create_experiment",
                "create_feature_flag", "create_pipeline", "create_service_account",
                "create_warehouse_event_stream_import", "create_warehouse_groups_import", "create_warehouse_lookup_table_import",
                "create_warehouse_people_import", "decide_experiment", "force_conclude_experiment",
                "increment_user_properties", "launch_experiment", "run_warehouse_import", "update_user_profiles",
            ],
            ActionCatalogue.Actions.Where(action => !action.IsRepeatable).Select(action => action.Name),
            StringComparer.Ordinal);

    [Fact]
    public void An_example_in_the_documentation_fits_the_schema_of_its_action()
    {
        foreach (var action in ActionCatalogue.Actions)
        {
            var examples = Documentation.Where(member => ((string)member.Attribute("name")!).StartsWith(
                $"M:MixpanelConnector.MixpanelClient.{action.MethodName}(", StringComparison.Ordinal))
                .Elements("example")
                .Select(example => example.Value).ToArray();
            Assert.True(examples.Length > 0, $"{action.Name} has no example.");
            foreach (var example in examples) SchemaValidation.Check(JsonElement.Parse(example), action.InputSchema());
        }
    }

    [Fact]
    public void Every_named_property_of_an_input_has_a_description()
    {
        var described = Documentation.Where(member => member.Element("summary") is not null)
            .Select(member => (string)member.Attribute("name")!)
            .ToHashSet(StringComparer.Ordinal);
        var missing = new List<string>();
        foreach (var action in ActionCatalogue.Actions)
        {
            var schema = action.InputSchema((property, schema) =>
            {
                if (described.Contains($"P:{property.DeclaringType!.FullName!.Replace('+', '.')}.{property.Name}")) schema["description"] = "described";
            });
            Look(schema, action.Name);
        }

        Assert.Empty(missing);

        void Look(JsonNode? node, string path)
        {
            if (node is JsonArray all)
            {
                foreach (var each in all) Look(each, path);
            }
            else if (node is JsonObject schema)
            {
                foreach (var (name, property) in schema["properties"] as JsonObject ?? [])
                {
                    if (property is not JsonObject { } of || of["description"] is null) missing.Add($"{path}.{name}");
                    Look(property, $"{path}.{name}");
                }

                foreach (var part in new[] { "items", "anyOf", "additionalProperties" }) Look(schema[part], path);
            }
        }
    }

    static XElement[] Documentation { get; } =
    [
        .. XDocument.Load(Path.ChangeExtension(typeof(MixpanelClient).Assembly.Location, ".xml")).Descendants("member"),
    ];
}

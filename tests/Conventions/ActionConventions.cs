using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MixpanelConnector.Tool;
using MixpanelConnector.Tool.Surfaces.Cli;
using MixpanelConnector.Tool.Surfaces.Docs;
using MixpanelConnector.Tool.Surfaces.Mcp;

namespace MixpanelConnector.Conventions;

/// <summary>Rules for every action, so that adding an action requires one file only.</summary>
public class ActionConventions
{
    public static TheoryData<string> Names => [.. ActionCatalogue.Actions.Select(action => action.Name)];

    [Fact]
    public void An_action_is_declared_once()
    {
        Assert.Equal(ActionCatalogue.Actions.Length, ActionCatalogue.Actions.Select(action => action.Name).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(ActionCatalogue.Actions.Length, ActionCatalogue.Actions.Select(action => action.OperationId).Distinct(StringComparer.Ordinal).Count());
        Assert.All(ActionCatalogue.Groups, group => Assert.NotEmpty(group.Actions));
    }

    [Theory, MemberData(nameof(Names))]
    public void One_snake_case_name_gives_all_others(string name)
    {
        var action = ActionCatalogue.Find(name)!;
        Assert.Matches("^[a-z]+(_[a-z]+)*$", name);
        var method = Assert.Single(typeof(MixpanelClient).GetMethods(),
            method => method.Name == Pascal(name) + "Async" && method.GetParameters()[0].ParameterType == action.InputType); // further overloads are for ease
        Assert.Equal(action.MethodName, method.Name);
        Assert.Contains(method.GetParameters(), parameter => parameter.ParameterType == typeof(CancellationToken));

        var host = new HostEnvironment { Environment = _ => null, Input = Stream.Null, Output = Stream.Null, Error = TextWriter.Null };
        using var stop = new Stop();
        Assert.Single(CommandLine.Build(host, stop).Subcommands, command => command.Name == name.Replace('_', '-'));
    }

    [Theory, MemberData(nameof(Names))]
    public void An_action_and_each_of_its_fields_is_documented(string name)
    {
        var action = ActionCatalogue.Find(name)!;
        Assert.NotEmpty(XmlDocs.Summary(action) ?? "");
        foreach (var type in Reached(action.InputType).Concat(Reached(action.OutputType)))
            Assert.All(type.GetProperties(BindingFlags.Public | BindingFlags.Instance),
                property => Assert.False(string.IsNullOrWhiteSpace(XmlDocs.Summary(property)), $"{type.Name}.{property.Name} has no documentation."));
        foreach (var schema in (JsonObject[])[action.InputSchema(XmlDocs.Describe), action.OutputSchema(XmlDocs.Describe)])
            Assert.All(schema["properties"]!.AsObject(), field => Assert.NotEmpty((string?)field.Value!["description"] ?? ""));
    }

    [Theory, MemberData(nameof(Names))]
    public void An_action_lives_in_the_folder_of_actions_and_no_other_production_file_knows_it(string name)
    {
        // MixpanelConnector.Emulator implements the same operations of Mixpanel, and may use the same type names.
        var mention = new Regex($@"\b{Pascal(name)}(Async(?!\(this IMixpanelTracker )|Input|Output)\b", RegexOptions.None,
            Hang.Limit); // the tracker has methods of the same names
        var files = Repository.Sources.Where(source => !source.Path.StartsWith("MixpanelConnector.Emulator/", StringComparison.Ordinal)
            && source.Text.Contains(Pascal(name), StringComparison.Ordinal) && mention.IsMatch(WithoutComments(source.Text)))
            .Select(source => source.Path).ToList();

        Assert.NotEmpty(files); // at least the method of the client
        Assert.All(files, path => Assert.StartsWith("MixpanelConnector/Actions/", path, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Names))]
    public void No_interface_names_an_action(string name)
    {
        var interfaces = Repository.Sources.Where(source => source.Path.StartsWith("MixpanelConnector.Tool/Surfaces/Http/", StringComparison.Ordinal)
            || source.Path.StartsWith("MixpanelConnector.Tool/Surfaces/Mcp/", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(interfaces);
        Assert.All(interfaces,
            source => Assert.DoesNotMatch(new Regex($@"\b({name}|{name.Replace('_', '-')}|{Pascal(name)})\b", RegexOptions.None, Hang.Limit),
                WithoutComments(source.Text)));
    }

    /// <summary>Pages of the console, and the help of commands, name actions: none that has been renamed or removed.</summary>
    [Fact]
    public void What_pages_and_commands_name_as_an_action_is_one()
    {
        var verbs = string.Join('|', ActionCatalogue.Actions.Select(action => action.Name.Split('_')[0]).Distinct(StringComparer.Ordinal));
        var pages = Directory.GetFiles(Path.Combine(Repository.Root, "src/MixpanelConnector.Console/src"), "*.ts*", SearchOption.AllDirectories)
            .Select(File.ReadAllText);
        var commands = Repository.Sources.Where(source => source.Path.StartsWith("MixpanelConnector.Tool/Surfaces/Cli/", StringComparison.Ordinal))
            .Select(source => source.Text);
        var named = Named(pages, $@"""(?<name>({verbs})(_[a-z]+)+)""|\bmixpanel (?<name>({verbs})(-[a-z]+)+)")
            .Concat(Named(commands, $@"\.Find\(""(?<name>[a-z_]+)""\)|\bmixpanel (?<name>({verbs})(-[a-z]+)+)")).ToList();

        Assert.Contains("create_service_account", named, StringComparer.Ordinal);
        Assert.Contains("get_all_service_accounts", named, StringComparer.Ordinal);
        Assert.DoesNotContain(named, name => name != AnyAction.Run && ActionCatalogue.Find(name) is null);

        static IEnumerable<string> Named(IEnumerable<string> texts, string pattern) =>
            texts.SelectMany(text => new Regex(pattern, RegexOptions.ExplicitCapture, Hang.Limit).Matches(text))
                .Select(match => match.Groups["name"].Value.Replace('-', '_'));
    }

    [Theory, MemberData(nameof(Names))]
    public void A_schema_names_a_type_for_each_field_and_says_what_is_in_its_lists(string name)
    {
        foreach (var schema in (JsonObject[])[ActionCatalogue.Find(name)!.InputSchema(), ActionCatalogue.Find(name)!.OutputSchema()])
        {
            Assert.Equal("object", (string?)schema["type"]);
            Assert.All(schema["properties"]!.AsObject(), field =>
            {
                var type = field.Value!["type"] is JsonArray several
                    ? string.Join('|', several.Select(each => (string)each!).Where(each => each != "null"))
                    : (string?)field.Value["type"];
                Assert.True(type is not null || field.Value["anyOf"] is not null || field.Key == "ruleset", $"{field.Key} has no type");
                if (type is not null) Assert.Matches("^(string|integer|number|boolean|array|object)$", type);
                if (type == "array") Assert.IsType<JsonObject>(field.Value["items"]);
            });
        }

        Assert.False((bool?)ActionCatalogue.Find(name)!.InputSchema()["additionalProperties"]);
    }

    /// <summary>An empty string is omitted from many requests, which then apply to everything.</summary>
    [Theory, MemberData(nameof(Names))]
    public void What_cannot_be_undone_takes_no_empty_text_for_what_it_concerns(string name)
    {
        var action = ActionCatalogue.Find(name)!;
        if (!action.NeedsConfirmation) return;
        foreach (var (field, schema) in action.InputSchema()["properties"]!.AsObject().Select(property => (property.Key, property.Value!.AsObject())))
        {
            if (Kind(schema) == "string") Assert.True(new[] { "minLength", "enum", "pattern", "format" }.Any(schema.ContainsKey), $"{field} may be empty");
            if (Kind(schema) == "array") Assert.True(schema.ContainsKey("minItems"), $"{field} may hold nothing");
        }

        static string? Kind(JsonObject schema) =>
            schema["type"] is JsonArray several ? (string?)several.First(each => (string?)each != "null") : (string?)schema["type"];
    }

    [Theory, MemberData(nameof(Names))]
    public void An_input_in_which_nothing_is_required_may_be_left_out(string name)
    {
        var input = ActionCatalogue.Find(name)!.InputType;
        var isRequired = input.GetProperties().Any(property => property.GetCustomAttribute<RequiredMemberAttribute>() is not null);

        var methods = typeof(MixpanelClient).GetMethods().Where(method => method.GetParameters() is [var first, ..] && first.ParameterType == input
            && method.Name.EndsWith("Async", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(methods);
        Assert.All(methods, method => Assert.Equal(!isRequired, method.GetParameters()[0].IsOptional));
    }

    /// <summary>One call of Mixpanel is awaited at once, by very many callers; what takes any number of calls may be awaited by several.</summary>
    [Fact]
    public void A_clients_method_is_a_ValueTask_if_it_is_an_action_and_a_Task_if_it_is_more()
    {
        var actions = ActionCatalogue.Actions.Select(action => action.MethodName).ToHashSet(StringComparer.Ordinal);
        var methods = typeof(MixpanelClient).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(method => method.Name.EndsWith("Async", StringComparison.Ordinal)).ToList();

        Assert.True(methods.Count > actions.Count);
        Assert.All(methods, method =>
        {
            var type = method.ReturnType.IsGenericType ? method.ReturnType.GetGenericTypeDefinition() : method.ReturnType;
            Assert.Equal(actions.Contains(method.Name) ? typeof(ValueTask<>) : type == typeof(IAsyncEnumerable<>) ? type : typeof(Task<>), type);
        });
    }

    /// <summary>What may be negative or empty, since Mixpanel gives that a meaning.</summary>
    static readonly string[] Unlimited = ["track_event.properties.time", "track_event.properties.distinct_id", "track_event.properties.$insert_id",
        "track_event.strict", "import_events.strict", "import_events.events[]"];

    /// <summary>A limit that only code or prose knows is unknown to help, forms, agents and generated clients.</summary>
    [Theory, MemberData(nameof(Names))]
    public void A_schema_limits_its_numbers_its_lists_items_and_its_required_texts(string name)
    {
        Check(ActionCatalogue.Find(name)!.InputSchema(), name, isRequired: true);

        static void Check(JsonObject schema, string at, bool isRequired)
        {
            if (Unlimited.Contains(at, StringComparer.Ordinal)) return;
            var type = (string?)schema["type"];
            var isLimited = new[] { "minimum", "minLength", "enum", "pattern", "format" }.Any(schema.ContainsKey);
            if (type is "integer" or "number" && !at.EndsWith("{}", StringComparison.Ordinal)) Assert.True(isLimited, $"{at} has no limits");
            if (type is "string" && isRequired) Assert.True(isLimited, $"{at} may be empty");
            var required = schema["required"]?.AsArray().Select(field => (string)field!).ToHashSet(StringComparer.Ordinal) ?? [];
            foreach (var (field, inner) in schema["properties"]?.AsObject() ?? [])
                if (inner is JsonObject rules) Check(rules, $"{at}.{field}", required.Contains(field));
            if (schema["items"] is JsonObject item) Check(item, at + "[]", isRequired: true);
            if (schema["additionalProperties"] is JsonObject value) Check(value, at + "{}", isRequired: false);
            foreach (var choice in schema["anyOf"]?.AsArray() ?? []) Check(choice!.AsObject(), at, isRequired);
        }
    }

    static string Pascal(string name) => string.Concat(name.Split('_').Select(word => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(word)));

    static string WithoutComments(string source) =>
        string.Join('\n', source.Split('\n').Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal)));

    /// <summary>A type and the library's types that are reachable through its properties.</summary>
    static HashSet<Type> Reached(Type type)
    {
        var found = new HashSet<Type>();
        Visit(type);
        return found;

        void Visit(Type next)
        {
            foreach (var argument in next.GetGenericArguments().Append(next.GetElementType() ?? typeof(object)))
                if (argument != next && argument != typeof(object)) Visit(argument);
            if (next.Assembly != typeof(ActionCatalogue).Assembly || next == typeof(MixpanelSecret) || typeof(IEnumerable).IsAssignableFrom(next)
                || !found.Add(next))
                return;
            foreach (var property in next.GetProperties(BindingFlags.Public | BindingFlags.Instance)) Visit(property.PropertyType);
        }
    }
}

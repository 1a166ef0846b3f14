using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace MixpanelConnector.Generators.Tests;

/// <summary>The generated code for sources of an application.</summary>
public sealed class GeneratorTests
{
    /// <summary>Kinds of types and of names: the generated code compiles without a warning.</summary>
    [Theory]
    [InlineData("[MixpanelEvent(\"E\")] partial record E;")]
    [InlineData("namespace @namespace.@class { [MixpanelEvent(\"E\")] partial record @record(int @int, string @await, int json, int value, int happened); }")]
    [InlineData("[MixpanelEvent(\"E\")] partial class E { public required E? Inner { get; init; } public string EventName => \"\"; "
        + "public void WriteProperties() { } }")]
    [InlineData("partial interface I { partial record struct S<@in> { [MixpanelEvent(\"E\")] internal partial class E<T> where T : "
        + "new() { public List<E<T>>? All { get; init; } } } }")]
    [InlineData("[MixpanelEvent(\"E\")] abstract partial record E { public abstract int N { get; } } [MixpanelEvent(\"F\")] sealed partial record F(int M) : "
        + "E { public override int N => 1; }")]
    [InlineData("namespace System2 { class String; } namespace A { class System; class MixpanelConnector; "
        + "[MixpanelEvent(\"E\")] partial record E(System2.String S, System T, Dictionary<string, List<int?>> D); }")]
    [InlineData("namespace A { [MixpanelEvent(\"E\")] partial record E; } namespace a { [MixpanelEvent(\"E\")] partial record e; "
        + "[MixpanelEvent(\"F\")] partial record E; }")]
    [InlineData("[MixpanelEvent(\"E\")] partial record E { [Obsolete] public int Old { get; init; } }")]
    [InlineData("[MixpanelEvent(\"E\")] partial record E { [System.Diagnostics.CodeAnalysis.Experimental(\"X1\")] public int New { get; init; } }")]
    [InlineData("public record B { [JsonInclude] protected int N { get; set; } } [MixpanelEvent(\"E\")] public partial record E(int A) : B;")]
    [InlineData("[MixpanelEvent(\"E\")] partial record E(int A); partial record E { public int B { get; init; } }")]
    [InlineData("[MixpanelEvent(\"\\\"\\r\\n{0}\\u2028\")] partial record E([property: JsonPropertyName(\"{0}\\\"\\\\\\r\\n\")] int A);")]
    [InlineData("[MixpanelEvent(\"E\")] partial record E([property: JsonPropertyName(\"\\ud800\")] int A);")]
    [InlineData("#nullable disable\n[MixpanelEvent(\"E\")] partial record E(string A, List<string> B);")]
    public void What_is_generated_compiles(string source)
    {
        var use = Compiled.WithGenerated(source).SyntaxTrees.Where(tree => tree.FilePath.EndsWith(".g.cs", StringComparison.Ordinal)).ToList();
        Assert.Equal(source.Split("[MixpanelEvent").Length - 1, use.Count);
    }

    [Fact]
    public void The_parts_of_a_type_and_its_bases_may_be_in_several_files()
    {
        var all = Compiled.WithGenerated("partial record E { public int B { get; init; } }", "[MixpanelEvent(\"E\")] partial record E : Base<int>;",
            "abstract partial record Base<T> { public T? C { get; init; } }", "partial record Base<T> { public List<T>? D { get; init; } }");
        using var schema = JsonDocument.Parse(SchemaOf(all));
        Assert.Equal(["B", "C", "D"],
            schema.RootElement.GetProperty("schemaJson").GetProperty("properties").EnumerateObject().Select(property => property.Name), StringComparer.Ordinal);
    }

    /// <summary>The compiler reports the mistake; the generator does not fail on top of it.</summary>
    [Theory]
    [InlineData("[MixpanelEvent(\"E\")] partial record E; [MixpanelEvent(\"E\")] partial record E { public int A { get; init; } }")]
    [InlineData("[MixpanelEvent(\"E\"), MixpanelEvent(\"F\")] partial record E;")]
    [InlineData("[MixpanelEvent(\"E\")] partial record E { [JsonIgnore, JsonIgnore] public int A { get; init; } }")]
    [InlineData("[MixpanelEvent(\"E\")] partial record E { public int A { get; init; } public int A { get; init; } }")]
    [InlineData("[MixpanelEvent(\"E\")] partial record E : E { public int A { get; init; } }")]
    [InlineData("[MixpanelEvent(\"E\")] partial record E(Missing A) : AlsoMissing;")]
    [InlineData("[MixpanelEvent(\"E\")] partial record E<T, T>(int A);")]
    public void Code_that_does_not_compile_yet_does_not_make_the_generator_fail(string source) =>
        Assert.All(Compiled.Driver.RunGenerators(Compiled.Of(source), TestContext.Current.CancellationToken).GetRunResult().Results,
            result => Assert.Null(result.Exception));

    [Fact]
    public void A_type_that_is_no_event_or_is_not_finished_generates_nothing() =>
        Assert.Empty(Compiled.Driver.RunGenerators(
            Compiled.Of("partial record A; [MixpanelEvent(null!)] partial record B; [MixpanelEvent] partial record C; [MixpanelEvent(\"D\")] record D; "
                + "[MixpanelEvent(\"E\")] partial record E(object O);"),
            TestContext.Current.CancellationToken).GetRunResult().GeneratedTrees);

    [Fact]
    public void A_change_elsewhere_generates_nothing_anew()
    {
        var before = Compiled.Of("[MixpanelEvent(\"E\")] partial record E(Inner I); record Inner(int A);", "class Other;");
        var driver = Compiled.Driver.RunGenerators(before, TestContext.Current.CancellationToken);
        Assert.Equal([IncrementalStepRunReason.Cached], Reasons("class Other { int _more; }", 2));
        Assert.Equal([IncrementalStepRunReason.Modified], Reasons("[MixpanelEvent(\"E\")] partial record E(Inner I); record Inner(int A, int B);", 1));

        IEnumerable<IncrementalStepRunReason> Reasons(string source, int file)
        {
            var old = before.SyntaxTrees[file];
            var after = before.ReplaceSyntaxTree(old,
                CSharpSyntaxTree.ParseText(source, (CSharpParseOptions)old.Options, old.FilePath, cancellationToken: TestContext.Current.CancellationToken));
            return driver.RunGenerators(after, TestContext.Current.CancellationToken).GetRunResult().Results[0].TrackedSteps[MixpanelEventGenerator.Step]
                .SelectMany(step => step.Outputs)
                .Select(output => output.Reason);
        }
    }

    [Fact]
    public void The_schema_says_what_the_type_says()
    {
        var schema = Schema("""
            /// <summary>
            /// Somebody bought   something &lt;"here"&gt;,
            /// see <see cref="System.String"/> or <c>null</c>.
            /// </summary>
            /// <param name="Total">The sum.</param>
            [MixpanelEvent("Order placed")]
            public partial record OrderPlaced(decimal Total, string? Currency, [property: JsonPropertyName("time")] DateTime? When)
            {
                /// <summary>How many.</summary>
                public int Count { get; init; }
                public IReadOnlyList<string> Tags { get; init; } = [];
                public Dictionary<string, int>? More { get; init; }
                public bool Gift { get; init; }
                public DateOnly Day { get; init; }
                public JsonNode? Any { get; init; }
                /// not <xml
                public DayOfWeek Weekday { get; init; }
            }
            """);
        Assert.Equal("""
            {"entityType":"event","name":"Order placed","schemaJson":{"description":"Somebody bought something <\"here\">, see String or null.","properties":{"Total":{"type":"number","description":"The sum."},"Currency":{"type":"string"},"time":{"type":"integer"},"Count":{"type":"integer","description":"How many."},"Tags":{"type":"array"},"More":{"type":"object"},"Gift":{"type":"boolean"},"Day":{"type":"string"},"Any":{"type":["array","boolean","number","object","string"]},"Weekday":{"type":"string"}},"required":["Total","Count","Tags","Gift","Day","Weekday"]}}
            """, schema);
    }

    [Theory]
    [InlineData("a \"name\" \\ \n\u0001\u2028 \U0001F600 é")]
    [InlineData("</summary> */ {0} $\"")]
    public void A_schema_is_JSON_whatever_the_names_are(string name)
    {
        var literal = SymbolDisplay.FormatLiteral(name, quote: true);
        var entry = JsonNode.Parse(Schema($"[MixpanelEvent({literal})] partial record E([property: JsonPropertyName({literal})] int A);"))!;
        Assert.Equal((name, name), ((string?)entry["name"], entry["schemaJson"]!["properties"]!.AsObject().Single().Key));
    }

    [Fact]
    public void Comments_are_read_where_the_compiler_is_not_asked_for_documentation()
    {
        const string Source = "/** no */\n/// <summary>What happened.</summary>\n[MixpanelEvent(\"E\")] partial record E;";
        var compilation = Compiled.Of(Source);
        foreach (var mode in Enum.GetValues<DocumentationMode>())
        {
            var tree = CSharpSyntaxTree.ParseText(Source, ((CSharpParseOptions)compilation.SyntaxTrees[1].Options).WithDocumentationMode(mode),
                cancellationToken: TestContext.Current.CancellationToken);
            Compiled.Driver.RunGeneratorsAndUpdateCompilation(compilation.ReplaceSyntaxTree(compilation.SyntaxTrees[1], tree), out var all, out _,
                TestContext.Current.CancellationToken);
            Assert.Contains("What happened.", SchemaOf(all), StringComparison.Ordinal);
        }
    }

    static string Schema(string source) => SchemaOf(Compiled.WithGenerated(source));

    static string SchemaOf(Compilation compilation)
    {
        var schema = (string)compilation.Assembly.GetAttributes().Single(attribute =>
            attribute.AttributeClass!.Name == nameof(MixpanelEventSchemaAttribute)).ConstructorArguments[0].Value!;
        using var _ = JsonDocument.Parse(schema);
        return schema;
    }
}

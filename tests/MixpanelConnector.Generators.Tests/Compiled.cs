using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;
using MixpanelConnector.CodeFixes;

namespace MixpanelConnector.Generators.Tests;

/// <summary>Sources of an application, compiled with the generator and the analyzers.</summary>
static class Compiled
{
    const string Usings = """
        global using System;
        global using System.Collections.Generic;
        global using System.Linq;
        global using System.Threading;
        global using System.Text.Json.Nodes;
        global using System.Text.Json.Serialization;
        global using MixpanelConnector;
        """;

    static readonly CSharpParseOptions Parse = new(LanguageVersion.CSharp12);

    static readonly ImmutableArray<DiagnosticAnalyzer> Analyzers = [new EventTypeAnalyzer(), new TrackCallAnalyzer(), new SecondsAnalyzer()];

    static readonly ImmutableArray<MetadataReference> References = [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
        .Where(path => Path.GetFileName(path) is var name
            && (name.StartsWith("System.", StringComparison.Ordinal)
                || name is "netstandard.dll" or "mscorlib.dll" or "MixpanelConnector.dll" or "Microsoft.CSharp.dll"))
        .Select(path => MetadataReference.CreateFromFile(path))];

    public static CSharpCompilation Of(params string[] sources) => CSharpCompilation.Create(
        "Application",
        sources.Prepend(Usings).Select((source, number) => CSharpSyntaxTree.ParseText(source, Parse, $"File{number}.cs")),
        References,
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));

    public static GeneratorDriver Driver =>
        CSharpGeneratorDriver.Create([new MixpanelEventGenerator().AsSourceGenerator()], parseOptions: Parse,
            driverOptions: new(default, trackIncrementalGeneratorSteps: true));

    /// <summary>With the generated code; asserts that the compiler reports nothing.</summary>
    public static Compilation WithGenerated(params string[] sources)
    {
        var compilation = Generate(Of(sources));
        Assert.Equal([],
            compilation.GetDiagnostics()
                .Where(found => found.Severity is DiagnosticSeverity.Error or DiagnosticSeverity.Warning)
                .Select(found => found.ToString()),
            StringComparer.Ordinal);
        return compilation;
    }

    /// <summary>The diagnostics of the analyzers, in source order.</summary>
    public static async Task<IReadOnlyList<Diagnostic>> DiagnosticsAsync(params string[] sources)
    {
        var compilation = Generate(Of(sources));
        var found = await compilation.WithAnalyzers(Analyzers, new AnalyzerOptions([])).GetAnalyzerDiagnosticsAsync(TestContext.Current.CancellationToken);
        return
        [
            .. found.OrderBy(one => one.Location.SourceTree?.FilePath, StringComparer.Ordinal)
                .ThenBy(one => one.Location.SourceSpan.Start)
                .ThenBy(one => one.Id, StringComparer.Ordinal),
        ];
    }

    /// <summary>An id with the source text that it refers to.</summary>
    public static string Place(Diagnostic diagnostic) =>
        $"{diagnostic.Id} {diagnostic.Location.SourceTree!.GetText(TestContext.Current.CancellationToken).ToString(diagnostic.Location.SourceSpan)}";

    /// <summary>The source after a fix of a diagnostic.</summary>
    public static async Task<string> FixedAsync(string source, string id, int which = 0)
    {
        using var workspace = new AdhocWorkspace();
        var project = workspace.AddProject(ProjectInfo.Create(ProjectId.CreateNewId(), VersionStamp.Default, "Application", "Application", LanguageNames.CSharp,
            parseOptions: Parse, compilationOptions: Of().Options, metadataReferences: References));
        project = project.AddDocument("Usings.cs", Usings).Project;
        var document = project.AddDocument("File1.cs", SourceText.From(source));
        var cancellationToken = TestContext.Current.CancellationToken;
        var compilation = Generate((CSharpCompilation)(await document.Project.GetCompilationAsync(cancellationToken))!);
        var diagnostic =
            (await compilation.WithAnalyzers(Analyzers, new AnalyzerOptions([])).GetAnalyzerDiagnosticsAsync(cancellationToken)).First(found => found.Id == id);
        var actions = new List<CodeAction>();
        foreach (var provider in (CodeFixProvider[])[new MakePartialFix(), new RenameFix(), new MomentFix()])
            if (provider.FixableDiagnosticIds.Contains(id, StringComparer.Ordinal))
                await provider.RegisterCodeFixesAsync(new CodeFixContext(document, diagnostic, (action, _) => actions.Add(action), cancellationToken));
        var operation = (await actions[which].GetOperationsAsync(cancellationToken)).OfType<ApplyChangesOperation>().Single();
        return (await operation.ChangedSolution.GetDocument(document.Id)!.GetTextAsync(cancellationToken)).ToString();
    }

    static Compilation Generate(CSharpCompilation compilation)
    {
        Driver.RunGeneratorsAndUpdateCompilation(compilation, out var all, out var faults, TestContext.Current.CancellationToken);
        Assert.Empty(faults);
        return all;
    }
}

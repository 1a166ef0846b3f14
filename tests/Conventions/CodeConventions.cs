using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace MixpanelConnector.Conventions;

/// <summary>Rules for the code as a whole.</summary>
public class CodeConventions
{

    [Fact]
    public void The_sources_are_found() => Assert.Contains(Repository.Sources, source => source.Path == "MixpanelConnector/MixpanelClient.cs");

    [Theory]
    [InlineData(@"\b(TODO|FIXME|HACK|XXX)\b")]
    [InlineData(@"(?<![\w.])/(work|home|tmp|root|Users|mnt)/")]
    [InlineData(@"\b[A-Z]:\\\\?[A-Za-z]")]
    public void No_production_file_holds(string pattern)
    {
        var unwanted = new Regex(pattern, RegexOptions.None, Hang.Limit);
        Assert.Equal("", string.Join('\n', Repository.Sources.Where(source => unwanted.IsMatch(source.Text)).Select(source => source.Path)));
    }

    /// <summary>Analyzers and public API files, which are applied in the build for .NET 10, are then true of .NET 8, too.</summary>
    [Fact]
    public void Both_targets_have_the_same_source_and_the_same_public_API()
    {
        var condition = new Regex(@"^\s*#if\b", RegexOptions.Multiline, Hang.Limit);
        Assert.Equal("", string.Join('\n', Repository.Sources.Where(source => condition.IsMatch(source.Text)).Select(source => source.Path)));

        var compatibility = Repository.Sources.Where(source => source.Path.StartsWith("MixpanelConnector/Compatibility/", StringComparison.Ordinal)).ToList();
        var type = new Regex(@"^(?<modifiers>([a-z]+ )*)(class|struct|interface|enum|record|delegate)\b",
            RegexOptions.Multiline | RegexOptions.ExplicitCapture, Hang.Limit);
        Assert.All(compatibility, source => Assert.True(type.IsMatch(source.Text), source.Path));
        var others = new Regex(@"\b(public|partial)\b", RegexOptions.ExplicitCapture, Hang.Limit);
        Assert.Equal("", string.Join('\n', compatibility
            .Where(source => type.Matches(source.Text).Any(match => others.IsMatch(match.Groups["modifiers"].Value)))
            .Select(source => source.Path)));
    }

    /// <summary>The program's own; those that start it or have its options: their texts may name its options.</summary>
    static readonly string[] OfProgram =
    [
        "MixpanelConnector.Tool/", "MixpanelConnector.Tool.Native/", "MixpanelConnector.Emulator/", "MixpanelConnector.Aspire.Hosting/",
        "MixpanelConnector.Testcontainers/",
    ];

    /// <summary>Options of other programs.</summary>
    static readonly (string Path, string Option)[] OfOthers = [("MixpanelConnector.Formats/Zstd/ZstdCompression.cs", "--long")];

    /// <summary>A user of the library has no command line: its texts name settings through MessageWords.</summary>
    [Fact]
    public void No_text_of_a_library_names_an_option_of_the_command_line()
    {
        var option = new Regex(@"(?<![\w-])--[a-z]{2,}|\bsame command\b|\bexit codes?\b", RegexOptions.None, Hang.Limit);
        Assert.Equal("", string.Join('\n',
            from source in Repository.Sources
            where !OfProgram.Any(program => source.Path.StartsWith(program, StringComparison.Ordinal))
            from Match found in option.Matches(source.Text)
            where IsInText(source.Text, found.Index) && !OfOthers.Contains((source.Path, found.Value))
            select $"{source.Path}: {found.Value}"));
    }

    /// <summary>Whether a position is in a comment or a string rather than in code, where two hyphens decrement.</summary>
    static bool IsInText(string source, int index)
    {
        var line = source[(source.LastIndexOf('\n', index) + 1)..index];
        return line.Contains("//", StringComparison.Ordinal)
            || source[..index].Split("\"\"\"").Length % 2 == 0
            || line.Replace("\\\"", "", StringComparison.Ordinal).Count(character => character == '"') % 2 == 1;
    }

    /// <summary>External text is displayed in the console as text only.</summary>
    [Fact]
    public void The_console_makes_no_HTML_and_no_code_from_text()
    {
        var unwanted = new Regex(@"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|srcdoc|\beval\b|new Function|javascript:",
            RegexOptions.None, Hang.Limit);
        var files = Directory.GetFiles(Path.Combine(Repository.Root, "src/MixpanelConnector.Console/src"), "*.ts*", SearchOption.AllDirectories);
        Assert.True(files.Length > 10);
        Assert.Equal("", string.Join('\n', files.Where(file => unwanted.IsMatch(File.ReadAllText(file)))));
    }

    /// <summary>The assemblies of ours that each assembly may reference.</summary>
    [Theory]
    [InlineData("MixpanelConnector", "")]
    [InlineData("MixpanelConnector.Generators", "")]
    [InlineData("MixpanelConnector.CodeFixes", "MixpanelConnector.Generators")]
    [InlineData("MixpanelConnector.Sqlite", "MixpanelConnector")]
    [InlineData("MixpanelConnector.Formats", "MixpanelConnector")]
    [InlineData("MixpanelConnector.ObjectStorage", "MixpanelConnector")]
    [InlineData("MixpanelConnector.FeatureManagement", "MixpanelConnector")]
    [InlineData("MixpanelConnector.AspNetCore", "MixpanelConnector")]
    [InlineData("MixpanelConnector.Aspire", "MixpanelConnector")]
    [InlineData("MixpanelConnector.RabbitMq", "MixpanelConnector")]
    [InlineData("MixpanelConnector.Kafka", "MixpanelConnector")]
    [InlineData("MixpanelConnector.Emulator", "")] // client and emulator must not share their mistakes
    [InlineData("mixpanel",
        "MixpanelConnector MixpanelConnector.Sqlite MixpanelConnector.Formats MixpanelConnector.ObjectStorage MixpanelConnector.RabbitMq "
        + "MixpanelConnector.Kafka MixpanelConnector.Emulator")]
    public void References_between_assemblies_run_one_way(string name, string allowed)
    {
        Assembly assembly;
        try
        {
            assembly = Assembly.Load(name);
        }
        catch (FileNotFoundException) when (File.Exists(OfCompiler(name)))
        {
            assembly = Assembly.LoadFrom(OfCompiler(name)); // the compiler loads it, and nothing references it
        }
        catch (FileNotFoundException) when (!Directory.Exists(Path.Combine(Repository.Root, "src", name)))
        {
            return; // not built yet, so it violates no rule
        }

        Assert.All(
            assembly.GetReferencedAssemblies()
                .Select(reference => reference.Name!)
                .Where(reference => reference.StartsWith("MixpanelConnector", StringComparison.Ordinal) || reference == "mixpanel"),
            reference => Assert.Contains(reference, allowed.Split(' '), StringComparer.Ordinal));
    }

    static string OfCompiler(string name) => Path.Combine(Repository.Root, "src", name, "bin", "Release", "netstandard2.0", $"{name}.dll");

    /// <summary>Within the library, no layer depends on those above it.</summary>
    [Theory]
    [InlineData("Transport", "Actions Catalogue Import Export Tracking Migration Flags Consume")]
    [InlineData("Catalogue", "Actions Import Export Tracking Migration Flags Consume")]
    [InlineData("Import", "Actions Catalogue Tracking Export Migration Flags Consume")]
    [InlineData("Export", "Actions Catalogue Tracking Migration Flags Consume")]
    [InlineData("Exported", "Actions Catalogue Tracking Import Export Transport Migration Consume Flags")]
    [InlineData("Migration", "Tracking Flags Consume")]
    [InlineData("Tracking", "Actions Catalogue Migration Flags Consume")]
    [InlineData("Flags", "Actions Catalogue Import Export Migration Consume")]
    [InlineData("Storage", "Actions Catalogue Import Export Exported Tracking Consume Queues Flags")]
    [InlineData("Consume", "Actions Catalogue Export Tracking Migration Flags")]
    [InlineData("Outboxes", "Actions Catalogue Import Export Exported Transport Storage Tracking Migration Consume Flags Queues")]
    [InlineData("Queues", "Actions Catalogue Import Export Exported Transport Storage Tracking Migration Consume Flags")]
    public void Within_the_library_nothing_points_back(string layer, string above)
    {
        var forbidden = above.Split(' ')
            .SelectMany(folder => Repository.Sources.Where(source => source.Path.StartsWith($"MixpanelConnector/{folder}/", StringComparison.Ordinal)))
            .SelectMany(source => Declared(source.Text))
            .Except(["MixpanelClient", "ServiceAccount", "Endpoint", "ExperimentId", "Hosts"],
                StringComparer.Ordinal) // one partial type over all files; also the names of a credential, of a setting, and of members
            .ToList();
        var files = Repository.Sources.Where(source => source.Path.StartsWith($"MixpanelConnector/{layer}/", StringComparison.Ordinal));

        Assert.NotEmpty(forbidden);
        Assert.All(files,
            file => Assert.Equal("", string.Join(' ', Mentioned(WithoutComments(file.Text)).Intersect(forbidden, StringComparer.Ordinal))));
    }

    /// <summary>The files in the folder of the import itself are what an application passes and receives, so that every step knows them.</summary>
    [Fact]
    public void No_part_of_an_import_leads_back_to_itself()
    {
        const string Root = "MixpanelConnector/Import/";
        var uses = Arrows(Root, path => path is [var part, _, ..] ? part : null);

        Assert.Contains("Undelivered", uses["Send"], StringComparer.Ordinal);
        Assert.Contains("Admission", uses["Pipeline"], StringComparer.Ordinal);
        AssertNoWayBack(uses);
        Assert.All(Repository.Sources.Where(source => source.Path.StartsWith(Root, StringComparison.Ordinal) && !source.Path[Root.Length..].Contains('/')),
            source => Assert.Contains("\nnamespace MixpanelConnector;\n", "\n" + source.Text, StringComparison.Ordinal));
    }

    /// <summary>The files in the folder of the tracker itself are the trackers that an application calls, and nothing below uses them.</summary>
    [Fact]
    public void No_part_of_the_tracker_leads_back_to_itself()
    {
        var uses = Arrows("MixpanelConnector/Tracking/", path => path is [var folder, _, ..] ? folder : "");

        Assert.Contains("Sending", uses[""], StringComparer.Ordinal);
        Assert.Contains("Buffering", uses["Outbox"], StringComparer.Ordinal);
        AssertNoWayBack(uses);
    }

    /// <summary>
    /// The files in the program's own folder, those in the folder of the interfaces, and each folder of an interface with all that is below it.
    /// </summary>
    [Fact]
    public void No_folder_of_the_program_leads_back_to_itself()
    {
        var uses = Arrows("MixpanelConnector.Tool/", path => string.Join('/', path[..^1].Take(2)));

        Assert.Contains("Surfaces/Http", uses["Surfaces/Cli"], StringComparer.Ordinal);
        AssertNoWayBack(uses);
    }

    /// <summary>The folders below a root, each with the others whose types its files mention.</summary>
    /// <param name="root">The root, whose files are read.</param>
    /// <param name="folderOf">The folder of a file by the parts of its path; null for one that does not count.</param>
    static Dictionary<string, List<string>> Arrows(string root, Func<string[], string?> folderOf)
    {
        var folders = Repository.Sources.Where(source => source.Path.StartsWith(root, StringComparison.Ordinal))
            .Select(source => (Folder: folderOf(source.Path[root.Length..].Split('/')), source.Text))
            .Where(source => source.Folder is not null)
            .GroupBy(source => source.Folder!, source => WithoutComments(source.Text), StringComparer.Ordinal)
            .Select(folder => (
                folder.Key,
                Declared: folder.SelectMany(Declared).ToList(),
                Mentioned: folder.SelectMany(Mentioned).ToHashSet(StringComparer.Ordinal)))
            .ToList();
        return folders.ToDictionary(folder => folder.Key,
            folder => folders.Where(other => other.Key != folder.Key && other.Declared.Exists(folder.Mentioned.Contains)).Select(other => other.Key).ToList(),
            StringComparer.Ordinal);
    }

    /// <summary>The types that a file declares, but for nested ones.</summary>
    static IEnumerable<string> Declared(string text) =>
        Regex.Matches(text,
            @"^(public |internal )?(static |sealed |abstract |readonly |partial |ref )*(class|struct|record( struct)?|interface|enum) (?<name>\w+)",
            RegexOptions.Multiline | RegexOptions.ExplicitCapture, Hang.Limit)
            .Select(match => match.Groups["name"].Value);

    /// <summary>The names in a file that may be those of types: not members, calls or whole texts, but for what is constructed or inherited from.</summary>
    static HashSet<string> Mentioned(string text) =>
        Regex.Matches(text, @"(\bnew |: )(?<name>\w+)|(?<![\w.""])(?<name>\w+)\b(?![(""])", RegexOptions.ExplicitCapture, Hang.Limit)
            .Select(match => match.Groups["name"].Value)
            .ToHashSet(StringComparer.Ordinal);

    static void AssertNoWayBack(Dictionary<string, List<string>> uses)
    {
        Assert.All(uses.Keys, folder => Assert.DoesNotContain(folder, Reached(folder), StringComparer.Ordinal));

        HashSet<string> Reached(string from)
        {
            var reached = new HashSet<string>(StringComparer.Ordinal);
            var next = new Stack<string>(uses[from]);
            while (next.TryPop(out var folder))
                if (reached.Add(folder)) uses[folder].ForEach(next.Push);
            return reached;
        }
    }

    [Fact]
    public void Only_the_transport_uses_an_http_client()
    {
        var users = Repository.Sources.Where(source => source.Path.StartsWith("MixpanelConnector/", StringComparison.Ordinal)
            && source.Text.Contains(".SendAsync(message", StringComparison.Ordinal))
            .Select(source => source.Path);
        Assert.Equal("MixpanelConnector/Transport/MixpanelTransport.cs", string.Join(' ', users));
    }

    /// <summary>The default of 100 seconds would make a test fail because a machine is slow.</summary>
    [Fact]
    public void A_test_gives_an_http_client_the_limit_of_a_hang()
    {
        const int Initializer = 400; // as far as the settings of a client go, which may stand on lines of their own
        var without =
            from test in Repository.Tests
            where !test.Path.StartsWith("Guides/", StringComparison.Ordinal) // what a reader would write
            from part in test.Text.Split("new HttpClient(").Skip(1)
            where !part[..Math.Min(Initializer, part.Length)].Contains("Timeout = ", StringComparison.Ordinal)
            select $"{test.Path}: {part[..Math.Min(60, part.Length)]}";
        Assert.Equal("", string.Join('\n', without));
    }

    /// <summary>The formatter keeps line breaks, and sets none.</summary>
    [Fact]
    public void No_line_is_longer_than_160_characters_but_for_a_text()
    {
        var lines = new List<string>();
        foreach (var (path, text) in Repository.Sources.Concat(Repository.Tests))
        {
            var isInRawText = false;
            foreach (var line in text.Split('\n'))
            {
                var wasInRawText = isInRawText;
                if (int.IsOddInteger(line.AsSpan().Count("\"\"\""))) isInRawText = !isInRawText;
                if (line.Length <= 160 || wasInRawText || isInRawText) continue;
                var (first, last) = (line.IndexOf('"', StringComparison.Ordinal), line.LastIndexOf('"'));
                var isText = first >= 0 && first + line.Length - last <= 160;
                if (!isText && !line.Contains("/// <example>", StringComparison.Ordinal)) lines.Add($"{path}: {line.Trim()}");
            }
        }

        Assert.Equal("", string.Join('\n', lines));
    }

    /// <summary>What a page shows at one moment depends on how fast the machine is; <c>becomes</c> and <c>waitFor</c> wait for it.</summary>
    [Fact]
    public void What_a_page_shows_is_awaited()
    {
        var reads = new Regex(@"assert\b.*\.(innerText|inputValue|allInnerTexts|textContent|getAttribute|isVisible|isDisabled|isEnabled|isChecked|count)\(",
            RegexOptions.ExplicitCapture, Hang.Limit);
        var lines = File.ReadAllLines(Path.Combine(Repository.Root, "tests/EndToEnd/clients/console.mjs"));
        Assert.Contains(lines, line => line.Contains("await becomes(", StringComparison.Ordinal));
        Assert.Equal("", string.Join('\n', lines.Where(line => reads.IsMatch(line))));
    }

    [Theory]
    [InlineData("MixpanelConnector")]
    public void Every_public_type_and_member_is_documented(string name)
    {
        var assembly = Assembly.Load(name);
        using var docs = typeof(Tool.HostEnvironment).Assembly.GetManifestResourceStream($"{name}.xml")!;
        var documented = XDocument.Load(docs)
            .Descendants("member")
            .Where(member => member.HasElements)
            .Select(member => member.Attribute("name")!.Value)
            .ToHashSet(StringComparer.Ordinal);

        foreach (var type in assembly.GetExportedTypes())
        {
            var typeName = type.FullName!.Replace('+', '.');
            Assert.Contains($"T:{typeName}", documented);
            foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
                .Where(property => property.Name is not "EqualityContract"))
                Assert.True(documented.Contains($"P:{typeName}.{property.Name}")
                    || (property.GetIndexParameters().Length > 0
                        && documented.Any(member => member.StartsWith($"P:{typeName}.{property.Name}(", StringComparison.Ordinal)))
                    || IsOfPrimaryConstructor(type, property),
                    $"{typeName}.{property.Name} has no documentation.");
        }

        // A positional record documents its properties as parameters of the type.
        static bool IsOfPrimaryConstructor(Type type, PropertyInfo property) =>
            type.GetConstructors().Any(constructor => constructor.GetParameters().Any(parameter =>
                parameter.Name == property.Name && parameter.ParameterType == property.PropertyType));
    }

    [Fact]
    public void A_secret_is_revealed_only_where_it_is_handed_over()
    {
        var revealing = Repository.Sources.Where(source => source.Text.Contains(".Reveal()", StringComparison.Ordinal)).Select(source => source.Path);
        Assert.Equal(
            "MixpanelConnector.Kafka/KafkaQueue.cs MixpanelConnector.RabbitMq/RabbitMqConnection.cs MixpanelConnector.Tool/Surfaces/PreparedHandover.cs "
            + "MixpanelConnector/Transport/Authorization.cs",
            string.Join(' ', revealing));
    }

    static string WithoutComments(string source) =>
        string.Join('\n', source.Split('\n').Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal)));
}

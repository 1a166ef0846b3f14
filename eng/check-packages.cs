// Checks packages as a registry and a debugger would: dotnet run eng/check-packages.cs FOLDER [OTHER]
// Each must have a README, icon, licence, XML documentation and symbols. With OTHER, a second build of the same packages, all files must be identical.
using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

const string Tool = "MixpanelConnector.Tool";
var sourceLink = new Guid("cc110556-a091-4d38-9fec-25ab9a351a6a");
var embeddedSource = new Guid("0e8a571b-6926-466e-b4ad-8ab04611f5fe");
string[] libraries =
[
    "MixpanelConnector", "MixpanelConnector.AspNetCore", "MixpanelConnector.Aspire", "MixpanelConnector.Aspire.Hosting", "MixpanelConnector.Emulator",
    "MixpanelConnector.FeatureManagement", "MixpanelConnector.Formats", "MixpanelConnector.Kafka", "MixpanelConnector.ObjectStorage",
    "MixpanelConnector.RabbitMq", "MixpanelConnector.Sqlite", "MixpanelConnector.Testcontainers",
];
string[] onNet8 =
[
    "MixpanelConnector",
    "MixpanelConnector.AspNetCore",
    "MixpanelConnector.Aspire",
    "MixpanelConnector.FeatureManagement",
    "MixpanelConnector.Kafka",
    "MixpanelConnector.RabbitMq",
    "MixpanelConnector.Sqlite",
];
Dictionary<string, string[]> natives = new(StringComparer.Ordinal)
{
    ["linux-x64"] = ["libduckdb.so", "libe_sqlite3.so", "ParquetSharpNative.so"],
    ["linux-arm64"] = ["libduckdb.so", "libe_sqlite3.so", "ParquetSharpNative.so"],
    ["win-x64"] = ["duckdb.dll", "e_sqlite3.dll", "ParquetSharpNative.dll"],
    ["osx-arm64"] = ["libduckdb.dylib", "libe_sqlite3.dylib", "ParquetSharpNative.dylib"],
};

if (args is not [var folder, .. var others] || others.Length > 1)
{
    Console.Error.WriteLine("usage: dotnet run eng/check-packages.cs FOLDER [OTHER]");
    return 2;
}

var faults = new List<string>();
var expected = libraries.Append(Tool).Concat(natives.Keys.Select(platform => $"{Tool}.{platform}")).ToList();
var packages = Directory.GetFiles(folder, "*.nupkg").ToDictionary(path => NuspecOf(path).Id, StringComparer.Ordinal);
foreach (var missing in expected.Except(packages.Keys, StringComparer.Ordinal)) faults.Add($"{missing}: there is no such package in {folder}");
foreach (var (id, path) in packages.OrderBy(package => package.Key, StringComparer.Ordinal))
{
    if (!expected.Contains(id, StringComparer.Ordinal)) faults.Add($"{id}: nobody expects this package");
    var before = faults.Count;
    var seen = Check(id, path);
    Console.WriteLine($"{(faults.Count == before ? "ok    " : "FAULTY")} {id} {NuspecOf(path).Version}, {new FileInfo(path).Length:N0} bytes{seen}");
}

if (packages.Values.Select(path => NuspecOf(path).Version).Distinct(StringComparer.Ordinal).Count() > 1) faults.Add("the packages are not of one version");
if (others is [var other]) CompareWith(other);
foreach (var fault in faults) Console.Error.WriteLine(fault);
return faults.Count == 0 ? 0 : 1;

string Check(string id, string path)
{
    void Fault(string what) => faults.Add($"{id}: {what}");
    using var package = ZipFile.OpenRead(path);
    var metadata = NuspecOf(path).Metadata;
    string? Value(string name) => metadata.Elements().FirstOrDefault(element => element.Name.LocalName == name)?.Value;
    foreach (var name in (string[])["authors", "description", "tags", "license"])
        if (string.IsNullOrWhiteSpace(Value(name))) Fault($"the nuspec has no {name}");
    if (Value("readme") is not { } readme || package.GetEntry(readme) is not { Length: > 100 }) Fault("it has no README");
    if (Value("icon") is not { } icon || package.GetEntry(icon) is not { } image || !IsPng(Bytes(image))) Fault("it has no icon");
    if (metadata.Elements().FirstOrDefault(element => element.Name.LocalName == "repository")?.Attribute("commit")?.Value is not { Length: 40 })
        Fault("the nuspec does not name the commit");
    if (libraries.Contains(id, StringComparer.Ordinal)) return CheckLibrary(id, path, package, Fault);
    return CheckTool(id, package, Fault);
}

string CheckLibrary(string id, string path, ZipArchive package, Action<string> fault)
{
    foreach (var entry in package.Entries.Where(entry => entry.FullName.StartsWith("lib/", StringComparison.Ordinal)
        && Path.GetFileNameWithoutExtension(entry.Name) != id))
        fault($"it holds {entry.FullName}, which is not its own");
    string[] analyzers = id == "MixpanelConnector" ? ["MixpanelConnector.CodeFixes.dll", "MixpanelConnector.Generators.dll"] : [];
    if (!package.Entries.Where(entry => entry.FullName.StartsWith("analyzers/", StringComparison.Ordinal))
        .Select(entry => entry.FullName)
        .Order(StringComparer.Ordinal)
        .SequenceEqual(analyzers.Select(name => $"analyzers/dotnet/cs/{name}"), StringComparer.Ordinal))
        fault("its analyzers are not as they should be");
    var symbols = Path.ChangeExtension(path, ".snupkg");
    if (!File.Exists(symbols))
    {
        fault("it has no symbol package");
        return "";
    }

    using var symbolPackage = ZipFile.OpenRead(symbols);
    string[] frameworks = onNet8.Contains(id, StringComparer.Ordinal) ? ["net10.0", "net8.0"] : ["net10.0"];
    var found = package.Entries.Where(entry => entry.FullName.StartsWith("lib/", StringComparison.Ordinal))
        .Select(entry => entry.FullName.Split('/')[1])
        .Distinct(StringComparer.Ordinal)
        .Order(StringComparer.Ordinal);
    if (!found.SequenceEqual(frameworks, StringComparer.Ordinal)) fault($"it is for {string.Join(" and ", found)}, not for {string.Join(" and ", frameworks)}");
    return string.Concat(frameworks.Select(framework => CheckAssembly(framework, id, package, symbolPackage, what => fault($"{framework}: {what}"))));
}

string CheckAssembly(string framework, string id, ZipArchive package, ZipArchive symbolPackage, Action<string> fault)
{
    if (package.GetEntry($"lib/{framework}/{id}.dll") is not { } assembly)
    {
        fault("it has no assembly");
        return "";
    }

    if (package.GetEntry($"lib/{framework}/{id}.xml") is not { } xml) fault("it has no XML documentation");
    else if (XDocument.Load(xml.Open()).Descendants("summary").Count() < 3) fault("its XML documentation is empty");
    if (symbolPackage.GetEntry($"lib/{framework}/{id}.pdb") is not { } pdb)
    {
        fault("its symbol package has no symbols");
        return "";
    }

    return $"; {framework}" + CheckSymbols(id, Bytes(assembly), Bytes(pdb), fault);
}

string CheckTool(string id, ZipArchive package, Action<string> fault)
{
    if (package.Entries.FirstOrDefault(entry => entry.Name == "DotnetToolSettings.xml") is not { } settings)
    {
        fault("it is no tool");
        return "";
    }

    var tool = XDocument.Load(settings.Open());
    if (tool.Descendants("Command").Select(command => (string?)command.Attribute("Name")).ToList() is not ["mixpanel"]) fault("its command is not mixpanel");
    if (id == Tool)
    {
        var pointed = tool.Descendants("RuntimeIdentifierPackage").Select(element => (string)element.Attribute("Id")!).Order(StringComparer.Ordinal);
        if (!pointed.SequenceEqual(natives.Keys.Select(platform => $"{Tool}.{platform}").Order(StringComparer.Ordinal), StringComparer.Ordinal))
            fault("it does not point to a package for each platform");
        return "";
    }

    var own = natives[id[(Tool.Length + 1)..]];
    foreach (var name in own.Where(name => package.Entries.All(entry => entry.Name != name))) fault($"it has no {name}");
    foreach (var foreign in natives.Values.SelectMany(names => names)
        .Except(own, StringComparer.Ordinal)
        .Where(name => package.Entries.Any(entry => entry.Name == name)))
        fault($"it has {foreign}, which is another platform's");
    ZipArchiveEntry? Find(string name) => package.Entries.FirstOrDefault(entry => entry.Name == name);
    if (Find("mixpanel.dll") is not { } assembly || Find("mixpanel.pdb") is not { } pdb)
    {
        fault("it has no program with symbols");
        return "";
    }

    return CheckSymbols(id, Bytes(assembly), Bytes(pdb), fault);
}

string CheckSymbols(string id, byte[] assembly, byte[] pdb, Action<string> fault)
{
    using var image = new PEReader(new MemoryStream(assembly));
    using var provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(pdb));
    var symbols = provider.GetMetadataReader();
    var entries = image.ReadDebugDirectory();
    if (entries.All(entry => entry.Type != DebugDirectoryEntryType.Reproducible)) fault("its assembly was not built deterministically");
    var codeViews = entries.Where(entry => entry is { Type: DebugDirectoryEntryType.CodeView, IsPortableCodeView: true })
        .Select(entry => (Data: image.ReadCodeViewDebugDirectoryData(entry), Stamp: entry.Stamp)).ToList();
    var pdbId = new BlobContentId(symbols.DebugMetadataHeader!.Id);
    if (!codeViews.Exists(view => view.Data.Guid == pdbId.Guid)) fault("its symbols are another assembly's");
    if (codeViews.Exists(view => Path.IsPathRooted(view.Data.Path) && !view.Data.Path.StartsWith("/_/", StringComparison.Ordinal)))
        fault("its assembly names a folder of the machine that built it");

    var links = symbols.GetCustomDebugInformation(EntityHandle.ModuleDefinition)
        .Select(symbols.GetCustomDebugInformation)
        .Where(info => symbols.GetGuid(info.Kind) == sourceLink)
        .Select(info => symbols.GetBlobBytes(info.Value)).ToList();
    var (embedded, unfound) = (0, new List<string>());
    foreach (var handle in symbols.Documents)
    {
        var name = symbols.GetString(symbols.GetDocument(handle).Name);
        if (!name.StartsWith("/_/", StringComparison.Ordinal)) fault($"its symbols name {name}, a folder of the machine that built it");
        if (symbols.GetCustomDebugInformation(handle).Any(info => symbols.GetGuid(symbols.GetCustomDebugInformation(info).Kind) == embeddedSource)) embedded++;
        else if (links.Count == 0) unfound.Add(name);
    }

    if (unfound.Count > 0)
        fault($"a debugger finds {unfound.Count} of {symbols.Documents.Count} sources neither in the symbols nor by a source link, such as {unfound[0]}");
    return $"; {symbols.Documents.Count} sources: {embedded} in the symbols, {(links.Count == 0 ? "no source link" : "a source link")}";
}

void CompareWith(string second)
{
    foreach (var path in Directory.GetFiles(folder, "*.*nupkg").Order(StringComparer.Ordinal))
    {
        var again = Path.Combine(second, Path.GetFileName(path));
        if (!File.Exists(again)) faults.Add($"{Path.GetFileName(path)}: the second packing has none");
        else if (Differences(path, again) is { Count: > 0 } differ)
            faults.Add($"{Path.GetFileName(path)}: the second packing differs: {string.Join(", ", differ)}");
        else Console.WriteLine($"same   {Path.GetFileName(path)}");
    }
}

// The timestamps of the files in a package are those of the build; their names, order and bytes must be identical.
List<string> Differences(string one, string two)
{
    using var first = ZipFile.OpenRead(one);
    using var second = ZipFile.OpenRead(two);
    if (!first.Entries.Select(entry => entry.FullName).SequenceEqual(second.Entries.Select(entry => entry.FullName), StringComparer.Ordinal))
        return ["its list of files"];
    return [.. first.Entries.Where(entry => !Bytes(entry).AsSpan().SequenceEqual(Bytes(second.GetEntry(entry.FullName)!))).Select(entry => entry.FullName)];
}

static (string Id, string Version, XElement Metadata) NuspecOf(string path)
{
    using var package = ZipFile.OpenRead(path);
    using var nuspec = package.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
    var metadata = XDocument.Load(nuspec).Root!.Elements().Single(element => element.Name.LocalName == "metadata");
    string Value(string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;
    return (Value("id"), Value("version"), metadata);
}

static byte[] Bytes(ZipArchiveEntry entry)
{
    using var content = entry.Open();
    using var copy = new MemoryStream();
    content.CopyTo(copy);
    return copy.ToArray();
}

static bool IsPng(byte[] image) => image is [0x89, (byte)'P', (byte)'N', (byte)'G', ..];

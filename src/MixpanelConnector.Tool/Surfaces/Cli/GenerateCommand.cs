using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Files;
using MixpanelConnector.Tool.EventTypes;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Writes event types from a Lexicon, and Lexicon schemas from such types.</summary>
static class GenerateCommand
{
    static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Of(HostEnvironment host) => new("generate", """
        Generate C# event types from a project's Lexicon, and Lexicon schemas from such types.

        Each event becomes a record with [MixpanelEvent] and the Lexicon's descriptions. Required properties are not nullable. Mixpanel's
        own events and properties ($…, mp_…), and properties that a tracker adds (time, distinct_id, token, ip), are omitted.

        Examples:
          mixpanel generate events --lexicon --namespace Shop.Events --to Events.g.cs
          mixpanel list-schemas > lexicon.json && mixpanel generate events --from lexicon.json
          mixpanel generate schemas bin/Release/net10.0/Shop.dll > schemas.json
          mixpanel upload-schemas --input @schemas.json
        """) { Events(host), Schemas(host) };

    static Command Events(HostEnvironment host)
    {
        var lexicon = new Option<bool>("--lexicon") { Description = "Use the schemas of the project's Lexicon." };
        var from = new Option<string>("--from")
        {
            Description = "Use the schemas in a file, as printed by list-schemas. Needs no credentials.",
            HelpName = "FILE",
        };
        var to = new Option<string>("--to")
        {
            Description = "Where to write the types: a file, or a folder for one file per type. Only files that this command wrote are replaced. Default: "
                + "standard output.",
            HelpName = "FILE|DIR",
        };
        var nameSpace = new Option<string>("--namespace") { Description = "The namespace of the types. Default: MixpanelEvents.", HelpName = "NAME" };
        var events = new Option<string[]>("--events")
        {
            Description = "The events to include; repeatable, or separated by commas. Default: all.",
            HelpName = "NAME,…",
        };
        var command = new Command("events", "Generate a C# record for each event of a Lexicon.") { lexicon, from, to, nameSpace, events };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var file = parsed.GetValue(from);
            if (file is null == !parsed.GetValue(lexicon))
                throw Configuration.Invalid("lexicon", "Specify the source of the schemas: --lexicon for the project's, or --from FILE for those in a file.");
            var names = NamespaceOf(parsed.GetValue(nameSpace) ?? "MixpanelEvents");
            var target = parsed.GetValue(to);
            var all =
                Read(file is null ? await FetchAsync(parsed, host, cancellationToken) : GivenBytes("from", file, host), file is null ? "lexicon" : "from");
            var types = EventTypeWriter.Name(Asked(all, parsed.GetValue(events) ?? []));
            if (types.Count == 0)
                throw Configuration.Invalid(file is null ? "lexicon" : "from",
                    "The Lexicon describes no event that an application tracks. Describe events there first, or with upload-schemas.");
            foreach (var its in all.Where(one => EventTypeWriter.IsReserved(one.Name)))
                host.Notes.WriteLine($"mixpanel: {Printer.Clean(its.Name)} is skipped: it is one of Mixpanel's own.");
            if (target is not null) return WriteFiles(target, types, names, host, CommonOptions.AsTable(parsed));
            new Printer(host, asTable: false).Text(EventTypeWriter.Write(types, names));
            return ExitCode.Success;
        });
        return command;
    }

    static Command Schemas(HostEnvironment host)
    {
        var assembly = new Argument<string>("ASSEMBLY") { Description = "The compiled application or library (.dll). It is read, not executed." };
        var command = new Command("schemas", "Generate Lexicon schemas from the event types in an assembly, as upload-schemas accepts them.") { assembly };
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(assembly)!;
            IReadOnlyList<JsonObject> entries;
            try
            {
                entries = AssemblySchemas.Read(GivenBytes("assembly", path, host));
            }
            catch (FormatException e)
            {
                throw Configuration.Invalid("assembly", $"{path}: {e.Message}.");
            }

            if (entries.Count == 0)
                throw Configuration.Invalid("assembly",
                    $"{path} has no events: no type in it is partial, has [MixpanelEvent], and was compiled with MixpanelConnector's generator.");
            using var written = new MemoryStream();
            using (var json = new Utf8JsonWriter(written, Json)) new JsonObject { ["entries"] = new JsonArray([.. entries]) }.WriteTo(json);
            new Printer(host, CommonOptions.AsTable(parsed)).Json(written.ToArray());
            return ExitCode.Success;
        });
        return command;
    }

    static async Task<ReadOnlyMemory<byte>> FetchAsync(ParseResult parsed, HostEnvironment host, CancellationToken cancellationToken)
    {
        await using var session = await Session.OpenAsync(parsed, host, needsCredential: true, cancellationToken);
        return (await ActionCatalogue.Find("list_schemas_for_entity")!.InvokeAsync(session.Client, JsonElement.Parse("""{"entity_type":"event"}"""),
            cancellationToken)).Json;
    }

    static IReadOnlyList<LexiconEvent> Read(ReadOnlyMemory<byte> lexicon, string field)
    {
        try
        {
            var text = lexicon.Span.StartsWith("\uFEFF"u8) ? lexicon[3..] : lexicon;
            using var document = JsonDocument.Parse(text);
            return LexiconEvent.Read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw Configuration.Invalid(field,
                string.Create(System.Globalization.CultureInfo.InvariantCulture,
                    $"{field}: is not valid JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})."));
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException) // the latter for unpaired surrogates
        {
            throw Configuration.Invalid(field, $"{field}: {(e is FormatException ? e.Message : "contains text that is not valid Unicode")}.");
        }
    }

    static List<LexiconEvent> Asked(IReadOnlyList<LexiconEvent> all, string[] words)
    {
        if (words is []) return [.. all];
        var asked = new HashSet<string>(StringComparer.Ordinal);
        foreach (var word in words)
        {
            // A name may contain a comma.
            foreach (var name in all.Any(one => one.Name == word)
                ? [word]
                : word.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                if (!all.Any(one => one.Name == name))
                    throw Configuration.Invalid("events",
                        $"The Lexicon describes no event '{name}'.{(HelpCommand.Near(name, all.Select(one => one.Name)) is [var near, ..] ? $" Did you mean {near}?" : "")}");
                asked.Add(name);
            }
        }

        return [.. all.Where(one => asked.Contains(one.Name))];
    }

    static string NamespaceOf(string name) =>
        Array.TrueForAll(name.Split('.'), CSharpNames.IsIdentifier)
            ? string.Join('.', name.Split('.').Select(CSharpNames.Escape))
            : throw Configuration.Invalid("namespace", $"{name} is not a valid C# namespace, such as Shop.Events.");

    static byte[] GivenBytes(string field, string path, HostEnvironment host)
    {
        try
        {
            return path == "-" ? GivenFile.Read(host.TakeInput(field), host.Stopping) : GivenFile.Read(path, host.Stopping);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Configuration.Invalid(field, $"{field}: the file {path} cannot be read: {e.Message}");
        }
    }

    static int WriteFiles(string target, IReadOnlyList<(string Type, LexiconEvent Event)> types, string nameSpace, HostEnvironment host, bool asTable)
    {
        var isFolder = Directory.Exists(target) || Path.EndsInDirectorySeparator(target);
        List<(string Path, string Text)> files = isFolder
            ? [.. types.Select(one => (Path.Combine(target, one.Type + ".g.cs"), EventTypeWriter.Write([one], nameSpace)))]
            : [(target, EventTypeWriter.Write(types, nameSpace))];
        try
        {
            if (isFolder) Directory.CreateDirectory(target);
            foreach (var (path, _) in files)
                if (IsOfOthers(path))
                    throw Configuration.Invalid("to", $"{path} was not written by this command, and is not replaced. Specify another path, or delete it.");
            foreach (var (path, text) in files) OutputFile.Write(path, Encoding.UTF8.GetBytes(text), host.Stopping);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            host.Error.WriteLine($"mixpanel: {Printer.Clean(target)} cannot be written: {Printer.Clean(e.Message)}");
            return ExitCode.DiskFailed;
        }

        if (isFolder)
            foreach (var stale in Directory.GetFiles(target, "*.g.cs")
                .Order(StringComparer.Ordinal)
                .Except(files.Select(file => file.Path), StringComparer.Ordinal)
                .Where(path => !IsOfOthers(path)))
                host.Notes.WriteLine($"mixpanel: {Printer.Clean(stale)} belongs to an event that was not requested, or is no longer in the Lexicon.");
        using var written = new MemoryStream();
        using (var json = new Utf8JsonWriter(written, Json))
            new JsonObject { ["events"] = types.Count, ["files"] = new JsonArray([.. files.Select(file => (JsonNode?)file.Path)]) }.WriteTo(json);
        new Printer(host, asTable).Json(written.ToArray());
        return ExitCode.Success;
    }

    static bool IsOfOthers(string path)
    {
        if (OutputFile.IsSpecial(path) || !File.Exists(path)) return false;
        using var reader = new StreamReader(path);
        if (reader.Peek() < 0) return false;
        foreach (var line in EventTypeWriter.Header.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            if (reader.ReadLine() != line) return true; // ignores the line endings
        return false;
    }
}

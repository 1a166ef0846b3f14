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
        Write C# types of events from a project's Lexicon, and schemas for the Lexicon from such types.

        Each event becomes a record with [MixpanelEvent] and the Lexicon's descriptions. What is required is not nullable. Events and
        properties of Mixpanel's own ($…, mp_…), and properties that a tracker adds (time, distinct_id, token, ip), are left out.

        Examples:
          mixpanel generate events --lexicon --namespace Shop.Events --to Events.g.cs
          mixpanel list-schemas > lexicon.json && mixpanel generate events --from lexicon.json
          mixpanel generate schemas bin/Release/net10.0/Shop.dll > schemas.json
          mixpanel upload-schemas --input @schemas.json
        """) { Events(host), Schemas(host) };

    static Command Events(HostEnvironment host)
    {
        var lexicon = new Option<bool>("--lexicon") { Description = "Take the schemas of the project's Lexicon." };
        var from = new Option<string>("--from") { Description = "Take the schemas of a file, as list-schemas prints them. Needs no credentials.", HelpName = "FILE" };
        var to = new Option<string>("--to") { Description = "Where the types go: a file, or a folder, which gets a file for each. Only files that this command wrote are replaced. Default: standard output.", HelpName = "FILE|DIR" };
        var nameSpace = new Option<string>("--namespace") { Description = "The namespace of the types. Default: MixpanelEvents.", HelpName = "NAME" };
        var events = new Option<string[]>("--events") { Description = "The events to take; repeatable, or separated by commas. Default: all.", HelpName = "NAME,…" };
        var command = new Command("events", "Write a C# record for each event of a Lexicon.") { lexicon, from, to, nameSpace, events };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var file = parsed.GetValue(from);
            if (file is null == !parsed.GetValue(lexicon)) throw Configuration.Invalid("lexicon", "Say where the schemas are: --lexicon for those of the project, or --from FILE for those of a file.");
            var names = NamespaceOf(parsed.GetValue(nameSpace) ?? "MixpanelEvents");
            var target = parsed.GetValue(to);
            var all = Read(file is null ? await FetchAsync(parsed, host, cancellationToken) : GivenBytes("from", file, host), file is null ? "lexicon" : "from");
            var types = EventTypeWriter.Name(Asked(all, parsed.GetValue(events) ?? []));
            if (types.Count == 0) throw Configuration.Invalid(file is null ? "lexicon" : "from", "The Lexicon describes no event that an application tracks. Describe events there first, or by upload-schemas.");
            foreach (var its in all.Where(one => EventTypeWriter.IsReserved(one.Name))) host.Notes.WriteLine($"mixpanel: {Printer.Clean(its.Name)} is left out: it is Mixpanel's own.");
            if (target is not null) return WriteFiles(target, types, names, host, CommonOptions.AsTable(parsed));
            new Printer(host, asTable: false).Text(EventTypeWriter.Write(types, names));
            return ExitCode.Success;
        });
        return command;
    }

    static Command Schemas(HostEnvironment host)
    {
        var assembly = new Argument<string>("ASSEMBLY") { Description = "The compiled application or library (.dll). It is read, and not run." };
        var command = new Command("schemas", "Write the Lexicon schemas of the event types in an assembly, as upload-schemas takes them.") { assembly };
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

            if (entries.Count == 0) throw Configuration.Invalid("assembly", $"{path} has no events: none of its types is partial, carries [MixpanelEvent], and was compiled with MixpanelConnector's generator.");
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
        return (await Catalogue.Find("list_schemas_for_entity")!.InvokeAsync(session.Client, JsonElement.Parse("""{"entity_type":"event"}"""), cancellationToken)).Json;
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
            throw Configuration.Invalid(field, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{field}: is not valid JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})."));
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException) // the latter for unpaired surrogates
        {
            throw Configuration.Invalid(field, $"{field}: {(e is FormatException ? e.Message : "holds text that is no Unicode")}.");
        }
    }

    static List<LexiconEvent> Asked(IReadOnlyList<LexiconEvent> all, string[] words)
    {
        if (words is []) return [.. all];
        var asked = new HashSet<string>(StringComparer.Ordinal);
        foreach (var word in words)
        {
            // A name may contain a comma.
            foreach (var name in all.Any(one => one.Name == word) ? [word] : word.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                if (!all.Any(one => one.Name == name)) throw Configuration.Invalid("events", $"The Lexicon describes no event '{name}'.{(HelpCommand.Near(name, all.Select(one => one.Name)) is [var near, ..] ? $" Did you mean {near}?" : "")}");
                asked.Add(name);
            }
        }

        return [.. all.Where(one => asked.Contains(one.Name))];
    }

    static string NamespaceOf(string name) =>
        Array.TrueForAll(name.Split('.'), CSharpNames.IsIdentifier) ? string.Join('.', name.Split('.').Select(CSharpNames.Escape)) : throw Configuration.Invalid("namespace", $"{name} is no namespace of C#, such as Shop.Events.");

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
        List<(string Path, string Text)> files = isFolder ? [.. types.Select(one => (Path.Combine(target, one.Type + ".g.cs"), EventTypeWriter.Write([one], nameSpace)))] : [(target, EventTypeWriter.Write(types, nameSpace))];
        try
        {
            if (isFolder) Directory.CreateDirectory(target);
            foreach (var (path, _) in files)
                if (IsOfOthers(path)) throw Configuration.Invalid("to", $"{path} was not written by this command, and is not replaced. Name another place, or delete it.");
            foreach (var (path, text) in files) OutputFile.Write(path, Encoding.UTF8.GetBytes(text), host.Stopping);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            host.Error.WriteLine($"mixpanel: {Printer.Clean(target)} cannot be written: {Printer.Clean(e.Message)}");
            return ExitCode.DiskFailed;
        }

        if (isFolder)
            foreach (var stale in Directory.GetFiles(target, "*.g.cs").Order(StringComparer.Ordinal).Except(files.Select(file => file.Path), StringComparer.Ordinal).Where(path => !IsOfOthers(path)))
                host.Notes.WriteLine($"mixpanel: {Printer.Clean(stale)} is of an event that was not asked for, or is not in the Lexicon any more.");
        using var written = new MemoryStream();
        using (var json = new Utf8JsonWriter(written, Json)) new JsonObject { ["events"] = types.Count, ["files"] = new JsonArray([.. files.Select(file => (JsonNode?)file.Path)]) }.WriteTo(json);
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

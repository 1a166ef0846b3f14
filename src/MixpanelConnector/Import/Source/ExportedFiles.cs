using System.Globalization;
using System.Security.Cryptography;
using MixpanelConnector.Exported;

namespace MixpanelConnector.Import.Source;

/// <summary>The folder of an export as an input: its manifest specifies which files are read, in which order and layout, and their sizes and hashes.</summary>
static class ExportedFiles
{
    public const string NotWhatItWas = "is not the file that was exported: its length or hash differs from the manifest. Export it again";

    /// <summary>Applies the manifest of the input to the request; returns it unchanged when the input is not an export.</summary>
    /// <exception cref="InputException">The export is incomplete, or its manifest is damaged.</exception>
    /// <exception cref="MixpanelException">The export does not match the request.</exception>
    public static ImportRequest Resolve(ImportRequest request)
    {
        if (request.Replay is not null || request.Inputs.FirstOrDefault(input => IsExport(input, request)) is not { } folder) return request;
        if (request.Inputs.Count > 1) throw MixpanelException.Invalid("input", $"{folder} is an export: import it separately.");
        var manifest = ExportManifest.TryParse(ManifestOf(folder, request)!.Value.Span)
            ?? throw new InputException($"{folder} is an export whose manifest is damaged. Export it again, or import its files by their names.");
        if (!manifest.Complete) throw new InputException($"{folder} is an export that is not finished. Run the export again, and then this command.");
        var type = manifest.Kind switch
        {
            ExportManifest.Profiles => ImportType.Profiles,
            ExportManifest.Groups => ImportType.Groups,
            ExportManifest.LookupTables =>
                throw MixpanelException.Invalid("input", $"{folder} contains the names and ids of lookup tables, but no rows to import."),
            _ => ImportType.Events,
        };
        if (request.Type is not ImportType.Events && request.Type != type)
            throw MixpanelException.Invalid("type", $"{folder} is an export of {manifest.Kind}: leave the type out.");
        if ((request.Format ?? manifest.Format) != manifest.Format
            || request is not
            {
                Encoding: null, Columns.Count: 0, ColumnTypes.Count: 0, Event: null, Delimiter: null, Quote: '"', Escape: null, SkipLines: 0,
                NoHeader: false, ColumnNames.Count: 0, DecimalSeparator: '.', NullValues.Count: 0
            })
            throw MixpanelException.Invalid("format", $"{folder} is an export, whose manifest defines how it is read: omit the options for the format.");
        if (request.Formats.All(format => format.Name != manifest.Format))
            throw MixpanelException.Invalid("format", $"{folder} is an export as {manifest.Format}, which requires the formats of MixpanelConnector.Formats.");
        return request with
        {
            Exported = manifest,
            Type = type,
            GroupKey = type is ImportType.Groups ? request.GroupKey ?? manifest.GroupKey : request.GroupKey,
            Format = manifest.Format,
        };
    }

    /// <summary>The files listed in the manifest.</summary>
    public static List<InputFile> Find(ImportRequest request, ExportManifest manifest)
    {
        var root = request.Inputs[0];
        var prefix = request.SourceId is null ? "" : request.SourceId + "/";
        var entries = manifest.Files.Where(entry => entry.Name is not null);
        if (request.Stored?.Of(root) is { } stored) return [.. entries.Select(entry => FindStored(stored, entry, IdOf(entry)))];
        var folder = InputList.RealPath(root);
        return [.. entries.Select(entry => new InputFile(root, entry.Name!, IdOf(entry), folder)
        {
            Length = entry.Bytes,
            Opened = () => Open(Path.Join(folder, entry.Name), entry),
        })];

        string IdOf(ExportEntry entry) => prefix + InputList.WithoutCompression(entry.Name!, request);
    }

    static InputFile FindStored(StoredInput stored, ExportEntry entry, string id)
    {
        if (stored.Of(entry.Name!) is not { } one)
            return new InputFile(stored.Root, entry.Name!, id, Folder: null) { Fault = "is listed in the manifest of its export, but does not exist" };
        var file = stored.File(one, entry.Name!, id);
        return one.Length == entry.Bytes
            ? file with { Opened = () => new CheckedObjectSource(() => stored.Open(one), entry.Sha256!) }
            : file with { Fault = NotWhatItWas };
    }

    /// <summary>Whether a folder has an export manifest. A damaged one counts if there are export files next to it.</summary>
    static bool IsExport(string input, ImportRequest request) =>
        ManifestOf(input, request) is { } manifest
        && (ExportManifest.TryParse(manifest.Span) is not null
            || (request.Stored?.Of(input) is { } stored
                ? stored.Objects.Select(one => one.Relative)
                : Directory.EnumerateFiles(input).Select(file => Path.GetFileName(file))).Any(IsOfExport));

    /// <summary>The export manifest next to the files of an input; null when there is none.</summary>
    static ReadOnlyMemory<byte>? ManifestOf(string input, ImportRequest request)
    {
        if (request.Stored?.Of(input) is { } stored) return stored.Manifest;
        var manifest = Path.Combine(input, ExportManifest.FileName);
        if (input.Length == 0 || !File.Exists(manifest)) return null;
        return File.ReadAllBytes(manifest);
    }

    static bool IsOfExport(string name) =>
        name.StartsWith("pages-00000.", StringComparison.Ordinal)
        || (name.Length > 10 && name[10] == '.'
            && DateOnly.TryParseExact(name.AsSpan(0, 10), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _));

    /// <summary>Opens a file after verifying its hash against the manifest.</summary>
    public static FileByteSource Open(string path, ExportEntry entry)
    {
        try
        {
            using var file =
                new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
            if (file.Length != entry.Bytes || Convert.ToHexStringLower(SHA256.HashData(file)) != entry.Sha256) throw new InputException(NotWhatItWas);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"is listed in the manifest of its export, but cannot be opened: {e.Message.TrimEnd('.')}", e);
        }

        return new FileByteSource(path);
    }
}

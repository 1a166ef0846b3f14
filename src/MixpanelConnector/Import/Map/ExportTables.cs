using System.Globalization;
using System.IO.Enumeration;
using System.Text.Json;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Map;

/// <summary>How to determine which table of an export an input belongs to.</summary>
/// <param name="Manifests">Globs for the names of manifests, which list the files of each table.</param>
/// <param name="Folders">Globs for the names of folders that contain a folder for each table.</param>
sealed record MappingTables(IReadOnlyList<string> Manifests, IReadOnlyList<string> Folders)
{
    /// <summary>Whether an input may be a manifest.</summary>
    public bool MayBeManifest(InputFile input) => input is { Fault: null, CanBeReadTwice: true } && Matches(Manifests, Path.GetFileName(input.FileName));

    /// <summary>Whether a folder contains a folder for each table.</summary>
    public bool IsDump(string folder) => Matches(Folders, folder);

    static bool Matches(IReadOnlyList<string> globs, string name) => globs.Any(glob => FileSystemName.MatchesSimpleExpression(glob, name, ignoreCase: true));
}

/// <summary>
/// Assigns inputs to the tables of an export: by its manifest, by the folder of a table, or by their names, unless these are only those of parts.
/// </summary>
sealed class ExportTables(MappingTables rules)
{
    const int LongestManifest = 64 << 20;

    const int ShortestHash = 12;

    /// <summary>The tables by the ends of the paths of their files.</summary>
    readonly Dictionary<string, SortedSet<string>> _tables = new(StringComparer.Ordinal);

    /// <summary>Reads the manifests among the inputs, and returns the other inputs.</summary>
    /// <exception cref="MixpanelException">A manifest cannot be read.</exception>
    public async ValueTask<List<InputFile>> WithoutManifestsAsync(List<InputFile> inputs, ImportRequest request, CancellationToken cancellationToken)
    {
        var manifests = new HashSet<InputFile>(ReferenceEqualityComparer.Instance);
        foreach (var input in inputs.Where(rules.MayBeManifest))
            if (await TryReadAsync(input, request, cancellationToken).ConfigureAwait(false)) manifests.Add(input);
        return inputs.FindAll(input => !manifests.Contains(input));
    }

    /// <summary>Reads a manifest; false when the file is something else.</summary>
    async ValueTask<bool> TryReadAsync(InputFile input, ImportRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var (source, _) = await Decompression.OpenAsync(input, request, cancellationToken).ConfigureAwait(false);
            using var window = new InputWindow(source);
            while (await window.FillAsync(cancellationToken).ConfigureAwait(false))
                if (window.Unread.Length > LongestManifest) return false;
            var text = window.Unread.StartsWith("\uFEFF"u8) ? window.Unread[3..] : window.Unread;
            var reader = new Utf8JsonReader(text);
            using var json = JsonDocument.ParseValue(ref reader);
            if (!text[(int)reader.BytesConsumed..].Trim(" \t\r\n"u8).IsEmpty) return false; // NDJSON
            if (json.RootElement.ValueKind is not JsonValueKind.Object || !json.RootElement.TryGetProperty("tables", out var tables)
                || tables.ValueKind is not JsonValueKind.Array)
                return false;
            foreach (var (table, i) in tables.EnumerateArray().Select((table, i) => (table, i)))
                if (!TryTake(table))
                    throw new InputException(string.Create(CultureInfo.InvariantCulture,
                        $"is not as expected: tables[{i}] must be an object with a name and a list of files"));
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
        catch (InputException e)
        {
            throw MixpanelException.Invalid("input", $"{input.Name}, which lists the files of each table, {e.Message}. Nothing was sent.");
        }
    }

    /// <summary>Takes the files of a table; false when it is described in another way. A table without files may lack the list.</summary>
    bool TryTake(JsonElement table)
    {
        if (table.ValueKind is not JsonValueKind.Object || !table.TryGetProperty("name", out var name) || name.ValueKind is not JsonValueKind.String)
            return false;
        if (!table.TryGetProperty("files", out var files) || files.ValueKind is JsonValueKind.Null) return true;
        if (files.ValueKind is not JsonValueKind.Array) return false;
        foreach (var file in files.EnumerateArray())
        {
            if (file.ValueKind is not JsonValueKind.String) return false;
            foreach (var end in EndsOf(Segments(file.GetString()!)))
            {
                if (!_tables.TryGetValue(end, out var names)) _tables.Add(end, names = new(StringComparer.Ordinal));
                names.Add(name.GetString()!);
            }
        }

        return true;
    }

    /// <summary>The table that an input belongs to; null for a stream.</summary>
    /// <exception cref="MixpanelException">It cannot be determined.</exception>
    public string? TableOf(InputFile input)
    {
        if (input.Stream is not null && input.FileName == input.Name) return null; // it has no name
        return input.FileName == input.Name
            ? TableOf(input.Folder is null ? input.Name : Path.GetFullPath(input.Name), input.Relative, input.Name) ?? throw Unknown(input)
            : TableOf(input.FileName, input.FileName, input.Name) ?? throw Unknown(input);
    }

    /// <summary>The table that a file belongs to; null when it cannot be determined.</summary>
    public string? TableOf(string path) => TableOf(path, path, path);

    string? TableOf(string path, string relative, string shown)
    {
        var segments = Segments(path);
        var listed = EndsOf(segments).Select(end => _tables.GetValueOrDefault(end)).FirstOrDefault(names => names is not null);
        if (listed is { Count: 1 }) return listed.Min;
        if (segments is [.., var dump, var table, _] && rules.IsDump(dump)) return table;
        if (listed is not null) return segments is [.., var owner, _] && listed.Contains(owner) ? owner : throw Contradicted(shown, listed);
        var name = RecordMapper.NameOf(path);
        if (!IsPart(name)) return name;
        return Segments(relative) is [.., var folder, _] && !rules.IsDump(folder) && !IsPart(folder) && folder is not ("." or "..")
            && RecordMapper.NameOf(folder) == folder
            ? folder
            : null;
    }

    static MixpanelException Unknown(InputFile input) =>
        MixpanelException.Invalid("input",
            $"The table that {input.Name} belongs to cannot be determined: its name is that of a part, it is in no folder named after a table, "
            + $"and no manifest lists it. Import it with the manifest, or rename the file or its folder after the table. Nothing was sent.");

    static MixpanelException Contradicted(string input, IEnumerable<string> tables) =>
        MixpanelException.Invalid("input",
            $"The table that {input} belongs to cannot be determined: manifests list a file of this name under {string.Join(" and ", tables)}. "
            + $"Import each dump by itself, or put the file into a folder named after its table. Nothing was sent.");

    /// <summary>Whether a name is only that of a part of a table: a number, a hash or a UUID, not a name.</summary>
    public static bool IsPart(string name)
    {
        var rest = name.AsSpan();
        if (rest.StartsWith("part", StringComparison.OrdinalIgnoreCase)) return rest[4..].TrimStart("-_") is [>= '0' and <= '9', ..];
        if (rest.IndexOfAny("_-") is var separator and > 0 && rest[..separator].IndexOfAnyExceptInRange('0', '9') < 0)
            return rest[(separator + 1)..].IndexOfAnyExceptInRange('0', '9') < 0
                || rest[(separator + 1)..].StartsWith("part", StringComparison.OrdinalIgnoreCase);
        if (Guid.TryParse(rest, out _)) return true;
        var hasDigit = rest.IndexOfAnyInRange('0', '9') >= 0;
        var hasLetter = rest.IndexOfAnyExceptInRange('0', '9') >= 0;
        return hasDigit && (hasLetter ? rest.Length >= ShortestHash && name.All(char.IsAsciiHexDigit) : rest.Length < "20260301".Length);
    }

    static string[] Segments(string path) =>
        (path.IndexOf('?', StringComparison.Ordinal) is var query and > 0 ? path[..query] : path).Split(['/', Path.DirectorySeparatorChar],
            StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The ends of a path at its separators, the longest first.</summary>
    static IEnumerable<string> EndsOf(string[] segments) => segments.Select((_, i) => string.Join('/', segments[i..]));
}

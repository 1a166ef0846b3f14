using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector.Exported;

/// <summary>
/// The manifest of an export: lists its files, with their contents and the data to verify that they are complete. It is rewritten completely after each file;
/// an entry is never added before its file.
/// </summary>
sealed record ExportManifest
{
    /// <summary>The file name in the folder of the export.</summary>
    public const string FileName = "manifest.json";

    public const string Events = "events", Profiles = "profiles", Groups = "groups", LookupTables = "lookup-tables";

    const int Current = 1;

    public required int Version { get; init; } = Current;

    /// <summary>The kind of the records.</summary>
    public required string Kind { get; init; }

    public long? ProjectId { get; init; }

    public required string Region { get; init; }

    /// <summary>The address that replaces Mixpanel's own hosts; null for none.</summary>
    public string? Endpoint { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public DateOnly? FromDate { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public DateOnly? ToDate { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public IReadOnlyList<string>? Event { get; init; }

    public string? Where { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? GroupKey { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? DataGroupId { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public long? WorkspaceId { get; init; }

    public required string Format { get; init; }

    public required string Compression { get; init; }

    /// <summary>Whether every day of the range, or every page, has its entry.</summary>
    public required bool Complete { get; init; }

    /// <summary>The number of records in all files.</summary>
    public required long Records { get; init; }

    /// <summary>A note about the rows of lookup tables.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Rows { get; init; }

    public required string Program { get; init; }

    /// <summary>The files, in the order of days or pages.</summary>
    public required IReadOnlyList<ExportEntry> Files { get; init; }

    public ReadOnlyMemory<byte> ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.ExportManifest);

    /// <summary>Returns null when the text is not a manifest of this version.</summary>
    public static ExportManifest? TryParse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json,
                ManifestJson.Default.ExportManifest) is { Version: Current, Kind: Events or Profiles or Groups or LookupTables, Files: not null } manifest
                && manifest.Files.All(file => file.IsSound)
                ? manifest
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>A file of an export, or a day without an event, which has none.</summary>
sealed record ExportEntry
{
    /// <summary>The file name; null for a day without an event.</summary>
    public required string? Name { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public DateOnly? Day { get; init; }

    /// <summary>The first page of the file, from 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? FirstPage { get; init; }

    /// <summary>The number of pages it contains.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? Pages { get; init; }

    public required long Records { get; init; }

    /// <summary>The number of records that arrived split over several lines.</summary>
    public required long Joined { get; init; }

    /// <summary>The number of lines that are not records, in the day's file that ends with <c>.unreadable</c>.</summary>
    public required long Unreadable { get; init; }

    /// <summary>The size of the file in bytes, as stored.</summary>
    public required long Bytes { get; init; }

    /// <summary>The SHA-256 hash in hexadecimal; null without a file.</summary>
    public required string? Sha256 { get; init; }

    public required DateTime FetchedAt { get; init; }

    /// <summary>Whether the day was not over when it was fetched.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] public bool Open { get; init; }

    /// <summary>Whether the entry is valid: its name refers to a file next to the manifest, and nowhere else.</summary>
    [JsonIgnore]
    public bool IsSound =>
        Name is null
            ? Sha256 is null
            : Name.Length > 0 && Path.GetFileName(Name) == Name && Name is not ("." or "..") && Sha256 is { Length: 64 } && Bytes >= 0;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NewLine = "\n", WriteIndented = true)]
[JsonSerializable(typeof(ExportManifest))]
sealed partial class ManifestJson : JsonSerializerContext;

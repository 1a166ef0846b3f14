using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector.Exported;

/// <summary>What an export leaves beside its files: which they are, of what, and how to tell that they are whole. It is written anew, whole, after each file; an entry never leads its file.</summary>
sealed record ExportManifest
{
    /// <summary>What it is called in the folder of the export.</summary>
    public const string FileName = "manifest.json";

    public const string Events = "events", Profiles = "profiles", Groups = "groups", LookupTables = "lookup-tables";

    const int Current = 1;

    public required int Version { get; init; } = Current;

    /// <summary>What the records are.</summary>
    public required string Kind { get; init; }

    public long? ProjectId { get; init; }

    public required string Region { get; init; }

    /// <summary>What stands in place of Mixpanel's own hosts; null for none.</summary>
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

    /// <summary>Records of all files.</summary>
    public required long Records { get; init; }

    /// <summary>What is said of the rows of lookup tables.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Rows { get; init; }

    public required string Program { get; init; }

    /// <summary>In the order of days, or of pages.</summary>
    public required IReadOnlyList<ExportEntry> Files { get; init; }

    public ReadOnlyMemory<byte> ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.ExportManifest);

    /// <summary>Null when the text is no manifest of this version.</summary>
    public static ExportManifest? TryParse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ManifestJson.Default.ExportManifest) is { Version: Current, Kind: Events or Profiles or Groups or LookupTables, Files: not null } manifest && manifest.Files.All(file => file.IsSound)
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
    /// <summary>Null for a day without an event.</summary>
    public required string? Name { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public DateOnly? Day { get; init; }

    /// <summary>The first page of the file, from 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? FirstPage { get; init; }

    /// <summary>How many pages it holds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? Pages { get; init; }

    public required long Records { get; init; }

    /// <summary>Records that came in two lines or more.</summary>
    public required long Joined { get; init; }

    /// <summary>Lines that are no records, in the file of the day that ends with <c>.unreadable</c>.</summary>
    public required long Unreadable { get; init; }

    /// <summary>The length of the file as it lies there.</summary>
    public required long Bytes { get; init; }

    /// <summary>Its hash, in hexadecimal; null without a file.</summary>
    public required string? Sha256 { get; init; }

    public required DateTime FetchedAt { get; init; }

    /// <summary>True for a day that was not over when it was fetched.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] public bool Open { get; init; }

    /// <summary>A name from the manifest leads to a file beside it, and nowhere else.</summary>
    [JsonIgnore]
    public bool IsSound => Name is null ? Sha256 is null : Name.Length > 0 && Path.GetFileName(Name) == Name && Name is not ("." or "..") && Sha256 is { Length: 64 } && Bytes >= 0;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NewLine = "\n", WriteIndented = true)]
[JsonSerializable(typeof(ExportManifest))]
sealed partial class ManifestJson : JsonSerializerContext;

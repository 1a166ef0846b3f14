using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Export;
using MixpanelConnector.Exported;

namespace MixpanelConnector;

/// <summary>Whether the files of an export are what its manifest says, by their hashes.</summary>
public sealed record ExportVerification
{
    /// <summary>What was exported, such as <c>events</c>.</summary>
    [JsonPropertyOrder(0)] public required string Kind { get; init; }

    /// <summary>Whether every day of the export, or every page, is there.</summary>
    [JsonPropertyOrder(1)] public required bool Complete { get; init; }

    /// <summary>Files that the manifest names.</summary>
    [JsonPropertyOrder(2)] public required int Files { get; init; }

    /// <summary>Records in them.</summary>
    [JsonPropertyOrder(3)] public required long Records { get; init; }

    /// <summary>Bytes that were read.</summary>
    [JsonPropertyOrder(4)] public required long Bytes { get; init; }

    /// <summary>The names of files that are missing, or are not what they were.</summary>
    [JsonPropertyOrder(5)] public required IReadOnlyList<string> Damaged { get; init; }

    /// <summary>Reads the files of an export. Needs no credentials.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>What was found; null when there is no manifest, or one that cannot be read.</returns>
    public static async Task<ExportVerification?> OfAsync(string folder, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder)) throw MixpanelException.Invalid("to", $"{folder} is no folder.");
        var target = new FolderTarget(folder);
        if (await target.ReadManifestAsync(cancellationToken).ConfigureAwait(false) is not { } bytes || ExportManifest.TryParse(bytes.Span) is not { } manifest) return null;
        var (damaged, read) = (new List<string>(), 0L);
        foreach (var entry in manifest.Files.Where(entry => entry.Name is not null))
        {
            if (await target.LengthOfAsync(entry.Name!, cancellationToken).ConfigureAwait(false) is not { } length || await HashOfAsync(target, entry.Name!, cancellationToken).ConfigureAwait(false) != entry.Sha256)
                damaged.Add(entry.Name!);
            else
                read += length;
        }

        return new ExportVerification { Kind = manifest.Kind, Complete = manifest.Complete, Files = manifest.Files.Count(entry => entry.Name is not null), Records = manifest.Records, Bytes = read, Damaged = damaged };
    }

    /// <summary>What was found as JSON, with the names of its documentation.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ExportVerificationJson.Default.ExportVerification);

    static async Task<string?> HashOfAsync(FolderTarget target, string name, CancellationToken cancellationToken)
    {
        try
        {
            var file = await target.OpenAsync(name, cancellationToken).ConfigureAwait(false);
            await using (file.ConfigureAwait(false)) return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ExportVerification))]
sealed partial class ExportVerificationJson : JsonSerializerContext;

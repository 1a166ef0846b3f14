using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Export;
using MixpanelConnector.Exported;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Storage;

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

    /// <summary>Reads the files of an export. Needs no credentials of Mixpanel's.</summary>
    /// <param name="folder">The folder, or an address of <paramref name="storages"/>.</param>
    /// <param name="storages">The object storage that it may lie in. Default: none.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>What was found; null when there is no manifest, or one that cannot be read.</returns>
    /// <exception cref="MixpanelException">The folder does not exist, or the storage does not give it.</exception>
    public static async Task<ExportVerification?> OfAsync(string folder, IReadOnlyList<StorageScheme>? storages = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        storages ??= [];
        if (!storages.Any(scheme => scheme.Holds(folder)) && !Directory.Exists(folder)) throw MixpanelException.Invalid("to", $"{folder} is no folder.");
        try
        {
            using var target = ExportTarget.Open(folder, storages, new MixpanelOptions(), state: null);
            return await OfAsync(target, cancellationToken).ConfigureAwait(false);
        }
        catch (StorageException e)
        {
            throw e.Told("to", folder);
        }
        catch (InputException e)
        {
            throw new MixpanelException(new MixpanelError(e.Outcome is RunOutcome.NotAllowed ? ErrorKind.Forbidden : ErrorKind.Unavailable, $"{folder} {e.Message}."), e);
        }
    }

    /// <summary>What was found as JSON, with the names of its documentation.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ExportVerificationJson.Default.ExportVerification);

    static async Task<ExportVerification?> OfAsync(ExportTarget target, CancellationToken cancellationToken)
    {
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

    /// <summary>Null for a file that is not there, or cannot be read.</summary>
    static async Task<string?> HashOfAsync(ExportTarget target, string name, CancellationToken cancellationToken)
    {
        try
        {
            using var file = await target.OpenAsync(name, cancellationToken).ConfigureAwait(false);
            return file is null ? null : await CheckedObjectSource.HashAsync(file, cancellationToken).ConfigureAwait(false);
        }
        catch (InputException e) when (e.Outcome is RunOutcome.Damaged)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ExportVerification))]
sealed partial class ExportVerificationJson : JsonSerializerContext;

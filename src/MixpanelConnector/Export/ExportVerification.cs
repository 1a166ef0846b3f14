using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Export;
using MixpanelConnector.Exported;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Storage;

namespace MixpanelConnector;

/// <summary>Verifies the files of an export against the hashes in its manifest.</summary>
public sealed record ExportVerification
{
    /// <summary>The kind of the exported records, such as <c>events</c>.</summary>
    [JsonPropertyOrder(0)] public required string Kind { get; init; }

    /// <summary>Whether every day or page of the export exists.</summary>
    [JsonPropertyOrder(1)] public required bool Complete { get; init; }

    /// <summary>Files in the manifest.</summary>
    [JsonPropertyOrder(2)] public required int Files { get; init; }

    /// <summary>Records in the files.</summary>
    [JsonPropertyOrder(3)] public required long Records { get; init; }

    /// <summary>Bytes read.</summary>
    [JsonPropertyOrder(4)] public required long Bytes { get; init; }

    /// <summary>The names of files that are missing or have changed.</summary>
    [JsonPropertyOrder(5)] public required IReadOnlyList<string> Damaged { get; init; }

    /// <summary>Verifies the files of an export. Needs no Mixpanel credentials.</summary>
    /// <param name="folder">The folder, or an address of <paramref name="storages"/>.</param>
    /// <param name="storages">The supported object storage schemes. Default: none.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>The result; null when there is no manifest, or one that cannot be read.</returns>
    /// <exception cref="MixpanelException">The folder does not exist, or the storage does not return it.</exception>
    public static async Task<ExportVerification?> OfAsync(string folder, IReadOnlyList<StorageScheme>? storages = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        storages ??= [];
        if (!storages.Any(scheme => scheme.Holds(folder)) && !Directory.Exists(folder)) throw MixpanelException.Invalid("to", $"{folder} is not a folder.");
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
            throw new MixpanelException(
                new MixpanelError(e.Outcome is RunOutcome.NotAllowed ? ErrorKind.Forbidden : ErrorKind.Unavailable, $"{folder} {e.Message}."), e);
        }
    }

    /// <summary>Returns the result as JSON, with the documented names.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ExportVerificationJson.Default.ExportVerification);

    static async Task<ExportVerification?> OfAsync(ExportTarget target, CancellationToken cancellationToken)
    {
        if (await target.ReadManifestAsync(cancellationToken).ConfigureAwait(false) is not { } bytes || ExportManifest.TryParse(bytes.Span) is not { } manifest)
            return null;
        var (damaged, read) = (new List<string>(), 0L);
        foreach (var entry in manifest.Files.Where(entry => entry.Name is not null))
        {
            if (await target.LengthOfAsync(entry.Name!, cancellationToken).ConfigureAwait(false) is not { } length
                || await HashOfAsync(target, entry.Name!, cancellationToken).ConfigureAwait(false) != entry.Sha256)
                damaged.Add(entry.Name!);
            else
                read += length;
        }

        return new ExportVerification
        {
            Kind = manifest.Kind,
            Complete = manifest.Complete,
            Files = manifest.Files.Count(entry => entry.Name is not null),
            Records = manifest.Records,
            Bytes = read,
            Damaged = damaged,
        };
    }

    /// <summary>Returns null for a file that does not exist or cannot be read.</summary>
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

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Serialization, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ExportVerification))]
sealed partial class ExportVerificationJson : JsonSerializerContext;

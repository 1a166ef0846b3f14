namespace MixpanelConnector;

/// <summary>Which object of a bucket is read: when another one stands under its key, the import goes no further with it.</summary>
public sealed record ImportObject
{
    /// <summary>The tag of its content, without quotes; empty where the store gives none.</summary>
    public required string ETag { get; init; }

    /// <summary>Its bytes, as they lie there.</summary>
    public required long Length { get; init; }

    /// <summary>Its version; null in a bucket that keeps none.</summary>
    public string? Version { get; init; }

    /// <summary>Whether both are the same content.</summary>
    internal bool IsSameAs(ImportObject other) => ETag == other.ETag && Length == other.Length;
}

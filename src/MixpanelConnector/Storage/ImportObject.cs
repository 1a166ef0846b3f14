namespace MixpanelConnector;

/// <summary>Identifies the object of a bucket that is read: if another object replaces it under its key, the import does not continue with that.</summary>
public sealed record ImportObject
{
    /// <summary>The ETag of its content, without quotes; empty if the store returns none.</summary>
    public required string ETag { get; init; }

    /// <summary>Its size in bytes, as stored.</summary>
    public required long Length { get; init; }

    /// <summary>Its version; null in a bucket without versioning.</summary>
    public string? Version { get; init; }

    /// <summary>Whether both are the same content.</summary>
    internal bool IsSameAs(ImportObject other) => ETag == other.ETag && Length == other.Length;
}

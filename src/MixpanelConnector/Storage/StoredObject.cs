namespace MixpanelConnector.Storage;

/// <summary>An object at a point in time: later reads must be of the same object.</summary>
/// <param name="Key">Its key in the bucket, literally.</param>
/// <param name="Length">Its size in bytes.</param>
/// <param name="ETag">The ETag of its content, without quotes; empty if the store returns none.</param>
/// <param name="Version">Its version; null in a bucket without versioning.</param>
sealed record StoredObject(string Key, long Length, string ETag, string? Version)
{
    /// <summary>The part of it that a checkpoint stores.</summary>
    public ImportObject Pin => new() { ETag = ETag, Length = Length, Version = Version };
}

/// <summary>A page of the objects of a bucket.</summary>
/// <param name="Objects">The objects, without their versions.</param>
/// <param name="Next">The token to request the next page with; null after the last.</param>
sealed record ObjectPage(IReadOnlyList<StoredObject> Objects, string? Next);

/// <summary>An object's bytes, with the metadata of the answer.</summary>
/// <param name="Content">The bytes, as they arrive.</param>
/// <param name="ETag">The object's ETag; empty if the answer has none.</param>
/// <param name="Offset">The offset of the first byte.</param>
/// <param name="Length">The size of the whole object in bytes; null if the answer does not report it.</param>
sealed record ObjectAnswer(Stream Content, string ETag, long Offset, long? Length);

/// <summary>The precondition for replacing the object under a key.</summary>
/// <param name="ETag">The ETag of the current object; null when there must be none.</param>
sealed record ObjectCondition(string? ETag);

namespace MixpanelConnector.Storage;

/// <summary>An object at a moment: what is read of it later must be of the same.</summary>
/// <param name="Key">Its name in its bucket, as it stands.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="ETag">The tag of its content, without quotes; empty where the store gives none.</param>
/// <param name="Version">Its version; null in a bucket that keeps none.</param>
sealed record StoredObject(string Key, long Length, string ETag, string? Version)
{
    /// <summary>What a checkpoint keeps of it.</summary>
    public ImportObject Pin => new() { ETag = ETag, Length = Length, Version = Version };
}

/// <summary>Some of the objects of a bucket.</summary>
/// <param name="Objects">They, without their versions.</param>
/// <param name="Next">What the next page is asked for with; null after the last.</param>
sealed record ObjectPage(IReadOnlyList<StoredObject> Objects, string? Next);

/// <summary>An object's bytes, and what the answer says they are.</summary>
/// <param name="Content">The bytes, as they come.</param>
/// <param name="ETag">The object's tag; empty where the answer gives none.</param>
/// <param name="Offset">Where the bytes begin.</param>
/// <param name="Length">How many bytes the object has, from its beginning; null where the answer does not say.</param>
sealed record ObjectAnswer(Stream Content, string ETag, long Offset, long? Length);

/// <summary>What must stand under a key for it to be replaced.</summary>
/// <param name="ETag">The object with this tag; null for none.</param>
sealed record ObjectCondition(string? ETag);

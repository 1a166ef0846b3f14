namespace MixpanelConnector.Import.Inspect;

/// <summary>The part at the beginning of an import that is inspected.</summary>
/// <param name="Records">The maximum number of records.</param>
/// <param name="Bytes">The maximum number of bytes of an input, as stored on disk.</param>
sealed record ImportLook(long Records, long Bytes);

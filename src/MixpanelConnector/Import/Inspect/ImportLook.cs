namespace MixpanelConnector.Import.Inspect;

/// <summary>A part of an import: its beginning.</summary>
/// <param name="Records">So many records.</param>
/// <param name="Bytes">Or as many as there are in so many bytes of an input, as they lie on the disk.</param>
sealed record ImportLook(long Records, long Bytes);

using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Inspect;

/// <summary>A part of an import: the beginning of one input.</summary>
/// <param name="Input">The input.</param>
/// <param name="Records">So many of its records.</param>
/// <param name="Bytes">Or as many as there are in so many bytes, as they lie on the disk.</param>
sealed record ImportLook(InputFile Input, long Records, long Bytes);

namespace MixpanelConnector.Import.Decode;

/// <summary>Makes records of single rows, as dead letters keep those that gave none.</summary>
abstract class RowParser
{
    /// <summary>The record that a row gives, good until the next call.</summary>
    /// <param name="row">The row, in the delimiters of its file.</param>
    /// <param name="layout">The columns and the dialect of the file, as its dead letter has them.</param>
    /// <param name="offset">Where it lay.</param>
    /// <param name="line">The line that it began on.</param>
    /// <exception cref="FormatException">The layout is none.</exception>
    public abstract Record Parse(ReadOnlySpan<byte> row, ReadOnlySpan<byte> layout, long offset, long line);
}

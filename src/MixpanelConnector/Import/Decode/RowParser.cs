namespace MixpanelConnector.Import.Decode;

/// <summary>Converts single rows, as stored in dead letters, to records.</summary>
abstract class RowParser
{
    /// <summary>Parses a row to a record, valid until the next call.</summary>
    /// <param name="row">The row, with the delimiters of its file.</param>
    /// <param name="layout">The columns and the dialect of the file, as stored in its dead letter.</param>
    /// <param name="offset">Its offset in the file.</param>
    /// <param name="line">The line on which it began.</param>
    /// <exception cref="FormatException">The layout is invalid.</exception>
    public abstract Record Parse(ReadOnlySpan<byte> row, ReadOnlySpan<byte> layout, long offset, long line);
}

/// <summary>Reads a record again whose dead letter names fields that did not match their columns.</summary>
/// <param name="record">The record of the dead letter.</param>
/// <param name="misfits">The fields.</param>
/// <exception cref="FormatException">They are damaged.</exception>
delegate Record ReadMisfits(scoped in Record record, ReadOnlySpan<byte> misfits);

using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Delimited;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Delimited;

/// <summary>Delimited text, with the names of the columns in the first row.</summary>
/// <param name="name">The name of the format.</param>
/// <param name="delimiter">The cell delimiter; null to detect it.</param>
/// <param name="extensions">The file name extensions.</param>
sealed class DelimitedFormat(string name, byte? delimiter, string[] extensions) : ImportFormat(name)
{
    static readonly string[] AllExtensions = [".csv", ".tsv", ".tab"];

    internal override bool HasColumns => true;

    internal override RowParser NewRowParser(ImportRequest request) => new DelimitedRowParser(request);

    internal override bool Recognizes(in ImportHead head)
    {
        var preamble = new Preamble(head.Request);
        var text = head.Text[preamble.Pass(head.Text, ended: false)..];
        if (text.TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..]) return false;
        var file = head.Name;
        if (Array.Exists(AllExtensions, extension => file.EndsWith(extension, StringComparison.OrdinalIgnoreCase)))
            return Array.Exists(extensions, extension => file.EndsWith(extension, StringComparison.OrdinalIgnoreCase));
        if (head.First == 0 || head.Text.StartsWith("PAR1"u8)) return false;
        if (Dialect.IsSaid(head.Request) || preamble.Delimiter is not null) return delimiter is null;

        var request = head.Request;
        try
        {
            return DelimitedHeader.Read(text, ended: false, delimiter, request) is { Names.Count: > 1 } header
                && (request.Mapping is not null || header.Names.Any(column => RecordFields.IsKnown(column, request)));
        }
        catch (InputException)
        {
            return false;
        }
    }

    internal override async ValueTask<RecordReader> OpenAsync(FormatInput input, CancellationToken cancellationToken)
    {
        var window = input.Window;
        window.Advance(input.Start);
        var preamble = new Preamble(input.Request);
        DelimitedHeader? header = null;
        while (true)
        {
            if (!preamble.IsPassed) window.Advance(preamble.Pass(window.Unread, window.Ended));
            if (preamble.IsPassed && !window.Unread.IsEmpty)
                header = DelimitedHeader.Read(window.Unread, window.Ended, input.Request.Delimiter is { } asked ? (byte)asked : preamble.Delimiter ?? delimiter,
                    input.Request);
            if (header is not null || window.Ended) break;
            await window.FillAsync(cancellationToken).ConfigureAwait(false);
        }

        var columns = header is null ? null : new ColumnMap(header.Names, input.Request, mayLackNames: true);
        if (header is null || columns is null
            || (header.Length > 0 && header.Length == window.Unread.Length && !await window.FillAsync(cancellationToken).ConfigureAwait(false)))
        {
            if (input.Reached is { Offset: > 0 }) throw InputException.Changed("is shorter than when it was imported: only its header row is left");
            return new EmptyReader(window); // a header without rows, or less than that: the file may grow
        }

        window.Advance(header.Length);
        var lines = preamble.Lines + header.Lines;
        Tell(input, header);
        var types = new InferredTypes(columns, input.Request.DecimalSeparator);
        var known = !types.AreNeeded || (input.Reached?.ColumnTypes is { } earlier && types.TryTake(earlier));
        var reader = new DelimitedReader(window, header.Dialect, columns, types, known, input.Request, lines);
        if (input.Reached is not { Offset: > 0 } reached) return reader;

        if (reached.Offset < window.Offset) throw InputException.Changed("has changed: its header row is longer than all that was already imported");
        while (reader.HoldsBack)
        {
            await window.FillAsync(cancellationToken).ConfigureAwait(false);
            reader.Look();
        }

        await window.SkipAsync(reached.Offset, input.Fingerprint, cancellationToken).ConfigureAwait(false);
        return new DelimitedReader(window, header.Dialect, columns, types, known: true, input.Request, reached.Line, reached.OpenLine);
    }

    /// <summary>Reports what was detected, when it differs from what the format's name implies.</summary>
    void Tell(FormatInput input, DelimitedHeader header)
    {
        var (dialect, ends) = (header.Dialect, header.Dialect.EndsWithReturn ? "; its lines end with CR" : "");
        if (string.IsNullOrWhiteSpace(header.Names[0]) && input.Request.ColumnNames.Count == 0)
            input.Request.Diagnostics?.Report(new ImportDiagnostic(input.File.Name, Line: null, "warning",
                $"The first column has no name, like one of row numbers, and is dropped. Use {input.Request.InWords[Setting.ColumnNames]} to name it."));
        if (input.Request is { NoHeader: false, ColumnNames.Count: 0 } && header.Names.Any(IsTime))
            input.Request.Diagnostics?.Report(new ImportDiagnostic(input.File.Name, Line: null, "warning",
                "The first line is read as the names of the columns, but one of them is a time. If it is a record, add "
                + $"{input.Request.InWords[Setting.NoHeader]} and {input.Request.InWords[Setting.ColumnNames]} A,B,C, with a name for each column."));
        if (ends.Length == 0 && (input.Request.Delimiter is not null || dialect.Delimiter == (delimiter ?? (byte)','))) return;
        input.Request.Diagnostics?.Report(new ImportDiagnostic(input.File.Name, Line: null, "warning",
            $"It is read as {Name} with {Dialect.NameOf(dialect.Delimiter)} between cells{ends}."));
    }

    /// <summary>Whether a cell is a time in seconds or milliseconds, or begins with a date, and so is hardly the name of a column.</summary>
    static bool IsTime(string cell) =>
        cell is { Length: 10 or 13 } && cell.All(char.IsAsciiDigit)
            || (cell is [_, _, _, _, '-', _, _, '-', _, _, ..]
                && DateOnly.TryParseExact(cell.AsSpan(0, 10), "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture,
                    System.Globalization.DateTimeStyles.None, out _));
}

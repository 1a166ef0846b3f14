using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Delimited;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Delimited;

/// <summary>Text in rows and columns, with the columns' names in the first row.</summary>
/// <param name="name">What it is called.</param>
/// <param name="delimiter">Between cells; null to find out.</param>
/// <param name="extensions">How its files' names end.</param>
sealed class DelimitedFormat(string name, byte? delimiter, string[] extensions) : ImportFormat(name)
{
    static readonly string[] AllExtensions = [".csv", ".tsv", ".tab"];

    internal override bool HasColumns => true;

    internal override bool Recognizes(in ImportHead head)
    {
        if (head.First is (byte)'{' or (byte)'[') return false;
        var file = head.Name;
        if (Array.Exists(AllExtensions, extension => file.EndsWith(extension, StringComparison.OrdinalIgnoreCase)))
            return Array.Exists(extensions, extension => file.EndsWith(extension, StringComparison.OrdinalIgnoreCase));
        if (head.First == 0 || head.Text.StartsWith("PAR1"u8)) return false;
        if (head.Request.Delimiter is not null) return delimiter is null;

        var request = head.Request;
        try
        {
            return DelimitedHeader.Read(head.Text.TrimStart("\r\n"u8), ended: false, delimiter, request) is { Names.Count: > 1 } header
                && header.Names.Any(column => RecordFields.IsKnown(column, request));
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
        var lines = 0L;
        DelimitedHeader? header;
        while (true)
        {
            lines += PassBlank(window);
            header = window.Unread.IsEmpty ? null : DelimitedHeader.Read(window.Unread, window.Ended, input.Request.Delimiter is { } asked ? (byte)asked : delimiter, input.Request);
            if (header is not null || window.Ended) break;
            await window.FillAsync(cancellationToken).ConfigureAwait(false);
        }

        var columns = header is null ? null : new ColumnMap(header.Names, input.Request);
        if (header is null || columns is null || (header.Length == window.Unread.Length && !await window.FillAsync(cancellationToken).ConfigureAwait(false)))
        {
            if (input.Reached is { Offset: > 0 }) throw new InputException("is shorter than when it was imported: its header row is all that is left. Restore it, or begin again with --restart");
            return new EmptyReader(window); // a header without rows, or not even that: it may grow
        }

        window.Advance(header.Length);
        lines += header.Lines;
        Tell(input, header);
        var types = new InferredTypes(columns);
        var known = !types.AreNeeded || (input.Reached?.ColumnTypes is { } earlier && types.TryTake(earlier));
        var reader = new DelimitedReader(window, header.Dialect, columns, types, known, input.Request, lines);
        if (input.Reached is not { Offset: > 0 } reached) return reader;

        if (reached.Offset < window.Offset) throw new InputException("has changed: its header row is longer than all that was already imported. Restore it, or begin again with --restart");
        while (reader.HoldsBack)
        {
            await window.FillAsync(cancellationToken).ConfigureAwait(false);
            reader.Look();
        }

        await window.SkipAsync(reached.Offset, input.Fingerprint, cancellationToken).ConfigureAwait(false);
        return new DelimitedReader(window, header.Dialect, columns, types, known: true, input.Request, reached.Line, reached.OpenLine);
    }

    /// <summary>Passes by the blank lines before the header, and counts them.</summary>
    static long PassBlank(InputWindow window)
    {
        var blank = window.Unread.IndexOfAnyExcept((byte)'\r', (byte)'\n');
        if (blank < 0) blank = window.Unread.Length - (!window.Ended && window.Unread.EndsWith("\r"u8) ? 1 : 0); // its LF may follow
        var passed = window.Unread[..blank];
        long lines = passed.Count((byte)'\n') + passed.Count((byte)'\r') - passed.Count("\r\n"u8);
        window.Advance(blank);
        return lines;
    }

    /// <summary>Says what was found out, when it is not what the format's name says.</summary>
    void Tell(FormatInput input, DelimitedHeader header)
    {
        var (dialect, ends) = (header.Dialect, header.Dialect.EndsWithReturn ? "; its lines end with CR" : "");
        if (ends.Length == 0 && (input.Request.Delimiter is not null || dialect.Delimiter == (delimiter ?? (byte)','))) return;
        input.Request.Diagnostics?.Report(new ImportDiagnostic(input.File.Name, Line: null, "warning", $"It is read as {Name} with {Dialect.NameOf(dialect.Delimiter)} between cells{ends}."));
    }
}

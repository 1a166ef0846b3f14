using MixpanelConnector.Import.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Readers;

/// <summary>Opens an input: detects its compression and format from the content, and resumes where an earlier run stopped.</summary>
static class RecordReaders
{
    /// <summary>The number of first bytes from which a format is detected.</summary>
    const int LongestHead = 64 << 10;

    /// <param name="input">The input.</param>
    /// <param name="reached">The progress of an earlier run.</param>
    /// <param name="request">The options of the import.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <param name="fromBeginning">Whether what the earlier run has read is read again, and verified in the process.</param>
    /// <exception cref="InputException">The input cannot be read, has an unknown format, or its beginning has changed.</exception>
    public static async ValueTask<RecordReader> OpenAsync(InputFile input, ImportSourceProgress? reached, ImportRequest request,
        CancellationToken cancellationToken, bool fromBeginning = false)
    {
        var (source, compression) = input.IsPlain
            ? (input.Open(), null)
            : await Decompression.OpenAsync(input, request, cancellationToken).ConfigureAwait(false);
        var (text, encoding) = input.IsPlain
            ? (source, null)
            : await TranscodingByteSource.OpenAsync(source, OfText(request), cancellationToken).ConfigureAwait(false);
        var window = new InputWindow(text);
        try
        {
            while (NeedsMore(window.Unread, request) && window.Unread.Length < LongestHead)
                if (!await window.FillAsync(cancellationToken).ConfigureAwait(false)) break;

            var name = compression is null ? input.Name : compression.Without(input.Name);
            var start = !input.IsPlain && window.Unread.StartsWith(InputText.ByteOrderMark) ? InputText.ByteOrderMark.Length : 0;
            var format = request.Replay is null ? FormatOf(new ImportHead(window.Unread[start..], name, request)) : ImportFormat.Ndjson;
            var isSequence = request.Replay is not null && JsonSequenceReader.Begins(window.Unread[start..], isAll: true) == true;
            if (format.IsText && !input.IsPlain) InputText.EnsureText(window.Unread, request.InWords);
            if (encoding is not null && TextEncoding.Find(OfText(request).Encoding ?? "") != encoding)
                request.Diagnostics.Warn(input.Name, $"It is read as {encoding.Name}, according to its byte order mark.");
            if ((request.Columns.Count > 0 || request.ColumnTypes.Count > 0) && request.Replay is null && !format.HasColumns)
            {
                bool? hasProperties;
                while ((hasProperties = FlatRecords.FirstHasProperties(window.Unread[start..], request.Type)) is null && window.Unread.Length < LongestHead)
                    if (!await window.FillAsync(cancellationToken).ConfigureAwait(false)) break;
                if (hasProperties is true)
                    throw new InputException($"has no columns to map or to type: its records ({format.Name}) have properties. "
                        + $"Rename those{(request.Format is null ? ", or name the format" : "")}")
                    {
                        Option = request.Columns.Count > 0 ? "map" : "column_type",
                    };
            }

            var opened = new FormatInput(input, window, start, compression is not null, reached, request);
            if (fromBeginning && reached is not null)
            {
                if (format.IsText) window.Expect(reached.Offset, opened.Fingerprint);
                opened = opened with { Reached = reached with { Offset = 0, Line = 0, OpenLine = false } };
            }

            if (request.Replay is null)
            {
                var reader = await format.OpenAsync(opened, cancellationToken).ConfigureAwait(false);
                reader.Format = format;
                return reader;
            }

            await opened.ResumeAsync(cancellationToken).ConfigureAwait(false);
            var line = opened.Reached?.Line ?? 0;
            return new DeadLetterReader(
                isSequence
                    ? new JsonSequenceReader(window, line)
                    : new NdjsonReader(window, line, opened.Reached?.OpenLine ?? false, DeadLetterReader.LargestLine),
                request.ReplayedOptions ?? "", new MisfitReader(request).Read, TextEncoding.Find(request.Encoding ?? ""),
                request.Formats.Select(known => known.NewRowParser(request)).FirstOrDefault(rows => rows is not null));
        }
        catch
        {
            window.Dispose();
            throw;
        }
    }

    /// <summary>The request for decoding the input itself: dead letters are UTF-8, regardless of the encoding of the records in them.</summary>
    public static ImportRequest OfText(ImportRequest request) => request.Replay is null ? request : request with { Encoding = null };

    static ImportFormat FormatOf(in ImportHead head)
    {
        if (head.Request.Format is { } named) return head.Request.Formats.First(format => format.Name == named);
        foreach (var format in head.Request.Formats)
            if (format.Recognizes(in head)) return format;
        return ImportFormat.Ndjson;
    }

    /// <summary>Whether more bytes are needed. Most formats are recognized by the first line; JSON, by its first character.</summary>
    static bool NeedsMore(ReadOnlySpan<byte> head, ImportRequest request)
    {
        if (head.Length < 4) return true;
        var text = head.StartsWith(InputText.ByteOrderMark) ? head[InputText.ByteOrderMark.Length..] : head;
        text = text.TrimStart(" \t\r\n"u8);
        if (text is [(byte)'{', ..]) return JsonSequenceReader.Begins(text) is null || JsonEnvelopeReader.Begins(text, request) is null;
        return text is [] || (text[0] is not (byte)'[' && text[..^1].IndexOfAny((byte)'\r', (byte)'\n') < 0 && text[^1] != '\n');
    }
}

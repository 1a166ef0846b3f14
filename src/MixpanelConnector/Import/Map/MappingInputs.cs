using System.IO.Enumeration;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Map;

/// <summary>The files next to the records of an export: ignored files, files that name the columns, and lookup files.</summary>
/// <param name="Request">The import, with the columns that another file names.</param>
/// <param name="Inputs">Its inputs, without those that contain no records.</param>
/// <param name="Lookups">The lookups read from the others.</param>
sealed record MappingInputs(ImportRequest Request, List<InputFile> Inputs, MappingLookups Lookups)
{
    /// <summary>The maximum length of a line that names columns.</summary>
    const int LongestHeader = 1 << 20;

    /// <summary>Reads the files next to the records.</summary>
    /// <param name="request">The import.</param>
    /// <param name="inputs">All its inputs.</param>
    /// <param name="warn">Receives the name of a file that is skipped, and why.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="MixpanelException">A file cannot be read, or is too large.</exception>
    public static async ValueTask<MappingInputs> ReadAsync(ImportRequest request, List<InputFile> inputs, Action<string, string> warn,
        CancellationToken cancellationToken)
    {
        if (request.Mapping is not { } mapping || request.Replay is not null) return new(request, inputs, MappingLookups.None);
        var tables = mapping.Tables is { } rules ? new ExportTables(rules) : null;
        var records = tables is null ? inputs : await tables.WithoutManifestsAsync(inputs, request, cancellationToken).ConfigureAwait(false);
        if (mapping.Ignored.Count > 0 && records.Exists(IsIgnored))
        {
            foreach (var ignored in records.Where(IsIgnored))
                warn(ignored.Name, $"It accompanies the records in an export of {mapping.Name}, and is not read.");
            records = records.FindAll(input => !IsIgnored(input));
        }

        if (tables is not null) records = records.ConvertAll(input => input with { Table = tables.TableOf(input) });
        records = records.ConvertAll(input => input.CanBeReadTwice ? input : input with { LacksLookups = true });
        var lookups = await MappingLookups.ReadAsync(request, records, warn, cancellationToken).ConfigureAwait(false);
        records = records.FindAll(input => !mapping.Lookups.Values.SelectMany(rule => rule.Chain).Any(rule => rule.HoldsNoRecords && rule.IsOf(input)));
        if (mapping.Rows?.ColumnsFrom is not { } headerName) return new(request, records, lookups);
        var headers = records.FindAll(input => RecordMapper.NameOf(input.Name) == headerName
            || RecordMapper.NameOf(input.Name).EndsWith($"-{headerName}", StringComparison.Ordinal));
        records = records.FindAll(input => !headers.Contains(input));
        if (headers.Count == 0 || request.ColumnNames.Count > 0) return new(request, records, lookups);
        List<string>? names = null;
        foreach (var header in headers)
        {
            var columns = await HeaderAsync(header, request, cancellationToken).ConfigureAwait(false);
            if (names is not null && !names.SequenceEqual(columns, StringComparer.Ordinal))
                throw MixpanelException.Invalid("input",
                    $"{header.Name} names other columns than {headers[0].Name}: import the feeds of each in a separate run. Nothing was sent.");
            names = columns;
        }

        return new(request with { NoHeader = true, ColumnNames = names!, ColumnsFrom = headers[0].Name }, records, lookups);

        bool IsIgnored(InputFile input) =>
            mapping.Ignored.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, Path.GetFileName(input.Name), ignoreCase: true));
    }

    static async ValueTask<List<string>> HeaderAsync(InputFile header, ImportRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var (source, _) = await Decompression.OpenAsync(header, request, cancellationToken).ConfigureAwait(false);
            using var window = new Decode.InputWindow(source);
            while (window.Unread.IndexOf((byte)'\n') < 0 && window.Unread.Length < LongestHeader)
                if (!await window.FillAsync(cancellationToken).ConfigureAwait(false)) break;
            var line = System.Text.Encoding.UTF8.GetString(window.Unread).Split('\n')[0].TrimEnd('\r');
            return [.. line.Split('\t')];
        }
        catch (InputException e)
        {
            throw MixpanelException.Invalid("input", $"{header.Name}, which names the columns, {e.Message}. Nothing was sent.");
        }
    }
}

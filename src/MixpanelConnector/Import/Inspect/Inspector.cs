using System.Collections.Frozen;
using MixpanelConnector.Import.Columns;
using MixpanelConnector.Import.Ending;
using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Readers;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.State;

namespace MixpanelConnector.Import.Inspect;

/// <summary>
/// Inspects the first records of an input: lists its columns, does a dry run to find what would be rejected, and tries options until a
/// dry run accepts more. Every proposal has been tried on the input itself.
/// </summary>
/// <param name="request">The import.</param>
/// <param name="run">Runs an import.</param>
sealed class Inspector(ImportRequest request, Func<ImportRequest, IImportState, CancellationToken, Task<ImportReport>> run)
{
    const int MostRecords = FirstRefusals.Enough;
    const long MostBytes = 64 << 20;
    const int HeadLength = 64 << 10;

    /// <summary>Inspects each input in turn, until one has records.</summary>
    /// <exception cref="MixpanelException">An input does not exist, or an option or a setting is invalid.</exception>
    public async Task<ImportInspection> LookAsync(CancellationToken cancellationToken)
    {
        using var none = new DryRunState(keepsDeadLetters: false);
        var inputs = InputList.Find(request, new ExcludedFiles(request, none), request.Diagnostics.Warn);
        inputs = await InputList.UnpackedAsync(inputs, request, cancellationToken).ConfigureAwait(false);
        ImportInspection? empty = null;
        foreach (var input in inputs)
        {
            using var repeatable = !input.CanBeOpenedAgain ? new RepeatableInput(input, long.MaxValue) : null;
            var inspection = await LookAsync(repeatable?.Input ?? input, inputs.Count, cancellationToken).ConfigureAwait(false);
            if (inspection.Records > 0 || inspection.Problem is not null) return inspection;
            empty ??= inspection;
        }

        empty ??= new ImportInspection
        {
            Source = string.Join(", ", request.Inputs),
            Inputs = 0,
            Records = 0,
            Refused = 0,
            Columns = [],
            Outcome = RunOutcome.Complete,
        };
        return request.AllowEmpty ? empty : empty with { Problem = ImportReports.Empty(request), Outcome = RunOutcome.Damaged };
    }

    /// <summary>Inspects one input, which is opened several times.</summary>
    /// <param name="input">The input.</param>
    /// <param name="inputs">The number of inputs.</param>
    /// <param name="cancellationToken">Stops the inspection.</param>
    public async Task<ImportInspection> LookAsync(InputFile input, int inputs, CancellationToken cancellationToken)
    {
        var inspection = new ImportInspection { Source = input.Name, Inputs = inputs, Records = 0, Refused = 0, Columns = [], Outcome = RunOutcome.Complete };
        var asked = request;
        var survey = new ColumnSurvey(request);
        try
        {
            (var compression, var encoding, var head) = await HeadAsync(input, cancellationToken).ConfigureAwait(false);
            inspection = inspection with { Compression = compression?.Name };
            var (format, delimiter) = await SurveyAsync(input, asked, survey, cancellationToken).ConfigureAwait(false);
            if (survey.Columns.Count == 0 && MayBeRows(format))
            {
                var rows = new ColumnSurvey(request);
                var named = request with { Format = "csv" };
                if (await AreRowsAsync(input, named, rows, cancellationToken).ConfigureAwait(false)) (survey, asked) = (rows, named);
            }

            var isText = format?.IsText == true;
            inspection = inspection with
            {
                Format = format?.Name,
                Delimiter = delimiter,
                LineEnds = isText ? LineEndsOf(head) : null,
                Encoding = isText ? encoding?.Name ?? EncodingOf(head) : null,
                Columns = [.. survey.Columns.Select(column => column.ToColumn())],
            };
        }
        catch (InputException e)
        {
            return inspection with { Problem = $"{input.Name} {e.Message}.", Outcome = e.Outcome };
        }

        WarnOfExtendedJson(survey, input);
        var given = await TryAsync(request, input, cancellationToken).ConfigureAwait(false);
        var isUnreadable = IsUnreadable(given);
        inspection = inspection with
        {
            Records = given.Accepted + given.Rejected,
            Refused = given.Rejected,
            Reasons = given.Reasons,
            Problem = isUnreadable ? given.Problems[0] : null,
            Outcome = isUnreadable ? given.Outcome : RunOutcome.Complete,
        };
        return given.Rejected == 0
            ? inspection
            : inspection with { Proposal = await ProposeAsync(input, asked, given, survey, cancellationToken).ConfigureAwait(false) };
    }

    /// <summary>Warns of properties that would be imported as objects, although each stands for a plain value.</summary>
    void WarnOfExtendedJson(ColumnSurvey survey, InputFile input)
    {
        string[] fields = ["time", "distinct_id", "$distinct_id", "$group_id", "$user_id", "$device_id", "$insert_id"]; // a fix converts these
        var columns = survey.Columns.Where(column => column.IsExtended && !fields.Contains(column.Name, StringComparer.Ordinal)
            && !request.ColumnTypes.ContainsKey(column.Name) && !request.Columns.Values.Contains(column.Name, StringComparer.Ordinal)
            && !request.Drop.Contains(column.Name, StringComparer.Ordinal)).ToList();
        if (columns is not [var first, ..]) return;
        var others = columns.Count == 1 ? "" : $" and {Counted.Of(columns.Count - 1, "other column", "other columns")}";
        var type = first.IsOneOf(SurveyedColumn.Time) ? SurveyedColumn.Time
            : first.IsOneOf(SurveyedColumn.Number) ? SurveyedColumn.Number
            : SurveyedColumn.Text;
        var way = first.IsProperty ? "write plain values instead, for example with jq"
            : columns.Count == 1 ? $"{request.InWords[Setting.ColumnTypes.With($"{RecordFields.Shown(first.Name)}={type}")]} converts them"
            : $"{request.InWords[Setting.ColumnTypes]}, such as '{RecordFields.Shown(first.Name)}={type}', converts them";
        request.Diagnostics.Warn(input.Name,
            $"{RecordFields.Shown(first.Name)}{others} {(columns.Count == 1 ? "has" : "have")} values in MongoDB's extended JSON, "
            + $"which are imported as objects: {way}.");
    }

    /// <summary>Does a dry run over the first records of an input.</summary>
    async Task<ImportReport> TryAsync(ImportRequest options, InputFile input, CancellationToken cancellationToken)
    {
        using var state = new DryRunState(keepsDeadLetters: false);
        var trial = options with
        {
            Found = [input],
            Look = new ImportLook(MostRecords, MostBytes),
            DryRun = true,
            StopWhenRefusedAlike = false,
            AllowEmpty = true,
            Restart = false,
            NewIds = false,
            DeadLetterPath = null,
            OtherOutputs = [],
            Diagnostics = null,
            Progress = null,
        };
        return await run(trial, state, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finds additional options with which more records are accepted, or fewer problems remain; null when there are none.</summary>
    async Task<ImportProposal?> ProposeAsync(InputFile input, ImportRequest asked, ImportReport given, ColumnSurvey survey, CancellationToken cancellationToken)
    {
        var (best, report) = (request, given);
        if (given.Accepted == 0 && request is { GivenType: null, Mapping: null, Replay: null } && survey.Columns.Any(column => column.Name == "$distinct_id"))
        {
            var profiles = await TryAsync(request with { Type = ImportType.Profiles }, input, cancellationToken).ConfigureAwait(false);
            if (!IsUnreadable(profiles) && profiles.Accepted > 0)
                return new ImportProposal
                {
                    Type = "profiles",
                    Map = FrozenDictionary<string, string>.Empty,
                    Rename = FrozenDictionary<string, string>.Empty,
                    Fix = [],
                    Accepted = profiles.Accepted,
                    Reasons = profiles.Reasons,
                };
        }

        var named = Named(asked, given, survey, input);
        if (named is not null) await TakeBetterAsync(named).ConfigureAwait(false);
        foreach (var (fix, code) in Repairs())
        {
            if (!best.Fix.HasFlag(fix) && HasReason(report, code)) await TakeBetterAsync(best with { Fix = best.Fix | fix }).ConfigureAwait(false);
        }

        var namesColumns = best.Columns.Count + best.Rename.Count > request.Columns.Count + request.Rename.Count;
        if (best == request || (report.Accepted <= given.Accepted && !namesColumns)) return null;
        return new ImportProposal
        {
            Format = best.Format == request.Format ? null : best.Format,
            Map = Added(request.Columns, best.Columns),
            Rename = Added(request.Rename, best.Rename),
            Event = best.Event == request.Event ? null : best.Event,
            Fix = [.. ImportFixNames.Of(best.Fix & ~request.Fix)],
            Accepted = report.Accepted,
            Reasons = report.Reasons,
            Note = IsNobodys(best, survey)
                ? $"No column looks like a user id, so {request.InWords[Setting.FixIds]} assigns the events to no user. If one is, add "
                    + $"{request.InWords[Setting.Columns.With("distinct_id=COLUMN")]}, or {request.InWords[Setting.Rename.With("PROPERTY=distinct_id")]} if it is a property."
                : null,
        };

        async Task TakeBetterAsync(ImportRequest options)
        {
            var other = await TryAsync(options, input, cancellationToken).ConfigureAwait(false);
            if (IsUnreadable(other) || IsNoBetter(report, other)) return;
            (best, report) = (options, other);
        }
    }

    /// <summary>Whether a trial could not read the input, or its options did not match the input.</summary>
    static bool IsUnreadable(ImportReport trial) => trial.Outcome is RunOutcome.Invalid or RunOutcome.Damaged or RunOutcome.DiskFailed;

    /// <summary>Whether events get an empty id because they have none.</summary>
    bool IsNobodys(ImportRequest options, ColumnSurvey survey) =>
        request.Type is ImportType.Events && options.Fix.HasFlag(ImportFixes.Ids) && !request.Fix.HasFlag(ImportFixes.Ids)
        && !options.Columns.ContainsKey("distinct_id") && !options.Rename.Values.Contains("distinct_id", StringComparer.Ordinal)
        && !survey.Columns.Any(column => Holds(column, "distinct_id"));

    /// <summary>
    /// The repairs that may help, with the rejection code that calls for them. One
    /// problem may hide another, since a record is rejected for the first one found.
    /// </summary>
    IEnumerable<(ImportFixes Fix, string Code)> Repairs() => request.Type is ImportType.Events
        ?
        [
            (ImportFixes.Time, "time_invalid"),
            (ImportFixes.Time, "time_in_future"),
            (ImportFixes.Ids, "distinct_id_invalid"),
            (ImportFixes.Ids, "distinct_id_missing"),
            (ImportFixes.InsertIds, "insert_id_invalid"),
            (ImportFixes.InsertIds, "insert_id_banned"),
            (ImportFixes.Time, "time_invalid"),
            (ImportFixes.Time, "time_in_future"),
        ]
        : [(ImportFixes.Ids, "distinct_id_invalid"), (ImportFixes.Ids, "group_id_invalid")];

    /// <summary>Whether a trial has accepted no more records, and has not overcome a problem of the previous one.</summary>
    static bool IsNoBetter(ImportReport before, ImportReport after) =>
        after.Accepted <= before.Accepted
        && (after.Accepted < before.Accepted || before.Reasons is not { } reasons
            || reasons.All(reason => (after.Reasons?.FirstOrDefault(other => other.Code == reason.Code)?.Count ?? 0) >= reason.Count));

    static bool HasReason(ImportReport report, string code) => report.Reasons?.Any(reason => reason.Code == code) == true;

    static Dictionary<string, string> Added(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after) =>
        after.Where(pair => !before.ContainsKey(pair.Key)).ToDictionary(StringComparer.Ordinal);

    /// <summary>The same import with the columns that probably hold what is missing; null when nothing is missing, or there are none.</summary>
    ImportRequest? Named(ImportRequest asked, ImportReport given, ColumnSurvey survey, InputFile input)
    {
        var columns = survey.Columns.Where(column => column.IsProperty == survey.HasProperties).ToList();
        var map = new Dictionary<string, string>(request.Columns, StringComparer.Ordinal);
        var rename = new Dictionary<string, string>(request.Rename, StringComparer.Ordinal);
        var constant = request.Event;
        if (asked == request && !NearNames.Needed(request.Type).Any(needed => HasReason(given, needed.Code)) && !HasReason(given, "unknown_key")
            && !HasReason(given, "properties_missing"))
            return null;
        foreach (var (field, _) in NearNames.Needed(request.Type))
        {
            if (map.ContainsKey(field) || rename.ContainsValue(field) || columns.Exists(column => Holds(column, field))) continue;
            var free = columns.Where(column => !map.ContainsValue(column.Name) && !rename.ContainsKey(column.Name)
                && !request.Drop.Contains(column.Name, StringComparer.Ordinal)).ToList();
            if (survey.HasProperties && field is "event" or "group_id") continue; // it is not a property
            if (NearNames.Find(field, free, request) is not { } column)
            {
                if (field == "event" && constant is null) constant = NameOf(input);
            }
            else if (survey.HasProperties)
            {
                if (!column.Name.Contains('=', StringComparison.Ordinal)) rename.Add(column.Name, field); // no option can express it
            }
            else
            {
                map.Add(field, column.Name);
            }
        }

        var named = asked with { Columns = map, Rename = rename, Event = constant };
        return map.Count == request.Columns.Count && rename.Count == request.Rename.Count && constant == request.Event && asked == request ? null : named;
    }

    /// <summary>Whether a column supplies a field without any option.</summary>
    bool Holds(SurveyedColumn column, string field) =>
        column.Name == field
        || (column.Name == RecordFields.Root(request.Type).Field && field == RecordFields.Root(request.Type).Plain)
        || (field == "distinct_id" && request.Type is ImportType.Events && column.Name is "$user_id" or "$device_id");

    /// <summary>The name for events that have none: that of their file.</summary>
    static string NameOf(InputFile input)
    {
        var file = input.Place is null ? "" : Path.GetFileName(input.Name);
        var name = file.IndexOf('.', StringComparison.Ordinal) is var dot and >= 0 ? file[..dot] : file;
        return string.IsNullOrWhiteSpace(name) || name[0] == '$' ? "Event" : name;
    }

    /// <summary>Lists the columns under their own names, regardless of the options for them.</summary>
    static async Task<(ImportFormat? Format, string? Delimiter)> SurveyAsync(InputFile input, ImportRequest asked, ColumnSurvey survey,
        CancellationToken cancellationToken)
    {
        var plain = asked with
        {
            NamedColumns = [.. asked.NamedColumns],
            Columns = Empty<string>(),
            ColumnTypes = Empty<ImportColumnType>(),
            Event = null,
            Drop = [],
            Rename = Empty<string>(),
            Fix = ImportFixes.None,
            Diagnostics = null,
            Look = new ImportLook(MostRecords, MostBytes),
        };
        using var reader = await RecordReaders.OpenAsync(input, reached: null, plain, cancellationToken).ConfigureAwait(false);
        if (reader.Columns is { } columns) survey.Add(columns);
        var left = MostRecords;
        try
        {
            do left = Add(reader, survey, left);
            while (left > 0 && reader.RawPosition <= MostBytes && await reader.FillAsync(cancellationToken).ConfigureAwait(false));
            if (left > 0) Add(reader, survey, left);
        }
        catch (InputException)
        {
            // Inspect what was read; the dry run reports the problem.
        }

        return (reader.Format, reader.Delimiter);
    }

    static int Add(Decode.RecordReader reader, ColumnSurvey survey, int left)
    {
        for (; left > 0 && reader.TryRead(out var record); left--) survey.Add(in record);
        return left;
    }

    static Dictionary<string, T> Empty<T>() => new(StringComparer.Ordinal);

    /// <summary>Whether text without JSON records was taken for NDJSON because no other format matched.</summary>
    bool MayBeRows(ImportFormat? format) => format == ImportFormat.Ndjson && request.Format is null && request.Formats.Any(other => other.Name == "csv");

    static async Task<bool> AreRowsAsync(InputFile input, ImportRequest named, ColumnSurvey rows, CancellationToken cancellationToken)
    {
        try
        {
            await SurveyAsync(input, named, rows, cancellationToken).ConfigureAwait(false);
            return rows.Columns.Count > 1;
        }
        catch (InputException)
        {
            return false;
        }
    }

    async Task<(ImportCompression? Compression, TextEncoding? Encoding, byte[] Head)> HeadAsync(InputFile input, CancellationToken cancellationToken)
    {
        var (decompressed, compression) = await Decompression.OpenAsync(input, request, cancellationToken).ConfigureAwait(false);
        var (source, encoding) = await TranscodingByteSource.OpenAsync(decompressed, request, cancellationToken).ConfigureAwait(false);
        using (source)
        {
            var head = new byte[HeadLength];
            var length = 0;
            while (length < head.Length && await source.ReadAsync(head.AsMemory(length), cancellationToken).ConfigureAwait(false) is var read and > 0)
                length += read;
            return (compression, encoding, head[..length]);
        }
    }

    static string? LineEndsOf(ReadOnlySpan<byte> head)
    {
        var pairs = head.Count("\r\n"u8);
        var (feeds, returns) = (head.Count((byte)'\n') - pairs, head.Count((byte)'\r') - pairs);
        if (pairs + feeds + returns == 0) return null;
        return feeds >= pairs && feeds > 0 ? "LF" : pairs >= returns ? "CR LF" : "CR";
    }

    static string EncodingOf(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith(InputText.ByteOrderMark)) return "UTF-8 with a byte order mark";
        return InputText.IsUtf8(head) ? "UTF-8" : "not UTF-8";
    }
}

using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using MixpanelConnector.Formats;
using MixpanelConnector.ObjectStorage;
using MixpanelConnector.Sqlite;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The bulk import: files, folders or a stream, with a durable checkpoint and a report.</summary>
sealed class ImportCommand
{
    /// <summary>The maximum number of listed columns: if the inspection was requested, and if it accompanies an error.</summary>
    const int MostColumns = 500, MostColumnsAside = 40;

    static readonly ImportValues Values = new("--");

    readonly Argument<string[]> _inputs = new("INPUT")
    {
        Description = "Files, globs, folders, object storage URLs (s3://, gs://, az://), or - for standard input: NDJSON, a JSON array, CSV or TSV, plain, "
            + "gzip or zstd; Parquet or Avro, detected from the content; or archives of such files (.zip, .tar, .tgz, .tar.gz, .tar.zst).",
        Arity = ArgumentArity.ZeroOrMore,
    };
    readonly Option<string> _format = new("--format")
    {
        Description = "The format of all inputs. Default: detected from content and name.",
        HelpName = string.Join('|', FileFormats.All),
    };
    readonly Option<string[]> _columnType = new("--column-type")
    {
        Description = "The type of a column, such as sku=text; repeatable. Default: for CSV and TSV inferred from the first 1000 rows.",
        HelpName = $"COLUMN={string.Join('|', ImportValues.ColumnTypeNames)}",
        Arity = ArgumentArity.OneOrMore,
    };
    readonly Option<string> _event = new("--event") { Description = "The event name, if no column contains it.", HelpName = "NAME" };
    readonly Option<string> _encoding = new("--encoding")
    {
        Description = "The text encoding, such as windows-1252, latin1, iso-8859-2, shift_jis or utf-16le. Default: UTF-8, "
            + "or UTF-16 if there is a byte order mark.",
        HelpName = "LABEL",
    };
    readonly Option<string> _delimiter = new("--delimiter")
    {
        Description = "The CSV delimiter: one character, or tab. Default: comma, semicolon, tab or vertical bar, detected from the header.",
        HelpName = "CHARACTER",
    };
    readonly Option<string> _quote = new("--quote") { Description = "The CSV quote character, or none. Default: \".", HelpName = "CHARACTER|none" };
    readonly Option<string> _escape = new("--escape")
    {
        Description = "The CSV escape character before a delimiter, a quote or a line break. \\ is also read as by MySQL and PostgreSQL: \\n, \\t, "
            + "and \\N for null. Default: none; quotes are doubled.",
        HelpName = "CHARACTER",
    };
    readonly Option<string> _skipLines = new("--skip-lines") { Description = "The number of CSV lines to skip before the header.", HelpName = "N" };
    readonly Option<bool> _noHeader = new("--no-header") { Description = "CSV has no header row; --column-names specifies the columns." };
    readonly Option<string> _columnNames = new("--column-names")
    {
        Description = "The names of all CSV columns, comma-separated, instead of those in the header.",
        HelpName = "A,B,…",
    };
    readonly Option<string> _decimal = new("--decimal")
    {
        Description = "The decimal separator of numbers in text, . or ,. Default: the point. Thousands separators are not supported.",
        HelpName = ".|,",
    };
    readonly Option<string[]> _nullValues = new("--null-values")
    {
        Description = "A CSV cell that counts as empty, such as NULL, compared literally: \"NULL\" in quotes is text. Repeatable.",
        HelpName = "TEXT",
        Arity = ArgumentArity.OneOrMore,
    };
    readonly NumberOption<int?> _showMapping = new("--show-mapping", 1, ImportValues.MostShown)
    {
        Description = $"Print the first N records before and after the mapping, at most {ImportValues.MostShown}. Sends nothing, needs no credentials, "
            + $"saves no state.",
        HelpName = "N",
    };
    readonly Option<bool> _allowEmpty = new("--allow-empty") { Description = "Treat an input without records as success." };
    readonly Option<string> _type = new("--type")
    {
        Description = "The kind of records: events, profiles, groups or lookup-table. Default: events.",
        HelpName = "events|profiles|groups|lookup-table",
        DefaultValueFactory = _ => "events",
    };
    readonly Option<string> _tableId = new("--table-id")
    {
        Description = "The id of the lookup table to replace. Required for a lookup table.",
        HelpName = "ID",
    };
    readonly Option<string> _state = new("--state")
    {
        Description = "The checkpoint folder. Default: one in the user's state folder, by input and project; running the same command again resumes.",
        HelpName = "DIR",
    };
    readonly Option<bool> _restart = new("--restart")
    {
        Description = "Discard the checkpoint, and send everything again. Required if an option that affects the records has changed, "
            + "or the input was corrected: unchanged events keep their ids, and count once. Refused if accepted events would get a different event, time, "
                + "distinct_id or $insert_id.",
    };
    readonly Option<bool> _newIds = new("--new-ids")
    {
        Description = "With --restart: send events even if some that were accepted get a different event, time, distinct_id or $insert_id, and count again.",
    };
    readonly Option<string> _deadLetter = new("--dead-letter")
    {
        Description = "The file for every record that was not accepted; a file with other content is kept as FILE.1. Default: "
            + "dead-letters.ndjson in the checkpoint folder.",
        HelpName = "FILE",
    };
    readonly Option<string> _replay = new("--replay")
    {
        Description = "Import the records in a dead-letter file, with the same ids and the options of their import.",
        HelpName = "FILE",
    };
    readonly Option<string> _report = ReportFile.NewOption();
    readonly Option<string> _timeFormat = new("--time-format")
    {
        Description = "The strftime format of times given as text, such as '%d.%m.%Y %H:%M:%S'; times in other formats are rejected. "
            + "The time of events becomes an integer. Default: ISO 8601.",
        HelpName = "FORMAT",
    };
    readonly Option<string> _timeZone = new("--time-zone")
    {
        Description = "The time zone of times given as text without one, such as Europe/Berlin. The time of events becomes an integer. Default: UTC.",
        HelpName = "NAME",
    };
    readonly Option<bool> _dryRun = new("--dry-run")
    {
        Description = "Do everything except sending: report what Mixpanel would reject. Needs no credentials, saves no state.",
    };
    readonly Option<bool> _inspect = new("--inspect")
    {
        Description = "Inspect only the first 1000 records: format, columns with samples, what would be rejected, and options that would help. "
            + "Needs no credentials, sends nothing, saves no state.",
    };
    readonly Option<bool> _keepGoing = new("--keep-going")
    {
        Description = "Continue even if the first 1000 records, or all of fewer, are rejected for the same reason.",
    };
    readonly Option<string> _sourceId = new("--source-id")
    {
        Description = "An id for a stream on standard input, so that it can be resumed by piping in the same stream from its beginning. Without one, "
            + "it is sent again from there.",
        HelpName = "ID",
    };
    readonly Option<bool> _noProgress = TransferOptions.NoProgress();

    readonly RecordOptions _records;
    readonly HostEnvironment _host;
    readonly Stop _stop;

    ImportCommand(HostEnvironment host, Stop stop)
    {
        _host = host;
        _records = new RecordOptions(host);
        _stop = stop;
        _format.AcceptOnlyFromAmong([.. FileFormats.All.Select(format => format.Name)]);
        _type.AcceptOnlyFromAmong([.. ImportValues.Types]);
        Command = new DetailedCommand("import",
            "Import files of events, of profiles of users or groups, or a lookup table, so that every record is accounted for.", """
            Each record that is not accepted is stored completely in the dead-letter file; the first 50 are listed on standard error
            (file:line: code: reason), and the report counts all by reason. read = accepted + rejected + pending + blank, always;
            if records are mapped, + left_out, which is counted by reason.

            If the first 1000 records are all rejected for the same reason, nothing is sent: the columns are shown with samples, and the
            command that would work, which --inspect shows at any time. This also applies to fewer records if columns have unknown names.

            Exit codes: 0 all accepted; 2 usage or configuration, or all rejected for the same reason: nothing sent; 3 finished, some
            records dead-lettered; 4 credentials or permission refused; 5 Mixpanel unavailable; 6 input unreadable, corrupt or cut short;
            7 the disk failed; 8 another import holds the state; 9 the audit failed; 130, 143 stopped. After 4 to 7, 130 and 143 the same
            command resumes; a stream on standard input only with --source-id or --state.

            When a stream pauses, as with tail -f, its records are sent and its checkpoint is saved after a second. Parquet from standard
            input, or compressed as a whole, is first written to a temporary file (TMPDIR). A dry run writes no dead letters unless
            --dead-letter specifies a file. A time given as text, as in most CSV files, is rejected unless --fix time converts it.

            Records are cleaned only by options, in this order: --drop, --rename, --fix, --time-offset; then they are validated. Only
            properties are changed (for profiles: those in an update, such as in $set), nothing else in a record. The report counts the
            changed records under fixed. Dead letters contain the record as it was read, as an object under raw if it was JSON, and these
            options, --map, --column-type and --event: --replay reads them from there.

            CSV may be delimited by commas, semicolons, tabs or vertical bars, detected from its header or a first line sep=;, or set by
            options; lines end with LF, CR LF or CR. A first column without a name contains row numbers, and is ignored. Bytes that are
            invalid in the encoding stop the import there with 6. A column has one type: number, boolean or text, inferred from its first
            1000 rows (12E5 and 007 are text), or set by --column-type; a later value of another type is rejected. A column called
            properties contains the properties as JSON objects. A JSON record without properties is treated as a row, too: its members
            are columns; for a profile or a group, they are set.

            A time of twelve digits, which may be a date, is rejected; so is a time that does not exist in --time-zone, because clocks
            were set forward; for one that exists twice, the earlier is used. JSON may be paged: objects with a list data, events or results.

            s3://bucket/key, gs://bucket/key and az://account/container/key are objects, prefixes or globs; credentials are taken from the
            environment by each vendor's own rules, never from options: see docs/object-storage.md. The versions listed at the start are
            read: an object that has changed since then stops the import with 6.

            An input without records stops the import with 6, unless --allow-empty is set.

            A lookup table is one CSV file of at most 100 MB, plain or gzip, whose first row contains the column names and whose first
            column contains unique keys. It is sent as a whole, and either replaces the table or leaves it unchanged: if any row is
            rejected, that row is in the dead-letter file (all are, if Mixpanel identifies none), and all others stay pending until the
            corrected file is imported by the same command. Its delimiter is the comma; with --delimiter, another one is converted to
            commas. Rows are counted without the first. A table that was accepted is sent again only if the file has changed.

            Examples:
              mixpanel import events.ndjson --local
              mixpanel import orders.csv --inspect
              mixpanel import 'exports/2025-*.ndjson.gz' --report report.json
              zcat old.gz | mixpanel import - --source-id old
              tail -n +1 -F live.ndjson | mixpanel import - --source-id live
              mixpanel import orders.csv.zst --map event=action --map time=created_at --map distinct_id=customer
              mixpanel import sales.csv --encoding windows-1252 --decimal , --time-format '%d.%m.%Y %H:%M' --time-zone Europe/Berlin
              mixpanel import people.json --type profiles
              mixpanel import companies.json --type groups --group-key company
              mixpanel import products.csv --type lookup-table --table-id 7b6c1f0e-0b5b-4c5e-9a39-3e4f0c6f2a11
              mixpanel import export.zip --vendor amplitude --show-mapping 5
              mixpanel import segment-logs --vendor segment --type profiles
              mixpanel import 's3://exports/2026/**/*.parquet'
              mixpanel import old.ndjson --rename user=distinct_id --drop debug --fix time,nulls --time-offset -2
            """)
        {
            _inputs, _format, _records.Map, _columnType, _event, _encoding, _delimiter, _quote, _escape, _skipLines, _noHeader, _columnNames, _decimal,
            _nullValues, _records.Vendor, _records.Mapping, _showMapping, _records.Identity, _allowEmpty, _type, _records.GroupKey, _tableId, _records.Strict,
            _records.Properties, _state, _restart, _newIds, _deadLetter, _replay, _report, _records.Senders, _records.BatchEvents, _records.BatchBytes,
            _records.BackoffMin, _records.BackoffMax, _records.MaxOutage, _records.Fix, _records.Rename, _records.Drop, _timeFormat, _timeZone,
            _records.TimeOffset, _dryRun, _inspect, _keepGoing, _sourceId, _noProgress, ImportStatusCommand.Of(host),
        };
        Command.SetAction((parsed, cancellationToken) => RunAsync(parsed, cancellationToken));
    }

    Command Command { get; }

    public static Command Of(HostEnvironment host, Stop stop) => new ImportCommand(host, stop).Command;

    async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var dryRun = parsed.GetValue(_dryRun);
        var shown = parsed.GetValue(_showMapping);
        var inspect = parsed.GetValue(_inspect) || shown is not null;
        await using var session = await Session.OpenAsync(parsed, _host, needsCredential: !dryRun && !inspect, cancellationToken);
        using var display = new ImportDisplay(_host, showProgress: !parsed.GetValue(_noProgress));
        var store = session.Local is { } local && !dryRun && !inspect ? await local.StoreNameAsync(cancellationToken) : null;
        var request = Request(parsed) with { Diagnostics = display, Progress = display.ShowsProgress ? display : null, LocalStore = store };
        using var client = session.NewClient(_records.Waits(session.Options, parsed));

        if (shown is { } count) return await ShowAsync(parsed, client, request, count, cancellationToken);
        if (inspect) return Print(parsed, await client.InspectAsync(request, cancellationToken));
        ImportReport report;
        try
        {
            report = dryRun
                ? await client.ImportAsync(request, state: null, cancellationToken)
                : await ImportAsync(parsed, request, session, client, cancellationToken);
        }
        catch (ImportStateException e)
        {
            _host.Error.WriteLine($"mixpanel: {Printer.Clean(e.Message)}");
            return (int)e.Outcome;
        }

        report = report with { Outcome = _stop.OutcomeOf(report.Outcome) };
        display.Finish();
        var proposed = report.Inspection is { } inspection ? ProposedCommand.Of(parsed, inspection, _inspect) : null;
        if (report.Outcome is RunOutcome.Invalid && report.Inspection is { } seen) _host.Notes.Write(InspectionText.Of(seen, proposed, MostColumnsAside));
        foreach (var problem in report.Problems) _host.Error.WriteLine($"mixpanel: {Printer.Clean(problem)}");
        if (report is { Outcome: RunOutcome.Invalid, Reasons: not null })
            _host.Notes.WriteLine(parsed.GetValue(_type) is "lookup-table"
                ? "mixpanel: --keep-going writes the invalid rows to the dead letters; the table is unchanged all the same."
                : "mixpanel: --keep-going sends the valid records anyway, and writes all others to the dead letters.");
        else if (proposed is not null)
            _host.Notes.WriteLine(string.Create(System.Globalization.CultureInfo.InvariantCulture,
                $"mixpanel: with this command, {report.Inspection!.Proposal!.Accepted} of the {report.Inspection.Records} inspected records are "
                + $"accepted: {proposed}"));
        if (report.Outcome is RunOutcome.Unavailable && session.Local is { } mixpanel
            && !request.Inputs.Any(input => input.Contains("://", StringComparison.Ordinal)))
            _host.Notes.WriteLine($"mixpanel: {Printer.Clean(mixpanel.Hint())}");
        return Print(parsed, report);
    }

    async Task<ImportReport> ImportAsync(ParseResult parsed, ImportRequest request, Session session, MixpanelClient client, CancellationToken cancellationToken)
    {
        var (folder, lasts) = StateFolder(parsed, request, session);
        var isNew = !Directory.Exists(folder);
        ImportReport report;
        try
        {
            using var state = Open(folder, request);
            using var progress = new ImportProgressFile(folder, request.Inputs, request.Progress, _host.TimeProvider);
            report = await client.ImportAsync(request with { Progress = progress, IsResumable = lasts }, state, cancellationToken);
            progress.Conclude(report);
        }
        catch (MixpanelException)
        {
            if (isNew) Delete(folder); // nothing was sent
            throw;
        }

        if (report.Outcome is RunOutcome.Invalid && isNew) Delete(folder);
        return lasts ? report : Tidy(folder, report);
    }

    /// <summary>Opens the state. A restart loads the state that it discards, unless that is damaged.</summary>
    static SqliteImportState Open(string folder, ImportRequest request)
    {
        if (!request.Restart) return SqliteImportState.Open(folder, restart: false, CommandWords.Instance);
        SqliteImportState? state = null;
        try
        {
            state = SqliteImportState.Open(folder, restart: false, CommandWords.Instance);
            state.Load();
            return state;
        }
        catch (ImportStateException e) when (e.Fault is ImportStateFault.Damaged)
        {
            state?.Dispose();
            return SqliteImportState.Open(folder, restart: true, CommandWords.Instance);
        }
    }

    async Task<int> ShowAsync(ParseResult parsed, MixpanelClient client, ImportRequest request, int count, CancellationToken cancellationToken)
    {
        var printer = new Printer(_host, asTable: !CommonOptions.AsJson(parsed));
        var problem = default(string);
        await foreach (var record in client.ShowMappingAsync(request, count, said => problem = said, cancellationToken))
        {
            if (CommonOptions.AsJson(parsed)) printer.Json(Encoding.UTF8.GetBytes(record.ToJson()));
            else printer.Text(MappedRecordText.Of(record));
        }

        if (problem is null) return ExitCode.Success;
        _host.Error.WriteLine($"mixpanel: {Printer.Clean(problem)}");
        return ExitCode.InputDamaged;
    }

    int Print(ParseResult parsed, ImportInspection inspection)
    {
        var command = ProposedCommand.Of(parsed, inspection, _inspect);
        if (CommonOptions.AsJson(parsed))
        {
            var json = JsonNode.Parse(inspection.ToJson())!.AsObject();
            if (command is not null) json["command"] = command;
            new Printer(_host, asTable: false).Json(Encoding.UTF8.GetBytes(json.ToJsonString()));
        }
        else
        {
            new Printer(_host, asTable: true).Text(InspectionText.Of(inspection, command, MostColumns));
        }

        if (inspection.Problem is { } problem) _host.Error.WriteLine($"mixpanel: {Printer.Clean(problem)}");
        return (int)inspection.Outcome;
    }

    int Print(ParseResult parsed, ImportReport report)
    {
        var isTold = report is { Accepted: 0, Outcome: RunOutcome.DiskFailed };
        report = report with { Outcome = ReportFile.Write(parsed.GetValue(_report), report.ToJson(), report.Outcome, _host, _stop, isTold) };

        var asJson = CommonOptions.AsJson(parsed);
        var printer = new Printer(_host, asTable: !asJson);
        if (!asJson && _host.OutputIsTerminal) printer.Report(report);
        else printer.Json(Encoding.UTF8.GetBytes(report.ToJson()));
        return (int)report.Outcome;
    }

    ImportRequest Request(ParseResult parsed)
    {
        var inputs = parsed.GetValue(_inputs) ?? [];
        var replay = parsed.GetValue(_replay);
        if (inputs is ["-"] && parsed.GetValue(CommonOptions.SecretFile) == "-")
            throw Configuration.Invalid("secret_file", "Standard input can contain the records or the secret, not both.");
        if (inputs is ["-"] && _host.InputIsTerminal)
            throw Configuration.Invalid("input", "Standard input is a terminal: pipe the records in, or specify a file.");
        var request = _records.On(ImportValues.Base, parsed, isMapped: parsed.GetValue(_showMapping) is not null) with
        {
            Inputs = inputs,
            Storages = StorageSchemes.All,
            StandardInput = inputs is ["-"] ? _host.TakeInput("input") : null,
            Format = parsed.GetValue(_format),
            ColumnTypes = Values.ColumnTypes(parsed.GetValue(_columnType) ?? []),
            Event = parsed.GetValue(_event),
            Encoding = parsed.GetValue(_encoding),
            Delimiter = Values.Delimiter(parsed.GetValue(_delimiter)),
            Quote = Values.Quote(parsed.GetValue(_quote)),
            Escape = Values.Escape(parsed.GetValue(_escape)),
            SkipLines = Values.SkipLines(parsed.GetValue(_skipLines)),
            NoHeader = parsed.GetValue(_noHeader),
            ColumnNames = Values.ColumnNames(parsed.GetValue(_columnNames)),
            DecimalSeparator = Values.Decimal(parsed.GetValue(_decimal)),
            NullValues = parsed.GetValue(_nullValues) ?? [],
            AllowEmpty = parsed.GetValue(_allowEmpty),
            TableId = Values.TableId(parsed.GetValue(_tableId)),
            SourceId = parsed.GetValue(_sourceId),
            TimeFormat = parsed.GetValue(_timeFormat),
            TimeZone = parsed.GetValue(_timeZone),
            Restart = parsed.GetValue(_restart),
            NewIds = parsed.GetValue(_newIds),
            DeadLetterPath = parsed.GetValue(_deadLetter),
            OtherOutputs = parsed.GetValue(_report) is { } report ? [report] : [],
            Replay = replay,
            DryRun = parsed.GetValue(_dryRun),
            StopWhenRefusedAlike = !parsed.GetValue(_keepGoing),
        };
        return parsed.GetResult(_type) is { Implicit: false } ? request with { Type = Values.Type(parsed.GetValue(_type)) } : request;
    }

    /// <summary>
    /// The folder of the state, and whether the same command finds it again. The state of an unnamed stream is not found, but its dead letters are kept like
    /// any others.
    /// </summary>
    (string Folder, bool Lasts) StateFolder(ParseResult parsed, ImportRequest request, Session session)
    {
        var key = ImportStateKey.For(request, session.Options);
        if (parsed.GetValue(_state) is { } folder) return (folder, true);
        var name = key ?? string.Create(CultureInfo.InvariantCulture, $"stdin-{_host.TimeProvider.GetUtcNow():yyyyMMdd'T'HHmmss}-{Environment.ProcessId}");
        return (Path.Combine(ImportStatusCommand.Folder(_host), name), key is not null);
    }

    /// <summary>Deletes a state with nothing left to resume or to replay.</summary>
    static ImportReport Tidy(string folder, ImportReport report)
    {
        var holdsDeadLetters = report.DeadLetter?.StartsWith(folder, StringComparison.Ordinal) != false;
        if (holdsDeadLetters && report.Rejected > 0) return report;
        if (report.Outcome is not (RunOutcome.Complete or RunOutcome.Rejected) && report.Accepted > 0) return report;
        Delete(folder);
        return holdsDeadLetters ? report with { DeadLetter = null } : report;
    }

    static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Only a little disk space is wasted.
        }
    }
}

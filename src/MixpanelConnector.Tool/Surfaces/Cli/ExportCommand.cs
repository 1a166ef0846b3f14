using System.CommandLine;
using System.Globalization;
using System.Text;
using MixpanelConnector.Formats;
using MixpanelConnector.ObjectStorage;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Exports events, profiles and lists of lookup tables into files, with a manifest.</summary>
sealed class ExportCommand
{
    static readonly ImportValues Values = new("--");
    static readonly string[] Kinds = ["events", "profiles", "groups", "lookup-tables"];

    readonly Argument<string> _what = new("WHAT") { Description = "events, profiles, groups or lookup-tables.", Arity = ArgumentArity.ZeroOrOne };
    readonly Option<string> _to = new("--to")
    {
        Description = "The folder to write the files to, created if missing; or a prefix in object storage: s3://bucket/prefix, "
            + "gs://bucket/prefix or az://account/container/prefix.",
        HelpName = "DIR|ADDRESS",
    };
    readonly Option<string> _fromDate = new("--from-date") { Description = "The first day, in UTC. Required for events.", HelpName = "DATE" };
    readonly Option<string> _toDate = new("--to-date") { Description = "The last day, in UTC, inclusive. Default: yesterday.", HelpName = "DATE" };
    readonly Option<string[]> _event = new("--event")
    {
        Description = "Only events with this name; repeatable. Default: all.",
        HelpName = "NAME",
        Arity = ArgumentArity.OneOrMore,
    };
    readonly Option<string> _where = new("--where")
    {
        Description = "Only records that match an expression in Mixpanel's filter language, such as 'properties[\"plan\"] == \"pro\"'.",
        HelpName = "EXPR",
    };
    readonly Option<string> _groupKey = new("--group-key")
    {
        Description = "The group key: the property that identifies groups, such as company. Required for groups.",
        HelpName = "NAME",
    };
    readonly Option<string> _dataGroupId = new("--data-group-id")
    {
        Description = "Mixpanel's id of the group type, which may be negative. Required for groups. The embedded Mixpanel uses the group key.",
        HelpName = "ID",
    };
    readonly Option<string> _format = new("--format")
    {
        Description = "The format of the files. Default: ndjson, which preserves each record byte for byte.",
        HelpName = string.Join('|', ExportFormats.All),
    };
    readonly Option<string> _compression = new("--compression")
    {
        Description = "The compression of the files; for Parquet, of its pages. Default: gzip; for Parquet, zstd.",
        HelpName = string.Join('|', ExportFormats.AllCompressions),
    };
    readonly NumberOption<int?> _parallel = TransferOptions.Parallel();
    readonly NumberOption<int?> _callsPerHour = new("--calls-per-hour", 0, int.MaxValue)
    {
        Description = "The maximum number of calls per hour; 0 for unlimited. Default: 60, Mixpanel's limit; for the embedded Mixpanel unlimited.",
        HelpName = "N",
    };
    readonly NumberOption<int?> _callsPerSecond = new("--calls-per-second", 0, int.MaxValue)
    {
        Description = "The maximum number of calls per second; 0 for unlimited. Default: 3 for events, Mixpanel's limit; otherwise unlimited.",
        HelpName = "N",
    };
    readonly Option<bool> _wait = TransferOptions.Wait();
    readonly NumberOption<int?> _lookback = new("--lookback", 0, int.MaxValue)
    {
        Description = "Download the last N days of the range again, since events may arrive late. Default: 0.",
        HelpName = "N",
    };
    readonly Option<bool> _restart = new("--restart") { Description = "Discard the previous export in the folder, and start over." };
    readonly Option<string> _backoffMin = TransferOptions.BackoffMin();
    readonly Option<string> _backoffMax = TransferOptions.BackoffMax();
    readonly Option<string> _report = ReportFile.NewOption();
    readonly Option<bool> _noProgress = TransferOptions.NoProgress();
    readonly Option<string> _state = new("--state")
    {
        Description = "The folder for the ledger of calls and the session of profiles. Default: the user's state folder.",
        HelpName = "DIR",
    };

    readonly HostEnvironment _host;
    readonly Stop _stop;

    ExportCommand(HostEnvironment host, Stop stop)
    {
        _host = host;
        _stop = stop;
        _what.AcceptOnlyFromAmong(Kinds);
        _format.AcceptOnlyFromAmong([.. ExportFormats.All.Select(format => format.Name)]);
        _compression.AcceptOnlyFromAmong([.. ExportFormats.AllCompressions.Select(compression => compression.Name)]);
        Command = new DetailedCommand("export", "Export events, profiles of users or groups, or the list of lookup tables to files, each of which is complete.",
            """
            Events are written to one file per day, such as 2026-10-01.ndjson.gz; profiles to one per 50 pages, such as
            pages-00000.ndjson.gz. A day without events has no file. manifest.json lists the files with their record counts and hashes: a
            file is complete once it is listed there. The same command resumes, and downloads what is missing; other days are added to
            those that are there. Today is not complete: the next run downloads it again.

            A day is complete if its response was not truncated, and every line is an event of that day. An incomplete download is
            discarded and retried, up to 5 times; then the other days are finished, and the command exits with 5. Lines that are not
            records in a second download either are written to a file such as 2026-10-01.unreadable, and the command exits with 3.

            Each day and each page of profiles costs a call. Mixpanel allows 60 of each kind per hour: all commands record their calls in
            one ledger before sending them, and do not exceed the limit.

            CSV and Parquet have the columns event, time, distinct_id, $insert_id and properties, which contains all others as JSON; for
            profiles $distinct_id (for groups $group_id) and $properties. mixpanel import DIR reads all of these formats.

            Credentials for object storage are taken from the environment by each vendor's own rules, never from options: see
            docs/object-storage.md. A file is uploaded at once, or in parts of 8 MiB, after it was downloaded completely.

            Lookup tables: only ids and names, since Mixpanel does not export their rows.

            Exit codes: 0 complete; 2 usage or configuration, or the folder contains another export; 3 complete except for lines that
            cannot be read, or Mixpanel refused the query, such as a wrong --where; 4 credentials or permission refused; 5 Mixpanel
            unavailable, or the hourly calls exhausted; 6 the folder's manifest is damaged; 7 the disk failed; 8 another export is running
            in the folder; 130, 143 stopped. After 4, 5, 7, 130 and 143 the same command resumes.

            Examples:
              mixpanel export events --to october --from-date 2026-10-01 --to-date 2026-10-31
              mixpanel export events --to daily --from-date 2026-01-01 --lookback 5 --format parquet --wait
              mixpanel export events --to signups --from-date 2026-10-01 --event 'Signed Up' --format csv --compression none
              mixpanel export profiles --to people
              mixpanel export groups --to companies --group-key company --data-group-id -1405123841946871899
              mixpanel export lookup-tables --to tables
              mixpanel export events --to s3://backup/mixpanel --from-date 2026-10-01
              mixpanel export verify october
            """)
        {
            _what, _to, _fromDate, _toDate, _event, _where, _groupKey, _dataGroupId, _format, _compression, _parallel, _callsPerHour, _callsPerSecond, _wait,
            _lookback, _restart,
            _backoffMin, _backoffMax, _report, _noProgress, _state, ExportVerifyCommand.Of(host),
        };
        Command.SetAction((parsed, cancellationToken) => RunAsync(parsed, cancellationToken));
    }

    Command Command { get; }

    public static Command Of(HostEnvironment host, Stop stop) => new ExportCommand(host, stop).Command;

    async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var what = parsed.GetValue(_what) ?? throw Configuration.Invalid("what", $"Specify what to export: {string.Join(", ", Kinds)}.");
        var folder = parsed.GetValue(_to) ?? throw Configuration.Invalid("to", "Specify where to write the files: --to DIR or an object storage URL.");
        if (!ReportFile.IsWritable(parsed.GetValue(_report), folder, _host)) return ExitCode.DiskFailed;
        await using var session = await Session.OpenAsync(parsed, _host, needsCredential: true, cancellationToken);
        using var display = new ExportDisplay(_host, showProgress: !parsed.GetValue(_noProgress));
        var state = parsed.GetValue(_state) ?? new Folders(_host.Environment).State;
        var store = session.Local is { } local ? await local.StoreNameAsync(cancellationToken) : null;
        var request =
            Request(parsed, what, folder) with { State = state, LocalStore = store, Notices = display, Progress = display.ShowsProgress ? display : null };
        using var client = session.NewClient(session.Options with
        {
            BackoffMin = Values.Duration("backoff_min", parsed.GetValue(_backoffMin)) ?? session.Options.BackoffMin,
            BackoffMax = Values.Duration("backoff_max", parsed.GetValue(_backoffMax)) ?? session.Options.BackoffMax,
            Ledger = new CallLedger(Session.LedgerIn(state))
            {
                CallsPerHour = Limit(parsed.GetValue(_callsPerHour), store),
                CallsPerSecond = Limit(parsed.GetValue(_callsPerSecond), store),
                Store = store,
            },
        });

        var report = await client.ExportAsync(request, cancellationToken);
        display.Finish();
        foreach (var problem in report.Problems) _host.Error.WriteLine($"mixpanel: {Printer.Clean(problem)}");
        if (report.RetryAfter is { } wait)
            _host.Error.WriteLine($"mixpanel: the next call is possible {NextCall.When(wait, _host.TimeProvider)}: run the same command then, or with --wait.");
        if (report.Outcome is RunOutcome.Unavailable && session.Local is { } mixpanel && !request.Folder.Contains("://", StringComparison.Ordinal))
            _host.Notes.WriteLine($"mixpanel: {Printer.Clean(mixpanel.Hint())}");
        return Print(parsed, report);
    }

    ExportRequest Request(ParseResult parsed, string what, string folder)
    {
        var request = new ExportRequest
        {
            Kind = (ExportKind)Array.IndexOf(Kinds, what),
            Folder = folder,
            Storages = StorageSchemes.All,
            FromDate = Values.Day("from_date", parsed.GetValue(_fromDate)),
            ToDate = Values.Day("to_date", parsed.GetValue(_toDate)),
            Event = parsed.GetValue(_event) ?? [],
            Where = parsed.GetValue(_where),
            GroupKey = parsed.GetValue(_groupKey),
            DataGroupId = parsed.GetValue(_dataGroupId),
            WorkspaceId = WorkspaceOf(parsed),
            Compression = parsed.GetValue(_compression) is { } compression ? ExportFormats.AllCompressions.First(one => one.Name == compression) : null,
            Wait = parsed.GetValue(_wait),
            Lookback = parsed.GetValue(_lookback) ?? 0,
            Restart = parsed.GetValue(_restart),
        };
        if (parsed.GetValue(_format) is { } format) request = request with { Format = ExportFormats.All.First(one => one.Name == format) };
        return parsed.GetValue(_parallel) is { } parallel ? request with { Parallel = parallel } : request;
    }

    /// <summary>
    /// The data view, only if this command line specifies it: the configured one is meant for flags and experiments, and would unintentionally exclude people.
    /// </summary>
    static long? WorkspaceOf(ParseResult parsed)
    {
        if (!CommonOptions.Given(parsed).Options.TryGetValue("workspace_id", out var text)) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id
            : throw Configuration.Invalid("workspace_id", "--workspace-id must be the id of a data view, a positive integer.");
    }

    /// <summary>The embedded Mixpanel has no limits of its own.</summary>
    static int? Limit(int? given, string? store) => given ?? (store is null ? null : 0);

    int Print(ParseResult parsed, ExportReport report)
    {
        report = report with { Outcome = _stop.OutcomeOf(report.Outcome) };
        report = report with { Outcome = ReportFile.Write(parsed.GetValue(_report), report.ToJson(), report.Outcome, _host, _stop) };
        new Printer(_host, asTable: !CommonOptions.AsJson(parsed)).Json(Encoding.UTF8.GetBytes(report.ToJson()));
        return (int)report.Outcome;
    }
}

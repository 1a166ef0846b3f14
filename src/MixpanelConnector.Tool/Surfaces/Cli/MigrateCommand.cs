using System.CommandLine;
using System.Text;
using MixpanelConnector.Sqlite;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Copies the data of one project to another.</summary>
sealed class MigrateCommand
{
    static readonly ImportValues Values = new("--");

    static readonly (string Name, MigrationParts Part)[] Parts =
    [
        ("events", MigrationParts.Events), ("profiles", MigrationParts.Profiles), ("groups", MigrationParts.Groups),
        ("schemas", MigrationParts.Schemas), ("annotations", MigrationParts.Annotations), ("lookup-tables", MigrationParts.LookupTables),
    ];

    readonly Option<string> _from = new("--from") { Description = "The profile of the source project.", HelpName = "PROFILE" };
    readonly Option<string> _to = new("--to") { Description = "The profile of the target project.", HelpName = "PROFILE" };
    readonly Option<string> _fromDate = new("--from-date") { Description = "The first day of events, in UTC. Required for events.", HelpName = "DATE" };
    readonly Option<string> _toDate = new("--to-date")
    {
        Description = "The last day of events, inclusive; it must be in the past. Default: yesterday.",
        HelpName = "DATE",
    };
    readonly Option<string[]> _only = new("--only")
    {
        Description = "What to migrate, comma-separated. Default: all.",
        HelpName = string.Join(',', Parts.Select(part => part.Name)),
        Arity = ArgumentArity.OneOrMore,
    };
    readonly Option<string[]> _group = new("--group")
    {
        Description = "A group type: its group key, and Mixpanel's id of the type in the source, such as company=-1405123841946871899; repeatable. Default: "
            + "no groups.",
        HelpName = "KEY=DATA_GROUP_ID",
        Arity = ArgumentArity.OneOrMore,
    };
    readonly Option<string[]> _targetGroup = new("--target-group")
    {
        Description = "With --verify: Mixpanel's id of a group type in the target, which differs from that in the source; repeatable. Default: "
            + "groups are not read from the target.",
        HelpName = "KEY=DATA_GROUP_ID",
        Arity = ArgumentArity.OneOrMore,
    };
    readonly Option<string[]> _lookupTable = new("--lookup-table")
    {
        Description = "The id of a lookup table in the target, and the CSV file that replaces its rows; repeatable. Default: none, "
            + "since Mixpanel does not export rows.",
        HelpName = "ID=FILE.csv",
        Arity = ArgumentArity.OneOrMore,
    };
    readonly Option<string> _zone = new("--source-time-zone")
    {
        Description = "The time zone of the times in the source, such as Europe/Berlin: for projects created before 2023. Default: UTC.",
        HelpName = "ZONE",
    };
    readonly Option<bool> _verify = new("--verify") { Description = "Read the target at the end, and compare it with the records that it accepted." };
    readonly Option<bool> _dryRun = new("--dry-run") { Description = "Read and map the data, but send and store nothing." };
    readonly NumberOption<int?> _parallel = TransferOptions.Parallel();
    readonly NumberOption<int?> _callsPerHour = new("--calls-per-hour", 0, int.MaxValue)
    {
        Description = "The maximum number of calls of each kind per project and hour; 0 for unlimited. Default: 60, Mixpanel's limit.",
        HelpName = "N",
    };
    readonly NumberOption<int?> _callsPerSecond = new("--calls-per-second", 0, int.MaxValue)
    {
        Description = "The maximum number of calls of each kind per project and second; 0 for unlimited. Default: 3 for events, Mixpanel's limit; "
            + "otherwise unlimited.",
        HelpName = "N",
    };
    readonly Option<bool> _wait = TransferOptions.Wait();
    readonly Option<bool> _restart = new("--restart") { Description = "Discard the progress of earlier runs, and start over." };
    readonly Option<string> _backoffMin = TransferOptions.BackoffMin();
    readonly Option<string> _backoffMax = TransferOptions.BackoffMax();
    readonly Option<string> _deadLetter = new("--dead-letter")
    {
        Description = "The file for every record that was not accepted; a file with other content is kept as FILE.1. Default: a file in the state folder; "
            + "in a dry run, none.",
        HelpName = "FILE",
    };
    readonly Option<string> _report = ReportFile.NewOption();
    readonly Option<bool> _noProgress = TransferOptions.NoProgress();
    readonly Option<string> _state = new("--state")
    {
        Description = "The folder for the ledger of calls and the migration's progress. Default: the user's state folder.",
        HelpName = "DIR",
    };

    readonly HostEnvironment _host;
    readonly Stop _stop;

    MigrateCommand(HostEnvironment host, Stop stop)
    {
        _host = host;
        _stop = stop;
        Command = new DetailedCommand("migrate", "Migrate one project to another: events, profiles, groups, schemas, annotations; all accounted for.", """
            Both projects are profiles in the profile file, and all settings come from these two: token, service_account_username,
            service_account_secret, project_id, region or endpoint. The source needs a service account; so does the target, and its token
            for profiles and groups.

            In this order: schemas of the Lexicon, lookup tables, events by day, profiles, groups, annotations with their tags. The same
            command resumes; a day that is finished is not read again. Downloads stay on the disk until they are finished.

            Events are sent unchanged, with their ids: an event sent twice counts once. Left out, and counted: events that merged users
            ($identify, $create_alias, $merge), since their result is in each event's distinct_id; and duplicates, by name, time,
            distinct_id and $insert_id. Removed from each: what Mixpanel adds, such as mp_processing_time_ms and $import. Projects created
            before 2023 have times in their own time zone: specify it with --source-time-zone.

            Profiles are set unchanged, including $last_seen, without $mp_first_event_time and $geo_source. Schemas replace those with the
            same names. An annotation is left out if the target has one with the same time and text. Lookup tables are left out unless
            --lookup-table specifies a file, since Mixpanel does not export their rows. Cohorts, boards and custom properties have no API.

            A day costs an export, a page of profiles a query: Mixpanel allows 60 of each per hour. The ledger is that of mixpanel export.

            --verify reads the target's events, profiles, and the groups whose type --target-group specifies, and compares their number
            and a hash: 9 if they differ, also if the target contained others before.

            Exit codes: 0 all accepted or left out; 2 usage or configuration, nothing sent; 3 some records dead-lettered (mixpanel import
            --replay sends them again); 4 credentials or permission refused; 5 Mixpanel unavailable, or the hourly calls exhausted; 6 a
            download is damaged; 7 the disk failed; 8 another run is in progress; 9 the counts or the target do not match; 130, 143
            stopped. After 4, 5, 7, 130 and 143 the same command resumes.

            Examples:
              mixpanel migrate --from old --to new --from-date 2024-01-01 --dry-run
              mixpanel migrate --from old --to new --from-date 2024-01-01 --wait --verify
              mixpanel migrate --from old --to new --only profiles,groups --group company=-1405123841946871899
              mixpanel migrate --from old --to new --from-date 2021-05-01 --source-time-zone Europe/Berlin
              mixpanel migrate --from old --to new --only lookup-tables --lookup-table 0f8fad5b-d9cb-469f-a165-70867728950e=skus.csv
            """)
        {
            _from, _to, _fromDate, _toDate, _only, _group, _targetGroup, _lookupTable, _zone, _verify, _dryRun, _parallel, _callsPerHour, _callsPerSecond,
            _wait, _restart,
            _backoffMin, _backoffMax, _deadLetter, _report, _noProgress, _state,
        };
        Command.SetAction((parsed, cancellationToken) => RunAsync(parsed, cancellationToken));
    }

    Command Command { get; }

    public static Command Of(HostEnvironment host, Stop stop) => new MigrateCommand(host, stop).Command;

    async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var from = parsed.GetValue(_from) ?? throw Configuration.Invalid("from", "Specify the source project: --from PROFILE.");
        var to = parsed.GetValue(_to) ?? throw Configuration.Invalid("to", "Specify the target project: --to PROFILE.");
        if (CommonOptions.All.FirstOrDefault(option => option != CommonOptions.Output && option != CommonOptions.Quiet && option != CommonOptions.Verbose
            && parsed.GetResult(option) is { Implicit: false }) is { } setting)
            throw Configuration.Invalid(CommonOptions.Name(setting),
                $"The settings of a migration come only from its two profiles: omit {setting.Name}, and put its value into one of them.");
        var root = parsed.GetValue(_state) ?? new Folders(_host.Environment).State;
        var ledger = new CallLedger(Session.LedgerIn(root))
        {
            CallsPerHour = parsed.GetValue(_callsPerHour),
            CallsPerSecond = parsed.GetValue(_callsPerSecond),
        };
        using var display = new MigrationDisplay(_host, showProgress: !parsed.GetValue(_noProgress));
        using var source = ClientOf(parsed, from, ledger);
        using var target = ClientOf(parsed, to, ledger);
        var request = Request(parsed) with
        {
            From = from,
            To = to,
            State = Path.Combine(root, "migrations", MigrationRequest.StateKeyOf(source.Options, target.Options)),
            OpenState = folder => SqliteImportState.Open(folder, restart: false, CommandWords.Instance),
            Notices = display,
            Diagnostics = display,
            Progress = display.ShowsProgress ? display : null,
        };

        if (parsed.GetValue(_report) is { } path && request.DeadLetterPath is { } letters && Path.GetFullPath(path) == Path.GetFullPath(letters))
            throw Configuration.Invalid("report",
                $"{path} is specified for both the dead letters and the report: one would overwrite the other. Choose another path for one of them.");
        if (!ReportFile.IsWritable(parsed.GetValue(_report), request.State, _host)) return ExitCode.DiskFailed;
        var report = await source.MigrateAsync(target, request, cancellationToken);
        report = report with { Outcome = _stop.OutcomeOf(report.Outcome) };
        display.Finish();
        foreach (var problem in report.Problems) _host.Error.WriteLine($"mixpanel: {Printer.Clean(problem)}");
        if (report.RetryAfter is { } wait)
            _host.Error.WriteLine($"mixpanel: the next call is possible {NextCall.When(wait, _host.TimeProvider)}: run the same command then, or with --wait.");
        return Print(parsed, report);
    }

    MixpanelClient ClientOf(ParseResult parsed, string profile, CallLedger ledger)
    {
        var options = VerboseLog.AddTo(Configuration.Of(profile, _host).ToOptions(_host.TimeProvider), parsed, _host);
        return new(options with
        {
            BackoffMin = Values.Duration("backoff_min", parsed.GetValue(_backoffMin)) ?? options.BackoffMin,
            BackoffMax = Values.Duration("backoff_max", parsed.GetValue(_backoffMax)) ?? options.BackoffMax,
            Ledger = ledger,
        });
    }

    MigrationRequest Request(ParseResult parsed)
    {
        var request = new MigrationRequest
        {
            Only = (parsed.GetValue(_only) ?? [])
                .SelectMany(list => list.Split(','))
                .Aggregate(MigrationParts.None, (parts, name) => parts | PartOf(name)) is not MigrationParts.None and var only
                ? only
                : MigrationParts.All,
            FromDate = Values.Day("from_date", parsed.GetValue(_fromDate)),
            ToDate = Values.Day("to_date", parsed.GetValue(_toDate)),
            Groups = Pairs("group", parsed.GetValue(_group), "KEY=DATA_GROUP_ID, such as company=-1405123841946871899", pair => pair.LastIndexOf('='))
                .ToDictionary(StringComparer.Ordinal),
            TargetGroups = Pairs("target_group", parsed.GetValue(_targetGroup), "KEY=DATA_GROUP_ID, such as company=-1405123841946871899",
                pair => pair.LastIndexOf('='))
                .ToDictionary(StringComparer.Ordinal),
            LookupTables = Pairs("lookup_table", parsed.GetValue(_lookupTable), "ID=FILE.csv", pair => pair.IndexOf('=', StringComparison.Ordinal))
                .ToDictionary(
                    pair => Guid.TryParse(pair.Key, out var id)
                        ? id
                        : throw Configuration.Invalid("lookup_table",
                            "--lookup-table must be the id of a table in the target, a UUID, and a file: ID=FILE.csv."),
                    pair => pair.Value),
            SourceTimeZone = parsed.GetValue(_zone),
            Verify = parsed.GetValue(_verify),
            DryRun = parsed.GetValue(_dryRun),
            Wait = parsed.GetValue(_wait),
            Restart = parsed.GetValue(_restart),
            DeadLetterPath = parsed.GetValue(_deadLetter),
        };
        return parsed.GetValue(_parallel) is { } parallel ? request with { Parallel = parallel } : request;
    }

    static MigrationParts PartOf(string name) =>
        Array.Find(Parts, part => part.Name == name) is { Name: not null } part
            ? part.Part
            : throw Configuration.Invalid("only",
                $"--only must be {string.Join(", ", Parts.Select(one => one.Name))}, or several of them separated by commas.");

    static Dictionary<string, string> Pairs(string name, string[]? given, string form, Func<string, int> equalsAt)
    {
        var pairs = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var pair in given ?? [])
        {
            var at = equalsAt(pair);
            if (at <= 0 || at == pair.Length - 1) throw Configuration.Invalid(name, $"{CommonOptions.OptionName(name)} must be {form}.");
            if (!pairs.TryAdd(pair[..at], pair[(at + 1)..])) throw Configuration.Invalid(name, $"{CommonOptions.OptionName(name)} names {pair[..at]} twice.");
        }

        return pairs;
    }

    int Print(ParseResult parsed, MigrationReport report)
    {
        report = report with { Outcome = ReportFile.Write(parsed.GetValue(_report), report.ToJson(), report.Outcome, _host, _stop) };
        var printer = new Printer(_host, asTable: !CommonOptions.AsJson(parsed));
        if (CommonOptions.AsJson(parsed)) printer.Json(Encoding.UTF8.GetBytes(report.ToJson()));
        else printer.Report(report);
        return (int)report.Outcome;
    }
}

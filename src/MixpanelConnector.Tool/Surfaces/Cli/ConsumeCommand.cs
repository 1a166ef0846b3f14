using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using MixpanelConnector.Files;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Imports from an external message queue.</summary>
sealed class ConsumeCommand
{
    static readonly ImportValues Values = new("--");

    readonly Argument<string> _address = new("ADDRESS")
    {
        Description = "The queue: amqp[s]://HOST[:PORT][,HOST…]/[VHOST/]QUEUE for RabbitMQ, or kafka[s]://HOST:PORT[,HOST…]/TOPIC. "
            + "Names are percent-encoded; no password.",
    };
    readonly Option<string> _type = new("--type")
    {
        Description = "The kind of records: events, profiles or groups. Default: events.",
        HelpName = "events|profiles|groups",
        DefaultValueFactory = _ => "events",
    };
    readonly Option<string> _username = new("--queue-username")
    {
        Description = $"The user name at the broker ({QueueSettings.Username}). Default: RabbitMQ's guest; Kafka without SASL.",
        HelpName = "NAME",
    };
    readonly Option<string> _secretFile = new("--queue-secret-file")
    {
        Description = $"A file, private to its owner, whose first line is the user's password. Default: {QueueSettings.Password}.",
        HelpName = "FILE",
    };
    readonly Option<string> _sasl = new("--sasl")
    {
        Description = "The SASL mechanism for Kafka. Default: plain.",
        HelpName = "plain|scram-sha-256|scram-sha-512",
    };
    readonly Option<string> _ca = new("--queue-ca")
    {
        Description = "The CA certificates, in PEM, that the broker's certificate is verified against. Default: those that the system trusts.",
        HelpName = "FILE",
    };
    readonly Option<bool> _plaintext = new("--plaintext") { Description = "Allow connecting to a broker on another machine without TLS." };
    readonly Option<string> _group = new("--group")
    {
        Description = "The Kafka consumer group. Default: mixpanel.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "mixpanel",
    };
    readonly Option<bool> _declare = new("--declare")
    {
        Description = "Create the RabbitMQ queue if it does not exist: a quorum queue with a delivery limit and a dead-letter queue.",
    };
    readonly Option<string> _deadLetter = new("--dead-letter")
    {
        Description = "The file to which every record that was not accepted is appended and synced before its message is acknowledged. Default: "
            + "one in the user's state folder, by queue and project.",
        HelpName = "FILE",
    };
    readonly Option<string> _deadLetterQueue = new("--dead-letter-queue")
    {
        Description = "A queue or topic of the same broker to publish them to instead.",
        HelpName = "NAME",
    };
    readonly Option<bool> _untilEmpty = new("--until-empty")
    {
        Description = "Exit when the queue is empty (Kafka: at the end offsets read at startup). Default: run until a signal.",
    };
    readonly Option<string> _consumerTimeout = new("--consumer-timeout")
    {
        Description = "How long the broker waits for a message to be acknowledged; one that cannot be is returned before that. Default: 30m, as in RabbitMQ.",
        HelpName = "DURATION",
    };
    readonly NumberOption<int?> _maxMessageBytes = new("--max-message-bytes", 1, OptionRanges.LargestMessage)
    {
        Description = "The maximum size of a message in bytes, after decompression. Default: 10 MB.",
        HelpName = "N",
    };
    readonly Option<string> _report = ReportFile.NewOption();
    readonly Option<bool> _noProgress = TransferOptions.NoProgress();

    readonly RecordOptions _records;
    readonly HostEnvironment _host;
    readonly Stop _stop;

    ConsumeCommand(HostEnvironment host, Stop stop)
    {
        (_host, _stop, _records) = (host, stop, new RecordOptions(host));
        _type.AcceptOnlyFromAmong("events", "profiles", "groups");
        _sasl.AcceptOnlyFromAmong("plain", "scram-sha-256", "scram-sha-512");
        Command = new DetailedCommand("consume", "Consume a RabbitMQ or Kafka queue, so that every record of every message is accounted for.", $"""
            A message contains records, one JSON object per line (NDJSON), plain, gzip or zstd according to its content-encoding:
            docs/scale-out.md shows how to publish from any language. It is acknowledged only after Mixpanel has accepted or rejected each
            record, and each that was not accepted is synced to the dead letters. Several consumers may share a queue.
            read = accepted + rejected + pending + blank, always.

            A bad record becomes one line of the dead letters with source, message_id and line; the others of its message are sent. A message
            that cannot be read becomes one line with its whole content. $add, $append and the like are sent at most once: if redelivered,
            they become dead letters with maybe_delivered, so only a few of them are in flight.

            While Mixpanel is unavailable, messages in flight are returned to the queue before --consumer-timeout, and consumed again when
            Mixpanel responds. While the broker is unavailable, the connection is retried. Both last up to --max-outage, 24h. On SIGTERM
            consuming stops, requests in flight are completed and acknowledged, and the rest is returned, within 30 s.

            Exit codes: 0 all accepted; 2 usage or configuration; 3 some records dead-lettered; 4 Mixpanel or the broker rejected the
            credentials; 5 Mixpanel or the broker unavailable for longer than --max-outage; 6 no such queue or topic; 7 the dead letters cannot
            be written; 8 another process uses their file; 130, 143 stopped by a signal. Messages that are not acknowledged stay in the queue.

            Lag, records and messages are exported as metrics to {Telemetry.Variable}.

            Examples:
              mixpanel consume amqps://broker/events
              mixpanel consume amqp://localhost/events --declare --until-empty --local
              mixpanel consume amqps://one,two,three/analytics/updates --type profiles --dead-letter-queue updates.dead
              mixpanel consume kafkas://broker:9093/events --group mixpanel --queue-username reader --sasl scram-sha-512
            """)
        {
            _address, _type, _records.GroupKey, _records.Strict, _records.Properties, _records.Map, _records.Rename, _records.Drop, _records.Fix,
            _records.TimeOffset, _records.Vendor, _records.Mapping, _records.Identity,
            _username, _secretFile, _sasl, _ca, _plaintext, _group, _declare, _deadLetter, _deadLetterQueue, _untilEmpty, _consumerTimeout, _maxMessageBytes,
            _records.Senders, _records.BatchEvents, _records.BatchBytes, _records.BackoffMin, _records.BackoffMax, _records.MaxOutage, _report, _noProgress,
        };
        Command.SetAction((parsed, cancellationToken) => RunAsync(parsed, cancellationToken));
    }

    Command Command { get; }

    public static Command Of(HostEnvironment host, Stop stop) => new ConsumeCommand(host, stop).Command;

    async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        await using var session = await Session.OpenAsync(parsed, _host, needsCredential: true, cancellationToken);
        using var display = new ImportDisplay(_host, showProgress: !parsed.GetValue(_noProgress));
        using var telemetry = Telemetry.Start(_host);
        using var client = session.NewClient(_records.Waits(session.Options, parsed));
        var request = Request(parsed, session, display);
        if (parsed.GetValue(_report) is { } path && request.DeadLetterPath is { } letters && Path.GetFullPath(path) == Path.GetFullPath(letters))
            throw Configuration.Invalid("report",
                $"{path} is specified for both the dead letters and the report: one would overwrite the other. Choose another path for one of them.");
        if (!ReportFile.IsWritable(parsed.GetValue(_report), Path.GetDirectoryName(Path.GetFullPath(DefaultDeadLetters(parsed, session)))!, _host))
            return ExitCode.DiskFailed;
        ConsumeReport result;
        try
        {
            if (parsed.GetValue(_deadLetter) is null && request.DeadLetterPath is { } own) MakeFolderOf(own);
            result = await client.ConsumeAsync(request, cancellationToken);
        }
        catch (ImportStateException e)
        {
            _host.Error.WriteLine($"mixpanel: {Printer.Clean(e.Message)}");
            return (int)e.Outcome;
        }

        result = result with { Outcome = _stop.OutcomeOf(result.Outcome) };
        display.Finish();
        foreach (var problem in result.Problems) _host.Error.WriteLine($"mixpanel: {Printer.Clean(problem)}");
        result = result with { Outcome = ReportFile.Write(parsed.GetValue(_report), result.ToJson(), result.Outcome, _host, _stop) };
        new Printer(_host, asTable: !CommonOptions.AsJson(parsed)).Json(Encoding.UTF8.GetBytes(result.ToJson()));
        return (int)result.Outcome;
    }

    ConsumeRequest Request(ParseResult parsed, Session session, ImportDisplay display)
    {
        var queue = parsed.GetValue(_deadLetterQueue);
        if (queue is not null && parsed.GetValue(_deadLetter) is not null)
            throw Configuration.Invalid("dead_letter", "--dead-letter and --dead-letter-queue are mutually exclusive: dead letters are stored in one place.");
        var request = new ConsumeRequest
        {
            Address = parsed.GetValue(_address)!,
            Schemes = QueueSettings.Schemes,
            Queue = QueueSettings.Credentials(_host, parsed.GetValue(_username), parsed.GetValue(_secretFile)) with
            {
                Sasl = parsed.GetValue(_sasl),
                CaFile = parsed.GetValue(_ca),
                Plaintext = parsed.GetValue(_plaintext),
                Group = parsed.GetValue(_group)!,
                Declare = parsed.GetValue(_declare),
            },
            Records = _records.On(ImportValues.Base, parsed) with { Type = Values.Type(parsed.GetValue(_type)), Diagnostics = display },
            DeadLetterQueue = queue,
            DeadLetterPath = queue is not null ? null : parsed.GetValue(_deadLetter) ?? DefaultDeadLetters(parsed, session),
            UntilEmpty = parsed.GetValue(_untilEmpty),
            Progress = display.ShowsProgress ? display : null,
        };
        if (Values.Duration("consumer_timeout", parsed.GetValue(_consumerTimeout)) is { } timeout) request = request with { ConsumerTimeout = timeout };
        return parsed.GetValue(_maxMessageBytes) is { } most ? request with { MaxMessageBytes = most } : request;
    }

    /// <summary>A file that is specific to the queue and the project.</summary>
    string DefaultDeadLetters(ParseResult parsed, Session session)
    {
        var of = $"{parsed.GetValue(_address)}\n{parsed.GetValue(_type)}\n{session.Options.ProjectId}\n{session.Options.Endpoint}\n{session.LocalData}";
        return Path.Combine(new Folders(_host.Environment).State, "queues", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(of)))[..16],
            "dead-letters.ndjson");
    }

    static void MakeFolderOf(string path)
    {
        try
        {
            OwnFolder.Make(Path.GetDirectoryName(path)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImportStateException(ImportStateFault.Unwritable,
                $"The folder of the dead letters cannot be created: {e.Message} Specify a file with --dead-letter.", e);
        }
    }
}

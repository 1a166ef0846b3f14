using System.CommandLine;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The options that determine how records are mapped and sent, shared by import and consume.</summary>
sealed class RecordOptions
{
    static readonly ImportValues Values = new("--");

    readonly HostEnvironment _host;

    public RecordOptions(HostEnvironment host)
    {
        _host = host;
        Strict.AcceptOnlyFromAmong("0", "1");
        Vendor.AcceptOnlyFromAmong([.. ImportMapping.Vendors]);
        Identity.AcceptOnlyFromAmong([.. ImportValues.Identities]);
    }

    public Option<string[]> Map { get; } = new("--map")
    {
        Description = "The column that contains a field, such as time=created_at; repeatable. Default: the column with the field's name. For rows, "
            + "and JSON records without properties.",
        HelpName = "FIELD=COLUMN",
        Arity = ArgumentArity.OneOrMore,
    };

    public Option<string> Vendor { get; } = new("--vendor")
    {
        Description = "Convert the records from an export of another tool, with the built-in mapping: see docs/vendors.",
        HelpName = string.Join('|', ImportMapping.Vendors),
    };

    public Option<string> Mapping { get; } = new("--mapping")
    {
        Description = "Convert the records with a custom mapping, a JSON file: see docs/vendors/README.md.",
        HelpName = "FILE",
    };

    public Option<string> Identity { get; } = new("--identity")
    {
        Description = "The project's identity management, for mapped records: simplified ($user_id and $device_id) or original (distinct_id). Default: "
            + "simplified.",
        HelpName = string.Join('|', ImportValues.Identities),
    };

    public Option<string> GroupKey { get; } = new("--group-key")
    {
        Description = "The group key: the property that identifies groups, such as company. Required for groups.",
        HelpName = "NAME",
    };

    public Option<string> Strict { get; } = new("--strict")
    {
        Description = "Mixpanel's validation, 0 or 1. Default: 1.",
        HelpName = "0|1",
        DefaultValueFactory = _ => "1",
    };

    public Option<string> Properties { get; } = new("--properties")
    {
        Description = "Properties added to all events; an event's own value takes precedence.",
        HelpName = "JSON|@FILE|@-",
    };

    public NumberOption<int?> Senders { get; } = new("--senders", 1, OptionRanges.MostSenders)
    {
        Description = $"The number of concurrent requests, 1 to {OptionRanges.MostSenders}. Default: adaptive.",
        HelpName = "N",
    };

    public NumberOption<int?> BatchEvents { get; } = new("--batch-events", 1, OptionRanges.MostBatchEvents)
    {
        Description = $"The maximum number of records per request. Default: {OptionRanges.MostBatchEvents}.",
        HelpName = "N",
    };

    public NumberOption<int?> BatchBytes { get; } = new("--batch-bytes", OptionRanges.SmallestBatch, OptionRanges.LargestBatch)
    {
        Description = "The maximum size of a request in bytes, uncompressed. Default: slightly below 10 MB.",
        HelpName = "N",
    };

    public Option<string> BackoffMin { get; } = TransferOptions.BackoffMin();

    public Option<string> BackoffMax { get; } = TransferOptions.BackoffMax();

    public Option<string> MaxOutage { get; } = new("--max-outage")
    {
        Description = "How long Mixpanel may be unavailable before the command stops. Default: 24h.",
        HelpName = "DURATION",
    };

    public Option<string[]> Fix { get; } = new("--fix")
    {
        Description = "Fixes to apply, comma-separated. time: times given as ISO 8601 text (without a zone: "
            + "UTC) or as digits become integers of seconds or milliseconds, also from micro- and nanoseconds. ids: "
                + "a missing distinct_id is set to $user_id, otherwise $device_id, otherwise empty (an anonymous event); a numeric one becomes text. nulls: "
                    + "null properties are removed. insert-ids: an $insert_id that Mixpanel does not accept is hashed.",
        HelpName = "time,ids,nulls,insert-ids",
    };

    public Option<string[]> Rename { get; } = new("--rename")
    {
        Description = "Rename a property. A record that already has a property of the new name is rejected. Repeatable.",
        HelpName = "OLD=NEW",
    };

    public Option<string[]> Drop { get; } = new("--drop") { Description = "Remove a property. Repeatable.", HelpName = "KEY" };

    public Option<string> TimeOffset { get; } = new("--time-offset")
    {
        Description = "Hours to add to the time of every event, such as -5.5.",
        HelpName = "HOURS",
    };

    /// <summary>Applies the options to a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="isMapped">Whether a mapping is required.</param>
    public ImportRequest On(ImportRequest request, ParseResult parsed, bool isMapped = false)
    {
        request = request with
        {
            Columns = Values.Columns(parsed.GetValue(Map) ?? []),
            Mapping = MappingOf(parsed, isMapped),
            Identity = Values.Identity(parsed.GetValue(Identity)),
            GroupKey = parsed.GetValue(GroupKey),
            Strict = Values.Strict(parsed.GetValue(Strict)),
            Properties = parsed.GetValue(Properties) is { } text ? JsonArgument.ReadObject("properties", text, _host).GetRawText() : null,
            Fix = Values.Fixes(parsed.GetValue(Fix) ?? []),
            Rename = Values.Renames(parsed.GetValue(Rename) ?? []),
            Drop = parsed.GetValue(Drop) ?? [],
            TimeOffset = Values.Hours(parsed.GetValue(TimeOffset)),
            Senders = parsed.GetValue(Senders),
        };
        if (parsed.GetValue(BatchEvents) is { } events) request = request with { BatchEvents = events };
        if (parsed.GetValue(BatchBytes) is { } bytes) request = request with { BatchBytes = bytes };
        if (Values.Duration("max_outage", parsed.GetValue(MaxOutage)) is { } outage) request = request with { MaxOutage = outage };
        return request;
    }

    /// <summary>Applies the requested waiting times to the options.</summary>
    public MixpanelOptions Waits(MixpanelOptions options, ParseResult parsed) => options with
    {
        BackoffMin = Values.Duration("backoff_min", parsed.GetValue(BackoffMin)) ?? options.BackoffMin,
        BackoffMax = Values.Duration("backoff_max", parsed.GetValue(BackoffMax)) ?? options.BackoffMax,
    };

    ImportMapping? MappingOf(ParseResult parsed, bool isMapped)
    {
        var path = parsed.GetValue(Mapping);
        return Values.Mapping(parsed.GetValue(Vendor), path is null ? null : () => RulesIn(path)) ?? (isMapped ? throw Values.NoMapping() : null);
    }

    static string RulesIn(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Configuration.Invalid("mapping", $"The mapping {path} cannot be read: {e.Message}");
        }
    }
}

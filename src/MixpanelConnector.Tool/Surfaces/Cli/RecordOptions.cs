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

    public Option<string[]> Map { get; } = new("--map") { Description = "Which column holds a field, such as time=created_at; repeatable. Default: the column of the field's name. For rows, and JSON records without properties.", HelpName = "FIELD=COLUMN", Arity = ArgumentArity.OneOrMore };

    public Option<string> Vendor { get; } = new("--vendor") { Description = "The records are an export of another tool, and become Mixpanel's by the built-in mapping: see docs/vendors.", HelpName = string.Join('|', ImportMapping.Vendors) };

    public Option<string> Mapping { get; } = new("--mapping") { Description = "The records become Mixpanel's by a mapping of your own, a JSON file: see docs/vendors/README.md.", HelpName = "FILE" };

    public Option<string> Identity { get; } = new("--identity") { Description = "How the project tells users apart, for records that are mapped: simplified ($user_id and $device_id) or original (distinct_id). Default: simplified.", HelpName = string.Join('|', ImportValues.Identities) };

    public Option<string> GroupKey { get; } = new("--group-key") { Description = "The property that makes the groups, such as company. Needed for groups.", HelpName = "NAME" };

    public Option<string> Strict { get; } = new("--strict") { Description = "Mixpanel's validation, 0 or 1. Default: 1.", HelpName = "0|1", DefaultValueFactory = _ => "1" };

    public Option<string> Properties { get; } = new("--properties") { Description = "Properties shared by all events; an event's own value wins.", HelpName = "JSON|@FILE|@-" };

    public Option<int?> Senders { get; } = new("--senders") { Description = "How many requests at once, 1 to 20. Default: adaptive.", HelpName = "N" };

    public Option<int?> BatchEvents { get; } = new("--batch-events") { Description = "The most records in a request. Default: 2000.", HelpName = "N" };

    public Option<int?> BatchBytes { get; } = new("--batch-bytes") { Description = "The most bytes in a request, uncompressed. Default: 10 MB, a little less to be safe.", HelpName = "N" };

    public Option<string> BackoffMin { get; } = TransferOptions.BackoffMin();

    public Option<string> BackoffMax { get; } = TransferOptions.BackoffMax();

    public Option<string> MaxOutage { get; } = new("--max-outage") { Description = "How long Mixpanel may be unavailable. Default: 24h.", HelpName = "DURATION" };

    public Option<string[]> Fix { get; } = new("--fix") { Description = "Repairs, several with commas. time: times written as ISO 8601 text, with UTC or an offset or without a zone (UTC), or as digits become integers of seconds or milliseconds, which they get from micro- and nanoseconds, too. ids: a missing distinct_id is taken from $user_id, else $device_id, else empty: an event of nobody; a numeric one becomes text. nulls: null properties are removed. insert-ids: an $insert_id that Mixpanel does not take is hashed.", HelpName = "time,ids,nulls,insert-ids" };

    public Option<string[]> Rename { get; } = new("--rename") { Description = "Rename a property. A record that has the new name already is rejected. Repeatable.", HelpName = "OLD=NEW" };

    public Option<string[]> Drop { get; } = new("--drop") { Description = "Leave a property out. Repeatable.", HelpName = "KEY" };

    public Option<string> TimeOffset { get; } = new("--time-offset") { Description = "Hours to add to the time of every event, such as -5.5.", HelpName = "HOURS" };

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

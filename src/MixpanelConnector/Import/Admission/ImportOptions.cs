using System.Globalization;
using System.Text;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Validate;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Import.Admission;

/// <summary>
/// The options that affect the records and their destination, as stored in checkpoints, and a check of what changed options would do to events that
/// were already accepted: Mixpanel identifies events by event, time, distinct_id and $insert_id, and counts an event again when one of these differs.
/// </summary>
/// <param name="request">The import.</param>
/// <param name="options">The destination.</param>
/// <param name="lookedUp">A hash of the lookups of its mapping in other files; null for none.</param>
sealed class ImportOptions(ImportRequest request, MixpanelOptions options, string? lookedUp = null)
{
    /// <summary>The last line: missing ids are not computed from the positions of records, as they were in states of earlier versions.</summary>
    const string IdsOfBytes = "\nids=bytes";

    /// <summary>The options that do not change how columns become a record.</summary>
    static readonly string[] NotOfColumns = ["type=", "to=", "source_id=", "properties=", "shared=", "drop=", "rename=", "fix=", "time_offset=", "ids="];

    /// <summary>The fields by which Mixpanel identifies events, or which it uses instead.</summary>
    static readonly string[] Identity = ["event", "time", "distinct_id", "$insert_id", "$user_id", "$device_id"];

    /// <summary>The fields from which these may come.</summary>
    static readonly string[] HoldIdentity = [.. Identity, "properties"];

    /// <summary>The options as text. Shared properties are represented by a hash, since they may contain what must not be shown.</summary>
    public string Fingerprint => field ??= Write();

    /// <summary>Whether a checkpoint was made with these.</summary>
    public bool Are(ImportCheckpoint checkpoint) => checkpoint.OptionsFingerprint == Fingerprint || checkpoint.OptionsFingerprint + IdsOfBytes == Fingerprint;

    /// <summary>Whether the missing ids of a checkpoint of events are computed from their positions.</summary>
    public static bool ComputeIdsOfPlaces(ImportCheckpoint checkpoint) => !checkpoint.OptionsFingerprint.EndsWith(IdsOfBytes, StringComparison.Ordinal);

    /// <summary>The error for a checkpoint that was made with other options.</summary>
    public MixpanelException Differ(ImportCheckpoint checkpoint, string? deadLetters)
    {
        var (before, now) = (new Lines(checkpoint.OptionsFingerprint), new Lines(Fingerprint));
        return MixpanelException.Invalid("restart", IsOfOtherVersion(before, now)
            ? $"The checkpoint was created with the mapping of {request.Mapping!.Name} in another version of the Mixpanel Connector, which differs. "
                + $"Finish with that version{Replaying(checkpoint, deadLetters)}, or begin again with {request.InWords[Setting.Restart]}."
            : $"The checkpoint was created with other options ({before.Compared(now)}). Use the same options{Replaying(checkpoint, deadLetters)}, "
                + $"or begin again with {request.InWords[Setting.Restart]}.");
    }

    /// <summary>Whether nothing differs but the rules of a built-in mapping, which only another version of this program can have changed.</summary>
    bool IsOfOtherVersion(Lines before, Lines now) =>
        request.Mapping is { Vendor: not null } && before.Differs(now) is ([var then], [var current]) && WithoutRules(then) is { } mapping
            && mapping == WithoutRules(current);

    /// <summary>The line of a mapping without the hash of its rules; null for another line.</summary>
    static string? WithoutRules(string line) =>
        line.StartsWith("mapping=", StringComparison.Ordinal) && line.Split(' ', 3) is [var name, _, var others] ? $"{name} {others}" : null;

    /// <param name="known">What was accepted.</param>
    /// <param name="deadLetters">The dead-letter file, unless the checkpoint names it.</param>
    /// <param name="inputs">The inputs to send.</param>
    /// <exception cref="MixpanelException">Accepted events would be resent with a different identity.</exception>
    public void EnsureSameEvents(ImportCheckpoint known, string? deadLetters, IReadOnlyCollection<InputFile> inputs)
    {
        var (before, now) = (new Lines(known.OptionsFingerprint), new Lines(Fingerprint));
        if (request.Type is not ImportType.Events || known.Totals.Accepted == 0 || !before.SameAs(now, "type") || !before.SameAs(now, "to")) return;
        if (before.SameAs(now, "source_id") && !known.Sources.Any(source => inputs.Any(input => input.Id == source.Id || input.Place == source.Id)))
            return; // they are of other inputs
        var accepted = Counted.Of(known.Totals.Accepted, "event was", "events were");
        if (OtherIds(known, before, now) is { } reason)
            throw MixpanelException.Invalid("restart",
                $"{accepted} accepted, and {reason}: after a restart, events without an $insert_id of their own would get other ids, "
                + $"and Mixpanel would count them twice. Nothing was sent. {request.InWords.RunAtStart} without {request.InWords[Setting.Restart]} to resume{Replaying(known, deadLetters)}; or, if this is intended or every event has an $insert_id, add {request.InWords[Setting.NewIds]}.");
        if (OtherIdentity(before, now) is { } option)
            throw MixpanelException.Invalid("restart",
                $"{accepted} accepted, and {Changed(option, before, now)}: Mixpanel identifies events by event, time, distinct_id and $insert_id, "
                + $"and events for which one of these changes would count twice. Nothing was sent. {(IsOfOtherVersion(before, now) ? "Finish with that version" : $"{request.InWords.RunAtStart} as before")} and without {request.InWords[Setting.Restart]} to resume{Replaying(known, deadLetters)}; or, if this is intended or none of the four changes, add {request.InWords[Setting.NewIds]}.");
    }

    string Changed(string option, Lines before, Lines now) =>
        IsOfOtherVersion(before, now)
            ? $"the mapping of {request.Mapping!.Name} was different in the version of the Mixpanel Connector that began"
            : $"{request.InWords[Setting.OfImport(option)]} has changed";

    /// <summary>The advice that does not resend what was accepted, if something was rejected.</summary>
    string Replaying(ImportCheckpoint known, string? deadLetters) =>
        known is { Finished: true, Totals.Rejected: > 0 } && (known.DeadLetterPath ?? deadLetters) is { } path
            ? $"; or send only the rejected records, with the new options, with {request.InWords[Setting.Replay.With(path)]}"
            : "";

    /// <summary>Why computed ids would differ; null when they would not.</summary>
    static string? OtherIds(ImportCheckpoint known, Lines before, Lines now)
    {
        var ids = known.Sources.Max(source => source.ComputedIds) ?? ImportIds.None;
        return ComputeIdsOfPlaces(known) ? "an earlier version computed the missing $insert_ids from the positions of the events"
            : ids is ImportIds.OfPlaces ? string.Create(CultureInfo.InvariantCulture,
                $"more than {Occurrences.Most} different events of one source have no $insert_id, and the ids of some come from their positions")
            : ids is not ImportIds.None && !before.SameAs(now, "source_id") ? "the missing $insert_ids come from the source id, which has changed"
            : ids is not ImportIds.None && !before.SameAs(now, "encoding") ? "the missing $insert_ids come from the text, which is now read in another encoding"
            : ids is not ImportIds.None
                && !(before.SameAs(now, "quote")
                    && before.SameAs(now, "escape")) ? "the missing $insert_ids come from the rows, which are now split differently"
            : ids is ImportIds.OfColumns
                && !before.OfColumns.SequenceEqual(now.OfColumns,
                    StringComparer.Ordinal) ? "the missing $insert_ids come from the columns, which are now read differently"
            : null;
    }

    /// <summary>The property of the request that may change the identity of an accepted event; null when there is none.</summary>
    static string? OtherIdentity(Lines before, Lines now)
    {
        (string Name, string Property)[] whole =
        [
            ("encoding", nameof(ImportRequest.Encoding)), ("quote", nameof(ImportRequest.Quote)), ("escape", nameof(ImportRequest.Escape)),
            ("no_header", nameof(ImportRequest.NoHeader)), ("column_names", nameof(ImportRequest.ColumnNames)),
            ("null_values", nameof(ImportRequest.NullValues)), ("time_offset", nameof(ImportRequest.TimeOffset)),
            ("mapping", nameof(ImportRequest.Mapping)), ("shared", nameof(ImportRequest.Properties)),
        ];
        if (Array.Find(whole, option => !before.SameAs(now, option.Name)) is { Property: { } changed }) return changed;
        if (!TimesAreReadAlike(before, now))
            return !before.SameAs(now, "time_format") ? nameof(ImportRequest.TimeFormat)
                : !before.SameAs(now, "time_zone") ? nameof(ImportRequest.TimeZone)
                : nameof(ImportRequest.Fix);
        if (before.Fixes("ids") != now.Fixes("ids")) return nameof(ImportRequest.Fix);
        if (before.Of("event").Any() && now.Of("event").Any() && !before.SameAs(now, "event"))
            return nameof(ImportRequest.Event); // events with a name of their own keep it
        if (before.Differing(now, "map")
            .Exists(pair => HoldIdentity.Contains(pair.Name, StringComparer.Ordinal) || HoldIdentity.Contains(pair.Value, StringComparer.Ordinal)))
            return nameof(ImportRequest.Columns);
        var columns = HoldIdentity.Concat(before.Pairs("map")
            .Concat(now.Pairs("map"))
            .Where(pair => HoldIdentity.Contains(pair.Name, StringComparer.Ordinal))
            .Select(pair => pair.Value))
            .ToHashSet(StringComparer.Ordinal);
        if (before.Differing(now, "column_type").Exists(pair => columns.Contains(pair.Name) && pair is not { Name: "properties", Value: "json" }))
            return nameof(ImportRequest.ColumnTypes);
        if (before.Differing(now, "rename")
            .Exists(pair => Identity.Contains(pair.Name, StringComparer.Ordinal) || Identity.Contains(pair.Value, StringComparer.Ordinal)))
            return nameof(ImportRequest.Rename);
        return before.Differing(now, "drop").Exists(pair => Identity.Contains(pair.Name, StringComparer.Ordinal)) ? nameof(ImportRequest.Drop) : null;
    }

    /// <summary>
    /// Whether an accepted time stays the same. Without any conversion it was an integer, which stays, unless a format interprets its digits as a date.
    /// </summary>
    static bool TimesAreReadAlike(Lines before, Lines now)
    {
        if (before.SameAs(now, "time_format") && before.SameAs(now, "time_zone") && before.Fixes("time") == now.Fixes("time")) return true;
        return !before.Of("time_format").Concat(now.Of("time_format")).Any() && (!before.ReadsTimes || !now.ReadsTimes);
    }

    string SharedOfIdentity()
    {
        var shared = SharedProperties.Parse(request.Properties);
        return string.Join(',', Identity.Where(name => shared.IndexOf(Encoding.UTF8.GetBytes(name)) >= 0));
    }

    string Write()
    {
        var fingerprint = new StringBuilder();
        fingerprint.Append(CultureInfo.InvariantCulture, $"type={request.Type.ToString().ToLowerInvariant()}");
        fingerprint.Append(CultureInfo.InvariantCulture,
            $"\nto={(options.ProjectId is { } project ? $"project {project}" : $"token {Hash128.Of(Encoding.UTF8.GetBytes(options.Token ?? ""))}")} at {request.LocalStore ?? Hosts.BaseAddress(options, Api.Ingestion).AbsoluteUri}");
        if (request.TableId is { } table) fingerprint.Append(CultureInfo.InvariantCulture, $"\ntable_id={table}");
        if (request.GroupKey is not null) fingerprint.Append(CultureInfo.InvariantCulture, $"\ngroup_key={Uri.EscapeDataString(request.GroupKey)}");
        if (request.Properties is not null)
            fingerprint.Append(CultureInfo.InvariantCulture, $"\nproperties={Hash128.Of(Encoding.UTF8.GetBytes(request.Properties))}");
        if (SharedOfIdentity() is { Length: > 0 } shared) fingerprint.Append(CultureInfo.InvariantCulture, $"\nshared={shared}");
        if (request.SourceId is not null) fingerprint.Append(CultureInfo.InvariantCulture, $"\nsource_id={request.SourceId}");
        if (request.Format is not null) fingerprint.Append(CultureInfo.InvariantCulture, $"\nformat={request.Format}");
        if (request.Encoding is not null) fingerprint.Append(CultureInfo.InvariantCulture, $"\nencoding={TextEncoding.Find(request.Encoding)!.Name}");
        foreach (var (field, column) in request.Columns.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            fingerprint.Append(CultureInfo.InvariantCulture, $"\nmap={field}={column}");
        foreach (var (column, columnType) in request.ColumnTypes.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            fingerprint.Append(CultureInfo.InvariantCulture, $"\ncolumn_type={Uri.EscapeDataString(column)}={columnType.ToString().ToLowerInvariant()}");
        if (request.Mapping is { } mapping)
            fingerprint.Append(CultureInfo.InvariantCulture,
                $"\nmapping={mapping.Name} {mapping.Fingerprint}, {request.Identity.ToString().ToLowerInvariant()} identity{(lookedUp is null ? "" : $", looked up {lookedUp}")}");
        if (request.Preparation is { } preparation) fingerprint.Append(CultureInfo.InvariantCulture, $"\nprepared={preparation.Fingerprint}");
        if (request.Event is not null) fingerprint.Append(CultureInfo.InvariantCulture, $"\nevent={Uri.EscapeDataString(request.Event)}");
        if (request.Delimiter is { } delimiter) fingerprint.Append(CultureInfo.InvariantCulture, $"\ndelimiter={Uri.EscapeDataString(delimiter.ToString())}");
        if (request.Quote != '"')
            fingerprint.Append(CultureInfo.InvariantCulture, $"\nquote={(request.Quote is { } quote ? Uri.EscapeDataString(quote.ToString()) : "none")}");
        if (request.Escape is { } escape) fingerprint.Append(CultureInfo.InvariantCulture, $"\nescape={Uri.EscapeDataString(escape.ToString())}");
        if (request.SkipLines > 0) fingerprint.Append(CultureInfo.InvariantCulture, $"\nskip_lines={request.SkipLines}");
        if (request.NoHeader) fingerprint.Append("\nno_header");
        if (request.ColumnNames.Count > 0)
            fingerprint.Append(CultureInfo.InvariantCulture, $"\ncolumn_names={string.Join(',', request.ColumnNames.Select(Uri.EscapeDataString))}");
        if (request.DecimalSeparator != '.') fingerprint.Append(CultureInfo.InvariantCulture, $"\ndecimal={request.DecimalSeparator}");
        if (request.NullValues.Count > 0)
            fingerprint.Append(CultureInfo.InvariantCulture,
                $"\nnull_values={string.Join(',', request.NullValues.Order(StringComparer.Ordinal).Select(Uri.EscapeDataString))}");
        if (request.Drop.Count > 0)
            fingerprint.Append(CultureInfo.InvariantCulture,
                $"\ndrop={string.Join(',', request.Drop.Order(StringComparer.Ordinal).Select(Uri.EscapeDataString))}");
        if (request.Rename.Count > 0)
            fingerprint.Append(CultureInfo.InvariantCulture,
                $"\nrename={string.Join(',', request.Rename.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value)}"))}");
        if (request.Fix is not ImportFixes.None) fingerprint.Append(CultureInfo.InvariantCulture, $"\nfix={string.Join(", ", ImportFixNames.Of(request.Fix))}");
        if (request.TimeFormat is { } format) fingerprint.Append(CultureInfo.InvariantCulture, $"\ntime_format={Uri.EscapeDataString(format)}");
        if (request.TimeZone is { } zone) fingerprint.Append(CultureInfo.InvariantCulture, $"\ntime_zone={zone}");
        if (request.TimeOffset is { } offset) fingerprint.Append(CultureInfo.InvariantCulture, $"\ntime_offset={offset.TotalSeconds}s");
        if (request.Type is ImportType.Events) fingerprint.Append(IdsOfBytes);
        return fingerprint.ToString();
    }

    /// <summary>A fingerprint by lines: one per option, or several for a repeatable option.</summary>
    sealed class Lines(string fingerprint)
    {
        readonly string[] _lines = fingerprint.Split('\n');

        public IEnumerable<string> OfColumns => _lines.Where(line => !Array.Exists(NotOfColumns, option => line.StartsWith(option, StringComparison.Ordinal)));

        public bool ReadsTimes => Fixes("time") || Of("time_format").Any() || Of("time_zone").Any();

        public IEnumerable<string> Of(string option) => _lines.Where(line => line == option || line.StartsWith($"{option}=", StringComparison.Ordinal));

        public bool SameAs(Lines other, string option) => Of(option).SequenceEqual(other.Of(option), StringComparer.Ordinal);

        public bool Fixes(string fix) => Of("fix").Any(line => line["fix=".Length..].Split(", ").Contains(fix, StringComparer.Ordinal));

        /// <summary>The names in an option, each with its value.</summary>
        public IEnumerable<(string Name, string Value)> Pairs(string option) =>
            from line in Of(option)
            from pair in option is "map" ? [line[(option.Length + 1)..]] : line[(option.Length + 1)..].Split(',')
            let sign = pair.IndexOf('=', StringComparison.Ordinal)
            select (Named(pair[..(sign < 0 ? pair.Length : sign)]), sign < 0 ? "" : Named(pair[(sign + 1)..]));

        public List<(string Name, string Value)> Differing(Lines other, string option) =>
            [.. Pairs(option).Except(other.Pairs(option)), .. other.Pairs(option).Except(Pairs(option))];

        /// <summary>The lines that only this one has, and those that only the other has.</summary>
        public (string[] Mine, string[] Others) Differs(Lines other) =>
            ([.. _lines.Except(other._lines, StringComparer.Ordinal)], [.. other._lines.Except(_lines, StringComparer.Ordinal)]);

        /// <summary>What differs, as text.</summary>
        public string Compared(Lines other)
        {
            var (then, now) = Differs(other);
            return $"{Listed(then)} then, {Listed(now)} now";

            static string Listed(string[] lines) => lines.Length > 0 ? string.Join(", ", lines) : "nothing else";
        }

        static string Named(string name) => Uri.UnescapeDataString(name);
    }
}

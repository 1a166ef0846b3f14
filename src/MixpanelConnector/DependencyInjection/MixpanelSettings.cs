using System.Globalization;
using System.Numerics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace MixpanelConnector;

/// <summary>
/// The settings of an application that uses Mixpanel through <c>AddMixpanel</c>, from its configuration or its code. Validated when the host starts.
/// </summary>
public sealed class MixpanelSettings
{
    /// <inheritdoc cref="TrackerOptions.Enabled"/>
    public bool Enabled { get; set; } = true;

    /// <summary>The project token. Enough to track. Default: none.</summary>
    public string? Token { get; set; }

    /// <summary>The service account's user name, for queries and account management; if set, tracking also uses it. Default: none.</summary>
    public string? ServiceAccountUsername { get; set; }

    /// <summary>The service account's secret. Default: none.</summary>
    public MixpanelSecret? ServiceAccountSecret { get; set; }

    /// <summary>The project; needed with a service account. Default: none.</summary>
    public long? ProjectId { get; set; }

    /// <summary>The organization whose service accounts are managed. Default: the only one the service account can see.</summary>
    public long? OrganizationId { get; set; }

    /// <summary>The workspace whose flags and experiments are managed. Default: the only one the service account can see.</summary>
    public long? WorkspaceId { get; set; }

    /// <summary>The region of the project. Default: <see cref="MixpanelRegion.Us"/>. Not used when <see cref="Endpoint"/> is set.</summary>
    public MixpanelRegion Region { get; set; } = MixpanelRegion.Us;

    /// <summary>One base address that replaces every Mixpanel host: the embedded Mixpanel, a proxy, a test. Default: none.</summary>
    public Uri? Endpoint { get; set; }

    /// <inheritdoc cref="MixpanelOptions.AttemptTimeout"/>
    public TimeSpan? AttemptTimeout { get; set; }

    /// <inheritdoc cref="MixpanelOptions.MaxRetries"/>
    public int MaxRetries { get; set; } = new MixpanelOptions().MaxRetries;

    /// <inheritdoc cref="TrackerOptions.FlushInterval"/>
    public TimeSpan FlushInterval { get; set; } = new TrackerOptions().FlushInterval;

    /// <inheritdoc cref="TrackerOptions.BatchRecords"/>
    public int BatchRecords { get; set; } = new TrackerOptions().BatchRecords;

    /// <inheritdoc cref="TrackerOptions.Senders"/>
    public int Senders { get; set; } = new TrackerOptions().Senders;

    /// <inheritdoc cref="TrackerOptions.MaxBufferedBytes"/>
    public int MaxBufferedBytes { get; set; } = new TrackerOptions().MaxBufferedBytes;

    /// <inheritdoc cref="TrackerOptions.WhenFull"/>
    public WhenFull WhenFull { get; set; }

    /// <inheritdoc cref="TrackerOptions.WaitTimeout"/>
    public TimeSpan WaitTimeout { get; set; } = new TrackerOptions().WaitTimeout;

    /// <inheritdoc cref="TrackerOptions.StopTimeout"/>
    public TimeSpan StopTimeout { get; set; } = new TrackerOptions().StopTimeout;

    /// <summary>
    /// Properties for every event that does not set them itself. In a configuration, which contains only text, values that read as numbers become numbers,
    /// <c>true</c> and <c>false</c> become booleans, and text in double quotes always becomes a string; sections become objects, numbered ones lists. Default:
    /// none.
    /// </summary>
    public JsonObject SuperProperties { get; } = [];

    /// <inheritdoc cref="TrackerOptions.Redaction"/>
    public Redaction? Redaction { get; set; }

    /// <inheritdoc cref="TrackerOptions.SampleRates"/>
    public IDictionary<string, double> SampleRates { get; } = new Dictionary<string, double>(StringComparer.Ordinal);

    /// <inheritdoc cref="TrackerOptions.SampleBy"/>
    public Func<MixpanelUser, string?>? SampleBy { get; set; }

    /// <inheritdoc cref="TrackerOptions.BeforeSend"/>
    public IList<Func<OutgoingRecord, bool>> BeforeSend { get; } = [];

    /// <inheritdoc cref="TrackerOptions.IsOptedOut"/>
    public Func<MixpanelUser, bool>? IsOptedOut { get; set; }

    /// <inheritdoc cref="TrackerOptions.EventsTo"/>
    public EventEndpoint EventsTo { get; set; } = EventEndpoint.Import;

    /// <inheritdoc cref="TrackerOptions.AdoptUnowned"/>
    public bool AdoptUnowned { get; set; }

    /// <inheritdoc cref="MixpanelOptions.OnReply"/>
    public Action<MixpanelReply>? OnReply { get; set; }

    /// <inheritdoc cref="TrackerOptions.OnRejected"/>
    public Action<RejectedRecord>? OnRejected { get; set; }

    /// <summary>The settings that are one value in a configuration, with how each is read.</summary>
    static readonly Dictionary<string, Action<MixpanelSettings, string>> Values = new(StringComparer.OrdinalIgnoreCase)
    {
        [nameof(Token)] = (settings, value) => settings.Token = value,
        [nameof(ServiceAccountUsername)] = (settings, value) => settings.ServiceAccountUsername = value,
        [nameof(ServiceAccountSecret)] = (settings, value) => settings.ServiceAccountSecret = new MixpanelSecret(value),
        [nameof(ProjectId)] = (settings, value) => settings.ProjectId = Number<long>(value),
        [nameof(OrganizationId)] = (settings, value) => settings.OrganizationId = Number<long>(value),
        [nameof(WorkspaceId)] = (settings, value) => settings.WorkspaceId = Number<long>(value),
        [nameof(Region)] = (settings, value) => settings.Region = OneOf<MixpanelRegion>(value),
        [nameof(Endpoint)] = (settings, value) => settings.Endpoint = Uri.TryCreate(value, UriKind.Absolute, out var address)
            ? address
            : throw new FormatException("it must be a URL, such as http://127.0.0.1:8080"),
        [nameof(AttemptTimeout)] = (settings, value) => settings.AttemptTimeout = Length(value),
        [nameof(MaxRetries)] = (settings, value) => settings.MaxRetries = Number<int>(value),
        [nameof(FlushInterval)] = (settings, value) => settings.FlushInterval = Length(value),
        [nameof(BatchRecords)] = (settings, value) => settings.BatchRecords = Number<int>(value),
        [nameof(Senders)] = (settings, value) => settings.Senders = Number<int>(value),
        [nameof(MaxBufferedBytes)] = (settings, value) => settings.MaxBufferedBytes = Number<int>(value),
        [nameof(WhenFull)] = (settings, value) => settings.WhenFull = OneOf<WhenFull>(value),
        [nameof(WaitTimeout)] = (settings, value) => settings.WaitTimeout = Length(value),
        [nameof(StopTimeout)] = (settings, value) => settings.StopTimeout = Length(value),
        [nameof(EventsTo)] = (settings, value) => settings.EventsTo = OneOf<EventEndpoint>(value),
        [nameof(AdoptUnowned)] = (settings, value) => settings.AdoptUnowned = Flag(value),
        [nameof(Enabled)] = (settings, value) => settings.Enabled = Flag(value),
    };

    /// <summary>The settings that are a section, with what it must be and how each entry in it is read, for the options of a name.</summary>
    static readonly Dictionary<string, (string Form, Action<MixpanelSettings, string, IConfigurationSection> Bind)> Sections =
        new(StringComparer.OrdinalIgnoreCase)
        {
            [nameof(SuperProperties)] = ("names of properties with their values",
            (settings, _, property) => settings.SuperProperties[property.Key] = ConfiguredValue.Of(property)),
            [nameof(SampleRates)] = ("names of events with their rates",
            (settings, name, rate) => Read(name, rate, value => settings.SampleRates[rate.Key] = Fraction(value))),
            [nameof(Redaction)] = ("a section, such as Names and Patterns", (settings, name, part) => settings.BindRedaction(name, part)),
        };

    static readonly Dictionary<string, Func<Redaction, string, Redaction>> RedactionValues = new(StringComparer.OrdinalIgnoreCase)
    {
        [nameof(Redaction.EmailAddresses)] = (redaction, value) => redaction with { EmailAddresses = Flag(value) },
        [nameof(Redaction.CardNumbers)] = (redaction, value) => redaction with { CardNumbers = Flag(value) },
        [nameof(Redaction.Replacement)] = (redaction, value) => redaction with { Replacement = value },
    };

    static readonly Dictionary<string, Func<Redaction, IEnumerable<string>, Redaction>> RedactionLists = new(StringComparer.OrdinalIgnoreCase)
    {
        [nameof(Redaction.Names)] = (redaction, texts) => redaction with { Names = [.. redaction.Names, .. texts] },
        [nameof(Redaction.Patterns)] = (redaction, texts) => redaction with { Patterns = [.. redaction.Patterns, .. texts] },
    };

    /// <summary>Reads the settings from a configuration. An unknown name is an error.</summary>
    internal void Bind(string name, IEnumerable<IConfigurationSection> entries)
    {
        foreach (var entry in entries)
        {
            if (!Sections.TryGetValue(entry.Key, out var section))
            {
                Read(name, entry, value => (Values.GetValueOrDefault(entry.Key) ?? throw NoSuchSetting(entry))(this, value));
                continue;
            }

            Read(name, entry, _ => throw new FormatException($"it must be {section.Form}"), ofSection: true);
            foreach (var part in entry.GetChildren()) section.Bind(this, name, part);
        }
    }

    void BindRedaction(string name, IConfigurationSection part)
    {
        var redaction = Redaction ?? new();
        if (RedactionLists.TryGetValue(part.Key, out var add))
        {
            // A single text is a list with one item.
            Redaction = add(redaction, part.Value is { Length: > 0 } one ? [one] : part.GetChildren().Select(item => item.Value).OfType<string>());
            return;
        }

        Read(name, part, value => Redaction = RedactionValues.TryGetValue(part.Key, out var set)
            ? set(redaction, value)
            : throw new FormatException($"there is no such redaction setting; there are {string.Join(", ", RedactionLists.Keys.Concat(RedactionValues.Keys))}"));
    }

    static FormatException NoSuchSetting(IConfigurationSection entry)
    {
        var known = Values.Keys.Concat(Sections.Keys).ToList();
        var near = MixpanelSpelling.Nearest(entry.Key.ToUpperInvariant(), known.Select(each => each.ToUpperInvariant()));
        if (near is not null) return new($"there is no such setting; did you mean {known.Find(each => each.Equals(near, StringComparison.OrdinalIgnoreCase))}");
        return new(entry.Path == entry.Key
            ? "there is no such setting, and it is in no section: pass the section with the settings, such as configuration.GetSection(\"Mixpanel\")"
            : $"there is no such setting; there are {string.Join(", ", known)}");
    }

    /// <summary>Reads one value. An empty environment variable counts as not set.</summary>
    static void Read(string name, IConfigurationSection entry, Action<string> set, bool ofSection = false)
    {
        if (string.IsNullOrEmpty(entry.Value) && (ofSection || !entry.GetChildren().Any())) return;
        try
        {
            set(entry.Value ?? throw new FormatException("it must be one value"));
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            // The value itself may be a secret, so it is not shown.
            throw new OptionsValidationException(name, typeof(MixpanelSettings), [$"{entry.Path}: {e.Message.TrimEnd('.')}."]);
        }
    }

    internal MixpanelOptions ToOptions() => new()
    {
        Token = Token,
        ServiceAccount = ServiceAccountUsername is null && ServiceAccountSecret is null ? null
            : new(ServiceAccountUsername ?? throw MixpanelException.Invalid("service_account_username", "The service account's user name is missing."),
                ServiceAccountSecret ?? throw MixpanelException.Invalid("service_account_secret", "The service account's secret is missing.")),
        ProjectId = ProjectId,
        OrganizationId = OrganizationId,
        WorkspaceId = WorkspaceId,
        Region = Region,
        Endpoint = Endpoint,
        AttemptTimeout = AttemptTimeout,
        MaxRetries = MaxRetries,
        OnReply = OnReply,
    };

    internal TrackerOptions ToTrackerOptions() => new()
    {
        FlushInterval = FlushInterval,
        BatchRecords = BatchRecords,
        Senders = Senders,
        MaxBufferedBytes = MaxBufferedBytes,
        WhenFull = WhenFull,
        WaitTimeout = WaitTimeout,
        StopTimeout = StopTimeout,
        SuperProperties = SuperProperties,
        EventsTo = EventsTo,
        AdoptUnowned = AdoptUnowned,
        OnRejected = OnRejected,
        Enabled = Enabled,
        Redaction = Redaction,
        SampleRates = SampleRates.ToDictionary(StringComparer.Ordinal),
        SampleBy = SampleBy,
        BeforeSend = [.. BeforeSend],
        IsOptedOut = IsOptedOut,
    };

    static T Number<T>(string value)
        where T : IBinaryInteger<T> =>
        T.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException("it must be a whole number");

    static bool Flag(string value) => bool.TryParse(value, out var flag) ? flag : throw new FormatException("it must be true or false");

    static double Fraction(string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate)
            ? rate
            : throw new FormatException("it must be a number from 0 to 1");

    static TimeSpan Length(string value) =>
        TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var length) ? length : throw new FormatException("it must be a duration, such as 00:00:05");

    /// <summary>Parses a single name of an enumeration, case-insensitive; numbers and combinations are not accepted.</summary>
    static T OneOf<T>(string value)
        where T : struct, Enum =>
        Enum.GetNames<T>().FirstOrDefault(name => name.Equals(value.Trim(), StringComparison.OrdinalIgnoreCase)) is { } known
            ? Enum.Parse<T>(known)
            : throw new FormatException($"it must be one of {string.Join(", ", Enum.GetNames<T>())}");
}

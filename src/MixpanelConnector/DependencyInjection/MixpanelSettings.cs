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
    public Secret? ServiceAccountSecret { get; set; }

    /// <summary>The project; needed with a service account. Default: none.</summary>
    public long? ProjectId { get; set; }

    /// <summary>The organization whose service accounts are managed. Default: the only one the service account can see.</summary>
    public long? OrganizationId { get; set; }

    /// <summary>The region of the project. Default: <see cref="MixpanelRegion.Us"/>.</summary>
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

    /// <summary>Reads the settings from a configuration. An unknown name is an error.</summary>
    internal void Bind(string name, IEnumerable<IConfigurationSection> entries)
    {
        foreach (var entry in entries)
        {
            if (entry.Key.Equals(nameof(SuperProperties), StringComparison.OrdinalIgnoreCase))
            {
                EnsureSection(name, entry, "names of properties with their values");
                foreach (var property in entry.GetChildren()) SuperProperties[property.Key] = ConfiguredValue.Of(property);
            }
            else if (entry.Key.Equals(nameof(SampleRates), StringComparison.OrdinalIgnoreCase))
            {
                EnsureSection(name, entry, "names of events with their rates");
                foreach (var rate in entry.GetChildren()) Read(name, rate, value => SampleRates[rate.Key] = Fraction(value));
            }
            else if (entry.Key.Equals(nameof(Redaction), StringComparison.OrdinalIgnoreCase))
            {
                EnsureSection(name, entry, "a section, such as Names and Patterns");
                foreach (var part in entry.GetChildren()) BindRedaction(name, part);
            }
            else
            {
                Read(name, entry, value => Set(entry.Key, value));
            }
        }
    }

    void BindRedaction(string name, IConfigurationSection part)
    {
        var redaction = Redaction ?? new();
        switch (part.Key.ToUpperInvariant())
        {
            case "NAMES":
                Redaction = redaction with { Names = [.. redaction.Names, .. Texts()] };
                break;
            case "PATTERNS":
                Redaction = redaction with { Patterns = [.. redaction.Patterns, .. Texts()] };
                break;
            case "EMAILADDRESSES":
                Read(name, part, value => Redaction = redaction with { EmailAddresses = Flag(value) });
                break;
            case "CARDNUMBERS":
                Read(name, part, value => Redaction = redaction with { CardNumbers = Flag(value) });
                break;
            case "REPLACEMENT":
                Read(name, part, value => Redaction = redaction with { Replacement = value });
                break;
            default:
                Read(name, part, _ => throw new FormatException("there is no such redaction setting; there are Names, Patterns, EmailAddresses, CardNumbers, Replacement"));
                break;
        }

        // A single text is a list with one item.
        IEnumerable<string> Texts() => part.Value is { Length: > 0 } one ? [one] : part.GetChildren().Select(item => item.Value).OfType<string>();
    }

    static void EnsureSection(string name, IConfigurationSection entry, string what) => Read(name, entry, _ => throw new FormatException($"it must be {what}"), ofSection: true);

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
            : new(ServiceAccountUsername ?? throw MixpanelException.Invalid("service_account_username", "The service account's user name is missing."), ServiceAccountSecret ?? throw MixpanelException.Invalid("service_account_secret", "The service account's secret is missing.")),
        ProjectId = ProjectId,
        OrganizationId = OrganizationId,
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

    static readonly string[] Known =
    [
        nameof(Token), nameof(ServiceAccountUsername), nameof(ServiceAccountSecret), nameof(ProjectId), nameof(OrganizationId), nameof(Region), nameof(Endpoint), nameof(AttemptTimeout), nameof(MaxRetries), nameof(FlushInterval),
        nameof(BatchRecords), nameof(Senders), nameof(MaxBufferedBytes), nameof(WhenFull), nameof(WaitTimeout), nameof(StopTimeout), nameof(SuperProperties), nameof(EventsTo), nameof(AdoptUnowned),
        nameof(Enabled), nameof(Redaction), nameof(SampleRates),
    ];

    void Set(string name, string value)
    {
        switch (name.ToUpperInvariant())
        {
            case "TOKEN":
                Token = value;
                break;
            case "SERVICEACCOUNTUSERNAME":
                ServiceAccountUsername = value;
                break;
            case "SERVICEACCOUNTSECRET":
                ServiceAccountSecret = new Secret(value);
                break;
            case "PROJECTID":
                ProjectId = Number<long>(value);
                break;
            case "ORGANIZATIONID":
                OrganizationId = Number<long>(value);
                break;
            case "REGION":
                Region = OneOf<MixpanelRegion>(value);
                break;
            case "ENDPOINT":
                Endpoint = Uri.TryCreate(value, UriKind.Absolute, out var address) ? address : throw new FormatException("it must be a URL, such as http://127.0.0.1:8080");
                break;
            case "ATTEMPTTIMEOUT":
                AttemptTimeout = Length(value);
                break;
            case "MAXRETRIES":
                MaxRetries = Number<int>(value);
                break;
            case "WAITTIMEOUT":
                WaitTimeout = Length(value);
                break;
            case "STOPTIMEOUT":
                StopTimeout = Length(value);
                break;
            case "FLUSHINTERVAL":
                FlushInterval = Length(value);
                break;
            case "BATCHRECORDS":
                BatchRecords = Number<int>(value);
                break;
            case "SENDERS":
                Senders = Number<int>(value);
                break;
            case "MAXBUFFEREDBYTES":
                MaxBufferedBytes = Number<int>(value);
                break;
            case "WHENFULL":
                WhenFull = OneOf<WhenFull>(value);
                break;
            case "EVENTSTO":
                EventsTo = OneOf<EventEndpoint>(value);
                break;
            case "ADOPTUNOWNED":
                AdoptUnowned = Flag(value);
                break;
            case "ENABLED":
                Enabled = Flag(value);
                break;
            default:
                throw new FormatException($"there is no such setting{(Spelling.Nearest(name.ToUpperInvariant(), Known.Select(known => known.ToUpperInvariant())) is { } near ? $"; did you mean {Known.First(known => known.Equals(near, StringComparison.OrdinalIgnoreCase))}" : $"; there are {string.Join(", ", Known)}")}");
        }
    }

    static T Number<T>(string value)
        where T : IBinaryInteger<T> =>
        T.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw new FormatException("it must be a whole number");

    static bool Flag(string value) => bool.TryParse(value, out var flag) ? flag : throw new FormatException("it must be true or false");

    static double Fraction(string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate) ? rate : throw new FormatException("it must be a number from 0 to 1");

    static TimeSpan Length(string value) =>
        TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var length) ? length : throw new FormatException("it must be a duration, such as 00:00:05");

    /// <summary>Parses a single name of an enumeration, case-insensitive; numbers and combinations are not accepted.</summary>
    static T OneOf<T>(string value)
        where T : struct, Enum =>
        Enum.GetNames<T>().FirstOrDefault(name => name.Equals(value.Trim(), StringComparison.OrdinalIgnoreCase)) is { } known ? Enum.Parse<T>(known) : throw new FormatException($"it must be one of {string.Join(", ", Enum.GetNames<T>())}");
}

using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace MixpanelConnector;

/// <summary>The settings of an application that uses Mixpanel by <c>AddMixpanel</c>: what its configuration says, or its code. Checked when the host starts.</summary>
public sealed class MixpanelSettings
{
    /// <summary>The project token. Enough to track. Default: none.</summary>
    public string? Token { get; set; }

    /// <summary>The service account's user name, for queries and account management; tracking uses it too where it is set. Default: none.</summary>
    public string? ServiceAccountUsername { get; set; }

    /// <summary>The service account's secret. Default: none.</summary>
    public Secret? ServiceAccountSecret { get; set; }

    /// <summary>The project; needed with a service account. Default: none.</summary>
    public long? ProjectId { get; set; }

    /// <summary>The organization whose service accounts are managed. Default: the only one the service account can see.</summary>
    public long? OrganizationId { get; set; }

    /// <summary>The region of the project. Default: <see cref="MixpanelRegion.Us"/>.</summary>
    public MixpanelRegion Region { get; set; } = MixpanelRegion.Us;

    /// <summary>One base address in place of every Mixpanel host: the embedded Mixpanel, a proxy, a test. Default: none.</summary>
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

    /// <summary>Properties for every event that does not have them of its own. In a configuration, which knows only text, what reads as a number is one, <c>true</c> and <c>false</c> are booleans, and text in double quotes is text whatever it reads as; sections are objects, numbered ones lists. Default: none.</summary>
    public JsonObject SuperProperties { get; } = [];

    /// <inheritdoc cref="TrackerOptions.AdoptUnowned"/>
    public bool AdoptUnowned { get; set; }

    /// <inheritdoc cref="TrackerOptions.OnRejected"/>
    public Action<RejectedRecord>? OnRejected { get; set; }

    /// <summary>Takes the settings over that a section of the configuration has. An unknown name is an error.</summary>
    internal void Bind(string name, IConfiguration section)
    {
        foreach (var entry in section.GetChildren())
        {
            if (entry.Key.Equals(nameof(SuperProperties), StringComparison.OrdinalIgnoreCase))
            {
                foreach (var property in entry.GetChildren()) SuperProperties[property.Key] = ConfiguredValue.Of(property);
                continue;
            }

            if (string.IsNullOrEmpty(entry.Value) && !entry.GetChildren().Any()) continue; // an empty variable of the environment is none
            try
            {
                Set(entry.Key, entry.Value ?? throw new FormatException("it must be one value"));
            }
            catch (Exception e) when (e is FormatException or OverflowException or ArgumentException or NotSupportedException)
            {
                // The value itself may be a secret: it is not shown.
                throw new OptionsValidationException(name, typeof(MixpanelSettings), [$"{entry.Path}: {(e is FormatException and not UriFormatException ? "the value is not of the setting's form" : e.Message)}."]);
            }
        }
    }

    internal MixpanelOptions ToOptions() => new()
    {
        Token = Token,
        ServiceAccount = ServiceAccountUsername is null && ServiceAccountSecret is null ? null
            : new(ServiceAccountUsername ?? throw MixpanelException.Invalid("service_account_username", "A service account needs its user name."), ServiceAccountSecret ?? throw MixpanelException.Invalid("service_account_secret", "A service account needs its secret.")),
        ProjectId = ProjectId,
        OrganizationId = OrganizationId,
        Region = Region,
        Endpoint = Endpoint,
        AttemptTimeout = AttemptTimeout,
        MaxRetries = MaxRetries,
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
        AdoptUnowned = AdoptUnowned,
        OnRejected = OnRejected,
    };

    void Set(string name, string value)
    {
        var invariant = CultureInfo.InvariantCulture;
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
                ProjectId = long.Parse(value, invariant);
                break;
            case "ORGANIZATIONID":
                OrganizationId = long.Parse(value, invariant);
                break;
            case "REGION":
                Region = Enum.Parse<MixpanelRegion>(value, ignoreCase: true);
                break;
            case "ENDPOINT":
                Endpoint = new Uri(value);
                break;
            case "ATTEMPTTIMEOUT":
                AttemptTimeout = TimeSpan.Parse(value, invariant);
                break;
            case "MAXRETRIES":
                MaxRetries = int.Parse(value, invariant);
                break;
            case "WAITTIMEOUT":
                WaitTimeout = TimeSpan.Parse(value, invariant);
                break;
            case "STOPTIMEOUT":
                StopTimeout = TimeSpan.Parse(value, invariant);
                break;
            case "FLUSHINTERVAL":
                FlushInterval = TimeSpan.Parse(value, invariant);
                break;
            case "BATCHRECORDS":
                BatchRecords = int.Parse(value, invariant);
                break;
            case "SENDERS":
                Senders = int.Parse(value, invariant);
                break;
            case "MAXBUFFEREDBYTES":
                MaxBufferedBytes = int.Parse(value, invariant);
                break;
            case "WHENFULL":
                WhenFull = Enum.Parse<WhenFull>(value, ignoreCase: true);
                break;
            case "ADOPTUNOWNED":
                AdoptUnowned = bool.Parse(value);
                break;
            default:
                throw new NotSupportedException("there is no such setting");
        }
    }
}

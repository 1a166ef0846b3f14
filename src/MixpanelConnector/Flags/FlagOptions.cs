namespace MixpanelConnector;

/// <summary>How flags are kept up to date and exposures are reported. Immutable: change a copy with <c>with</c>.</summary>
public sealed record FlagOptions
{
    /// <summary>
    /// Whether the definitions are fetched. Default: true; set it to false when Mixpanel evaluates all flags, through
    /// <see cref="MixpanelFlags.EvaluateRemotelyAsync"/>.
    /// </summary>
    public bool FetchesDefinitions { get; init; } = true;

    /// <summary>
    /// The interval between fetches of the definitions, less a random tenth at most, so that many processes do not fetch at once. From a second to a day.
    /// Default: 1 minute.
    /// </summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The timeout of a request, up to a minute. Default: 10 seconds.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The longest time that the start of a host waits for the first definitions, up to a minute; then it starts without them. Default: 2 seconds.
    /// </summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// A folder for the last good definitions, so that they are available at a start without a network; only its owner can read it. Default: none.
    /// </summary>
    public string? Folder { get; init; }

    /// <summary>
    /// Whether an exposure is reported once per person, flag, variant and experiment. It is reported again only after ten minutes or more without one, or after
    /// 25,000 others. Default: true.
    /// </summary>
    public bool DeduplicatesExposures { get; init; } = true;

    /// <summary>Called after different definitions have taken effect, on a thread of the flags. Its exceptions are logged. Default: none.</summary>
    public Action? OnChanged { get; init; }

    internal FlagOptions Validated()
    {
        if (PollInterval < TimeSpan.FromSeconds(1) || PollInterval > TimeSpan.FromDays(1))
            throw MixpanelException.Invalid("poll_interval", "The poll interval must be from a second to a day.");
        if (RequestTimeout <= TimeSpan.Zero || RequestTimeout > TimeSpan.FromMinutes(1))
            throw MixpanelException.Invalid("request_timeout", "The request timeout must be above zero and at most a minute.");
        if (StartTimeout < TimeSpan.Zero || StartTimeout > TimeSpan.FromMinutes(1))
            throw MixpanelException.Invalid("start_timeout", "The start timeout must be from zero to a minute.");
        if (Folder is { Length: 0 }) throw MixpanelException.Invalid("folder", "The folder for the last good definitions is empty: name one, or omit it.");
        return this;
    }
}

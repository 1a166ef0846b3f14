using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The source of the settings with a name.</summary>
/// <param name="OptionsName">The name.</param>
/// <param name="Entries">The settings; when a name occurs twice, the later entry takes precedence.</param>
/// <param name="ReloadToken">Signals the next reload of the configuration.</param>
sealed record SettingsSource(string OptionsName, Func<IEnumerable<IConfigurationSection>> Entries, Func<IChangeToken> ReloadToken);

/// <summary>
/// Lets a running process switch to a different service account when its settings change. Settings that identify the project stay as they are: accepted
/// records belong to that project. Invalid settings change nothing, and throw no exception at code that only reloads a configuration.
/// </summary>
sealed partial class SettingsWatch : IDisposable
{
    readonly string _optionsName;
    readonly IOptionsFactory<MixpanelSettings> _factory;
    readonly ILogger _logger;
    readonly MixpanelOptions _started;
    readonly List<IDisposable?> _watching;
    readonly Lock _lock = new();
    string _said = "";

    public SettingsWatch(IServiceProvider provider, string optionsName, MixpanelOptions options)
    {
        (_optionsName, _started) = (optionsName, options);
        _factory = provider.GetRequiredService<IOptionsFactory<MixpanelSettings>>();
        _logger = HarmlessLogger.Create(options, "MixpanelConnector.Settings");
        Rotation = options.ServiceAccount is { } account ? new(account) : null;
        List<SettingsSource> sources = [.. provider.GetServices<SettingsSource>().Where(source => source.OptionsName == optionsName)];
        _watching =
        [
            .. sources.Select(source => ChangeToken.OnChange(source.ReloadToken, Reload)),
            provider.GetRequiredService<IOptionsMonitor<MixpanelSettings>>().OnChange((settings, name) =>
            {
                if (name == optionsName) Try(() => settings);
            }),
        ];
        if (sources.Count > 0) Reload(); // changes since the start
    }

    /// <summary>The service account in use; null if there was none at the start.</summary>
    public AccountRotation? Rotation { get; }

    /// <summary>The options at the start; their service account may be replaced.</summary>
    public MixpanelOptions Options => _started with { Rotation = Rotation };

    public void Dispose() => _watching.ForEach(watching => watching?.Dispose());

    void Reload() => Try(() => _factory.Create(_optionsName));

    void Try(Func<MixpanelSettings> settings)
    {
        try
        {
            lock (_lock) Take(settings().ToOptions().Validated());
        }
        catch (Exception e)
        {
            // A configuration source may throw any exception, and its message may contain a secret.
            Say(e is OptionsValidationException or MixpanelException ? e.Message : e.GetType().Name, LogNotTaken);
        }
    }

    void Take(MixpanelOptions options)
    {
        List<string> fixedSettings = [];
        if (options.Token != _started.Token) fixedSettings.Add(nameof(options.Token));
        if (options.ProjectId != _started.ProjectId) fixedSettings.Add(nameof(options.ProjectId));
        if (options.Region != _started.Region) fixedSettings.Add(nameof(options.Region));
        if (options.Endpoint != _started.Endpoint) fixedSettings.Add(nameof(options.Endpoint));
        if (options.ServiceAccount is null != _started.ServiceAccount is null) fixedSettings.Add(nameof(options.ServiceAccount));
        if (fixedSettings.Count > 0)
        {
            Say(string.Join(", ", fixedSettings), LogFixed);
            return;
        }

        _said = "";
        if (options.ServiceAccount is { } account && Rotation!.Replace(account)) LogReplaced();
    }

    /// <summary>Logs a message once, however often the configuration is reloaded.</summary>
    void Say(string what, Action<string> say)
    {
        lock (_lock)
        {
            if (_said == what) return;
            _said = what;
        }

        say(what);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The service account was replaced; requests use the new one from now on")]
    partial void LogReplaced();

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The configuration has a different {Settings} than at the start of this process. "
            + "Records for the previous project or endpoint may still be waiting: nothing, including the credentials, changes until the next start")]
    partial void LogFixed(string settings);

    [LoggerMessage(Level = LogLevel.Error, Message = "The configuration was reloaded and is invalid; the credentials are unchanged. {Message}")]
    partial void LogNotTaken(string message);
}

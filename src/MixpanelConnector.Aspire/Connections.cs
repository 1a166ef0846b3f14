using Microsoft.Extensions.Hosting;

namespace MixpanelConnector.Aspire;

/// <summary>The connections that were added to a host builder so far.</summary>
sealed class Connections
{
    readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);
    readonly HashSet<string> _keys = new(StringComparer.Ordinal);

    public static Connections Of(IHostApplicationBuilder builder)
    {
        if (builder.Properties.TryGetValue(typeof(Connections), out var held)) return (Connections)held;
        var connections = new Connections();
        builder.Properties[typeof(Connections)] = connections;
        return connections;
    }

    /// <summary>Whether a section of <c>Aspire:Mixpanel</c> belongs to a single connection.</summary>
    public bool IsName(string section) => _names.Contains(section);

    public void Add(string connectionName, string? key)
    {
        if (!_keys.Add(key ?? ""))
            throw new InvalidOperationException(key is null
                ? "AddMixpanel has already been called: add a second project with AddKeyedMixpanel."
                : $"AddKeyedMixpanel has already been called with {key}.");
        _names.Add(connectionName);
    }
}

using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Emulator;

/// <summary>What was expected did not arrive, or something else did. The message shows what did.</summary>
public sealed class EmulatorAssertionException : Exception
{
    /// <summary>Says what was expected, and what there is.</summary>
    /// <param name="message">The message.</param>
    public EmulatorAssertionException(string message)
        : base(message)
    {
    }

    const int MostShown = 20;

    internal static EmulatorAssertionException Of(string expected, string found, IEnumerable<string> all)
    {
        var message = new StringBuilder($"Expected {expected}, found {found}. There are:");
        var shown = all.Take(MostShown + 1).ToList();
        foreach (var one in shown.Take(MostShown))
            message.Append("\n  ").Append(one);
        return new EmulatorAssertionException(message.Append(shown.Count > MostShown ? "\n  …" : shown.Count == 0 ? " none" : "").ToString());
    }
}

/// <summary>Assertions for tests, on what an embedded Mixpanel has received. All throw <see cref="EmulatorAssertionException"/>.</summary>
public static class EmulatorAssertions
{
    /// <summary>Exactly one event fits, after deduplication; it is returned.</summary>
    /// <param name="mixpanel">The embedded Mixpanel.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="distinctId">Whose it must be. Default: anybody's.</param>
    /// <param name="properties">What must hold for its properties. Default: nothing.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public static async Task<StoredEvent> AssertEventAsync(
        this EmulatedMixpanel mixpanel, string name, string? distinctId = null, Func<JsonElement, bool>? properties = null, CancellationToken cancellationToken = default)
    {
        var found = await mixpanel.AssertEventsAsync(name, 1, distinctId, properties, cancellationToken).ConfigureAwait(false);
        return found[0];
    }

    /// <summary>So many events fit, after deduplication; they are returned in the order of storing.</summary>
    /// <param name="mixpanel">The embedded Mixpanel.</param>
    /// <param name="name">The events' name.</param>
    /// <param name="count">How many.</param>
    /// <param name="distinctId">Whose they must be. Default: anybody's.</param>
    /// <param name="properties">What must hold for their properties. Default: nothing.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public static async Task<IReadOnlyList<StoredEvent>> AssertEventsAsync(
        this EmulatedMixpanel mixpanel, string name, int count, string? distinctId = null, Func<JsonElement, bool>? properties = null, CancellationToken cancellationToken = default)
    {
        var all = await mixpanel.EventsAsync(deduplicated: true, cancellationToken).ConfigureAwait(false);
        var found = all.Where(e => e.Name == name && (distinctId is null || e.DistinctId == distinctId) && (properties is null || properties(JsonElement.Parse(e.Properties)))).ToList();
        var whose = distinctId is null ? "" : $" of '{distinctId}'";
        var how = properties is null ? "" : " with these properties";
        return found.Count == count ? found : throw EmulatorAssertionException.Of($"{count} events '{name}'{whose}{how}", $"{found.Count}", all.Select(e => $"'{e.Name}' of '{e.DistinctId}' {e.Properties}"));
    }

    /// <summary>No event was stored.</summary>
    /// <param name="mixpanel">The embedded Mixpanel.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public static async Task AssertNoEventsAsync(this EmulatedMixpanel mixpanel, CancellationToken cancellationToken = default)
    {
        var all = await mixpanel.EventsAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        if (all.Count > 0)
            throw EmulatorAssertionException.Of("no events", $"{all.Count}", all.Select(e => $"'{e.Name}' of '{e.DistinctId}' {e.Properties}"));
    }

    /// <summary>There is a user profile that fits; it is returned.</summary>
    /// <param name="mixpanel">The embedded Mixpanel.</param>
    /// <param name="distinctId">The user.</param>
    /// <param name="properties">What must hold for its properties. Default: nothing.</param>
    /// <param name="cancellationToken">Gives up before reading.</param>
    public static async Task<StoredProfile> AssertProfileAsync(
        this EmulatedMixpanel mixpanel, string distinctId, Func<JsonElement, bool>? properties = null, CancellationToken cancellationToken = default)
    {
        var all = await mixpanel.ProfilesAsync(cancellationToken).ConfigureAwait(false);
        return all.FirstOrDefault(profile => profile.DistinctId == distinctId && (properties is null || properties(JsonElement.Parse(profile.Properties))))
            ?? throw EmulatorAssertionException.Of($"a profile of '{distinctId}'{(properties is null ? "" : " with these properties")}", "none", all.Select(profile => $"'{profile.DistinctId}' {profile.Properties}"));
    }

    /// <summary>Every request was answered with a status below 400.</summary>
    /// <param name="mixpanel">The embedded Mixpanel.</param>
    public static void AssertNothingRefused(this EmulatedMixpanel mixpanel)
    {
        var refused = mixpanel.Requests.Where(request => request.Status is null or >= 400).ToList();
        if (refused.Count > 0)
            throw EmulatorAssertionException.Of("no request to be refused", $"{refused.Count}", refused.Select(request => $"{request.Method} {request.Path}{request.Query}: {request.Status?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "ended"}"));
    }
}

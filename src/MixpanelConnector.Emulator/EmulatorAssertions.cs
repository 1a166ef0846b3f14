using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Emulator;

/// <summary>The exception that is thrown when the expected data was not received, or other data was. The message shows the received data.</summary>
public sealed class EmulatorAssertionException : Exception
{
    /// <summary>Creates the exception with what was expected and what was received.</summary>
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

/// <summary>Assertions for tests on what an embedded Mixpanel has received. All of them throw <see cref="EmulatorAssertionException"/>.</summary>
public static class EmulatorAssertions
{
    /// <summary>Asserts that exactly one event matches, after deduplication, and returns it.</summary>
    /// <param name="mixpanel">The embedded Mixpanel.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="distinctId">The required <c>distinct_id</c>. Default: any.</param>
    /// <param name="properties">A condition on its properties. Default: none.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    /// <exception cref="EmulatorAssertionException">No event matches, or several do.</exception>
    public static async Task<StoredEvent> AssertEventAsync(
        this EmulatedMixpanel mixpanel, string name, string? distinctId = null, Func<JsonElement, bool>? properties = null,
        CancellationToken cancellationToken = default)
    {
        var found = await mixpanel.AssertEventsAsync(name, 1, distinctId, properties, cancellationToken).ConfigureAwait(false);
        return found[0];
    }

    /// <summary>Asserts how many events match, after deduplication, and returns them in the order in which they were stored.</summary>
    /// <param name="mixpanel">The embedded Mixpanel.</param>
    /// <param name="name">The events' name.</param>
    /// <param name="count">The expected number.</param>
    /// <param name="distinctId">The required <c>distinct_id</c>. Default: any.</param>
    /// <param name="properties">A condition on their properties. Default: none.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    /// <exception cref="EmulatorAssertionException">Another number of events matches.</exception>
    public static async Task<IReadOnlyList<StoredEvent>> AssertEventsAsync(
        this EmulatedMixpanel mixpanel, string name, int count, string? distinctId = null, Func<JsonElement, bool>? properties = null,
        CancellationToken cancellationToken = default)
    {
        var all = await mixpanel.EventsAsync(deduplicated: true, cancellationToken).ConfigureAwait(false);
        var found = all.Where(e => e.Name == name && (distinctId is null || e.DistinctId == distinctId)
            && (properties is null || properties(JsonElement.Parse(e.Properties)))).ToList();
        var whose = distinctId is null ? "" : $" of '{distinctId}'";
        var how = properties is null ? "" : " with these properties";
        return found.Count == count
            ? found
            : throw EmulatorAssertionException.Of($"{count} events '{name}'{whose}{how}", $"{found.Count}",
                all.Select(e => $"'{e.Name}' of '{e.DistinctId}' {e.Properties}"));
    }

    /// <summary>Asserts that no event was stored.</summary>
    /// <param name="mixpanel">The embedded Mixpanel.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    /// <exception cref="EmulatorAssertionException">An event was stored.</exception>
    public static async Task AssertNoEventsAsync(this EmulatedMixpanel mixpanel, CancellationToken cancellationToken = default)
    {
        var all = await mixpanel.EventsAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        if (all.Count > 0) throw EmulatorAssertionException.Of("no events", $"{all.Count}", all.Select(e => $"'{e.Name}' of '{e.DistinctId}' {e.Properties}"));
    }

    /// <summary>Asserts that a user profile matches, and returns it.</summary>
    /// <param name="mixpanel">The embedded Mixpanel.</param>
    /// <param name="distinctId">The user.</param>
    /// <param name="properties">A condition on its properties. Default: none.</param>
    /// <param name="cancellationToken">Cancels before reading.</param>
    /// <exception cref="EmulatorAssertionException">No profile matches.</exception>
    public static async Task<StoredProfile> AssertProfileAsync(
        this EmulatedMixpanel mixpanel, string distinctId, Func<JsonElement, bool>? properties = null, CancellationToken cancellationToken = default)
    {
        var all = await mixpanel.ProfilesAsync(cancellationToken).ConfigureAwait(false);
        return all.FirstOrDefault(profile => profile.DistinctId == distinctId && (properties is null || properties(JsonElement.Parse(profile.Properties))))
            ?? throw EmulatorAssertionException.Of($"a profile of '{distinctId}'{(properties is null ? "" : " with these properties")}", "none",
                all.Select(profile => $"'{profile.DistinctId}' {profile.Properties}"));
    }

    /// <summary>Asserts that every request was answered with a status below 400.</summary>
    /// <param name="mixpanel">The embedded Mixpanel.</param>
    /// <exception cref="EmulatorAssertionException">A request was refused, or is not answered yet.</exception>
    public static void AssertNothingRefused(this EmulatedMixpanel mixpanel)
    {
        var refused = mixpanel.Requests.Where(request => request.Status is null or >= 400).ToList();
        if (refused.Count > 0)
            throw EmulatorAssertionException.Of("no rejected requests", $"{refused.Count}",
                refused.Select(request => $"{request.Method} {request.Path}{request.Query}: {request.Status?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "ended"}"));
    }
}

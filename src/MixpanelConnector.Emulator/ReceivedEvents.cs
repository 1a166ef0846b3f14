using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Emulator;

/// <summary>
/// The data received by an embedded Mixpanel, for assertions in tests of any framework. All assertions throw <see cref="EmulatorAssertionException"/>.
/// </summary>
public sealed class Received
{
    readonly EmulatedMixpanel _mixpanel;
    readonly int? _projectId;

    internal Received(EmulatedMixpanel mixpanel, int? projectId) => (_mixpanel, _projectId) = (mixpanel, projectId);

    /// <summary>
    /// Returns the events of a name, after deduplication: <c>await mixpanel.Received.Event("Order Placed").By("ada").With("total", 59.9)</c>.
    /// </summary>
    /// <param name="name">The event's name.</param>
    public ReceivedEvents Event(string name) => new(_mixpanel, _projectId, name, []);
}

/// <summary>Expected events. Awaiting it asserts that exactly one event matches, and returns that event.</summary>
public sealed class ReceivedEvents
{
    readonly EmulatedMixpanel _mixpanel;
    readonly int? _projectId;
    readonly string _name;
    readonly IReadOnlyList<(string Text, Func<StoredEvent, bool> Holds)> _conditions;

    internal ReceivedEvents(EmulatedMixpanel mixpanel, int? projectId, string name, IReadOnlyList<(string Text, Func<StoredEvent, bool> Holds)> conditions) =>
        (_mixpanel, _projectId, _name, _conditions) = (mixpanel, projectId, name, conditions);

    /// <summary>Requires a <c>distinct_id</c>.</summary>
    /// <param name="distinctId">The <c>distinct_id</c>.</param>
    /// <returns>The expectation with this condition added.</returns>
    public ReceivedEvents By(string distinctId) => And($"by '{distinctId}'", stored => stored.DistinctId == distinctId);

    /// <summary>Requires a project. Default: any.</summary>
    /// <param name="projectId">The project id.</param>
    /// <returns>The expectation with this condition added.</returns>
    public ReceivedEvents In(int projectId) =>
        And(string.Create(CultureInfo.InvariantCulture, $"in project {projectId}"), stored => stored.ProjectId == projectId);

    /// <summary>Requires a property to have a value.</summary>
    /// <param name="property">The property.</param>
    /// <param name="value">A string, a number of any type, true or false; null for a property that is null or missing. Numbers are compared by value: 5 equals
    /// 5.0.</param>
    /// <returns>The expectation with this condition added.</returns>
    /// <exception cref="ArgumentException">The value is of another type: use the other overload.</exception>
    public ReceivedEvents With(string property, object? value)
    {
        if (value is not (null or string or bool or byte or sbyte or short or ushort or int or uint or long or ulong or float or double or decimal))
            throw new ArgumentException($"A {value.GetType().Name} cannot be compared with a property's value; pass a condition instead.", nameof(value));
        return And(
            $"with {property} = {(value is string text ? $"'{text}'" : Convert.ToString(value, CultureInfo.InvariantCulture) is { Length: > 0 } shown ? shown : "null")}",
            stored => Fits(JsonElement.Parse(stored.Properties).TryGetProperty(property, out var found) ? found : default, value));
    }

    /// <summary>Requires the properties to meet a condition.</summary>
    /// <param name="condition">The condition, on the JSON object of all properties.</param>
    /// <returns>The expectation with this condition added.</returns>
    public ReceivedEvents With(Func<JsonElement, bool> condition) => And("with matching properties", stored => condition(JsonElement.Parse(stored.Properties)));

    /// <summary>Asserts how many events match, and returns them in the order in which they were stored.</summary>
    /// <param name="count">The exact number.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    /// <exception cref="EmulatorAssertionException">Another number of events matches.</exception>
    public async Task<IReadOnlyList<StoredEvent>> TimesAsync(int count, CancellationToken cancellationToken = default)
    {
        var all = await _mixpanel.EventsOfAsync(_projectId, cancellationToken).ConfigureAwait(false);
        var found = all.Where(stored => stored.Name == _name && _conditions.All(condition => condition.Holds(stored))).ToList();
        if (found.Count == count) return found;
        var what = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? "event" : "events")} '{_name}'"));
        foreach (var (text, _) in _conditions)
            what.Append(' ').Append(text);
        throw EmulatorAssertionException.Of(what.ToString(), found.Count.ToString(CultureInfo.InvariantCulture),
            all.Select(stored => $"'{stored.Name}' of '{stored.DistinctId}' {stored.Properties}"));
    }

    /// <summary>Asserts that no event matches.</summary>
    /// <param name="cancellationToken">Cancels reading.</param>
    /// <exception cref="EmulatorAssertionException">An event matches.</exception>
    public Task NeverAsync(CancellationToken cancellationToken = default) => TimesAsync(0, cancellationToken);

    /// <summary>Asserts that exactly one event matches, and returns it.</summary>
    /// <param name="cancellationToken">Cancels reading.</param>
    /// <exception cref="EmulatorAssertionException">No event matches, or several do.</exception>
    public async Task<StoredEvent> OnceAsync(CancellationToken cancellationToken = default) =>
        (await TimesAsync(1, cancellationToken).ConfigureAwait(false))[0];

    /// <summary>Asserts that exactly one event matches, for <c>await</c>.</summary>
    /// <exception cref="EmulatorAssertionException">No event matches, or several do.</exception>
    public TaskAwaiter<StoredEvent> GetAwaiter() => OnceAsync().GetAwaiter();

    ReceivedEvents And(string text, Func<StoredEvent, bool> holds) => new(_mixpanel, _projectId, _name, [.. _conditions, (text, holds)]);

    static bool Fits(JsonElement found, object? value) => value switch
    {
        null => found.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null,
        string text => found.ValueKind is JsonValueKind.String && found.GetString() == text,
        bool flag => found.ValueKind is JsonValueKind.True or JsonValueKind.False && found.GetBoolean() == flag,
        _ when found.ValueKind is not JsonValueKind.Number => false,
        float or double => found.GetDouble().Equals(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
        _ => found.TryGetDecimal(out var number) && number == Convert.ToDecimal(value, CultureInfo.InvariantCulture),
    };
}

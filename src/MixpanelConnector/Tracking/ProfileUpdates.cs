using System.Text.Json.Nodes;
using MixpanelConnector.Tracking.Records;

namespace MixpanelConnector;

/// <summary>Updates of one user's profile, applied in the order of the calls.</summary>
/// <remarks>
/// Each method returns at once, with false when the tracker did not accept the update. The <c>Async</c> variants complete when the update is safe, and throw
/// when it was not accepted. All of them throw an <see cref="ArgumentException"/> when the name of a property is empty. An <c>Add</c> or <c>Append</c> whose
/// outcome stays unknown is not sent again, which could count it twice: it is reported as rejected with <c>MaybeDelivered</c>.
/// </remarks>
public sealed class ProfileUpdates : PropertyUpdates
{
    readonly string _distinctId;
    readonly ProfileSettings? _settings;

    internal ProfileUpdates(IMixpanelTracker tracker, string distinctId, ProfileSettings? settings = null)
        : base(tracker) => (_distinctId, _settings) = (distinctId, settings);

    /// <summary>Returns updates with additional settings: the person's IP address, when the person was seen, whether that stays unchanged.</summary>
    /// <param name="settings">The settings.</param>
    public ProfileUpdates With(ProfileSettings settings) => new(Tracker, _distinctId, settings ?? throw new ArgumentNullException(nameof(settings)));

    /// <summary>Adds to a number; a negative amount subtracts. A missing property counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">The amount to add.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Add(string name, long amount) => Send("$add", One(name, amount));

    /// <summary>Adds to a number; a negative amount subtracts. A missing property counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">The amount to add.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Add(string name, double amount) => Send("$add", One(name, amount));

    /// <summary>Adds to a number; a negative amount subtracts. A missing property counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">The amount to add.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Add(string name, decimal amount) => Send("$add", One(name, amount));

    /// <summary>Adds a value to the end of a list.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">The value.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Append(string name, JsonNode? value) => Send("$append", One(name, value));

    /// <summary>Adds to a number; a negative amount subtracts. A missing property counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">The amount to add.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask AddAsync(string name, long amount, CancellationToken cancellationToken = default) =>
        SendAsync("$add", One(name, amount), cancellationToken);

    /// <summary>Adds to a number; a negative amount subtracts. A missing property counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">The amount to add.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask AddAsync(string name, double amount, CancellationToken cancellationToken = default) =>
        SendAsync("$add", One(name, amount), cancellationToken);

    /// <summary>Adds to a number; a negative amount subtracts. A missing property counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">The amount to add.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask AddAsync(string name, decimal amount, CancellationToken cancellationToken = default) =>
        SendAsync("$add", One(name, amount), cancellationToken);

    /// <summary>Adds a value to the end of a list.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">The value.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask AppendAsync(string name, JsonNode? value, CancellationToken cancellationToken = default) =>
        SendAsync("$append", One(name, value), cancellationToken);

    private protected override TrackedRecord Record(string operation, Payload payload) =>
        new(TrackedKind.Profile, operation, _distinctId, payload, settings: _settings);
}

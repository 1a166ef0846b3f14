using System.Text.Json.Nodes;
using MixpanelConnector.Tracking.Records;

namespace MixpanelConnector;

/// <summary>
/// Sets the user, and properties for every event, of everything tracked within the scope: a request, a message or a job. It
/// flows with the execution context, also into tasks. An event's own properties take precedence, and a nested scope adds to the outer one.
/// </summary>
public sealed class MixpanelScope : IDisposable
{
    static readonly AsyncLocal<MixpanelScope?> Ambient = new();

    readonly MixpanelScope? _outer = Ambient.Value;

    MixpanelScope(MixpanelUser user, JsonObject properties, bool optedOut)
    {
        User = user == MixpanelUser.None ? _outer?.User ?? user : user;
        Properties = _outer is null ? new(properties) : _outer.Properties.With(properties);
        IsOptedOut = optedOut || _outer is { IsOptedOut: true };
        Ambient.Value = this;
    }

    /// <summary>Begins a scope, which lasts until it is disposed.</summary>
    /// <param name="user">The value of <see cref="MixpanelUser.Current"/> within the scope. Default: that of the outer scope.</param>
    /// <param name="properties">Properties for every event that does not set them itself; a group is one, such as <c>company</c>. Default: none.</param>
    /// <param name="optedOut">Whether the scope belongs to a person who does not want to be tracked. If so, no event and no user profile update is accepted
    /// within it, whomever they name, except <c>Delete</c>. Default: false, which keeps the outer scope's value.</param>
    /// <returns>The scope; disposing it ends it.</returns>
    /// <exception cref="ArgumentException">A value cannot be expressed in JSON, or a property is one that each call fixes: <c>distinct_id</c>, <c>$user_id</c>,
    /// <c>$device_id</c>, <c>time</c>, <c>$insert_id</c>, <c>token</c>.</exception>
    public static MixpanelScope Begin(MixpanelUser user = default, IReadOnlyDictionary<string, object?>? properties = null, bool optedOut = false)
    {
        if (properties is not { Count: > 0 }) return new(user, [], optedOut);
        if (FixedProperties.In(properties.Keys) is { } name) throw new ArgumentException(FixedProperties.Refusal(name), nameof(properties));
        return new(user, new TrackedRecord(TrackedKind.Event, "", default, Payload.Of(properties)).ToJson()!.AsObject(), optedOut);
    }

    /// <summary>The current scope of the execution context; null outside of every scope.</summary>
    public static MixpanelScope? Current => Ambient.Value;

    /// <summary>The value of <see cref="MixpanelUser.Current"/> within the scope.</summary>
    public MixpanelUser User { get; }

    /// <summary>Whether the scope belongs to a person who does not want to be tracked.</summary>
    public bool IsOptedOut { get; }

    /// <summary>The properties for every event that does not set them itself.</summary>
    internal AddedProperties Properties { get; }

    /// <summary>Ends the scope; the outer one becomes current again.</summary>
    public void Dispose() => Ambient.Value = _outer;
}

using System.Text.Json.Nodes;
using MixpanelConnector.Tracking;

namespace MixpanelConnector;

/// <summary>
/// Properties that every event gets that is tracked while it lasts, and the user whose they are: of a request, a message or a job. It
/// follows the flow of calls, into tasks too; what an event says of its own stands, and a scope within a scope adds to it.
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
    /// <param name="user">Who <see cref="MixpanelUser.Current"/> is in it. Default: who it was before.</param>
    /// <param name="properties">Properties for every event that does not have them of its own; a group is one, such as <c>company</c>. Default: none.</param>
    /// <param name="optedOut">Whether it is about a person who does not want to be tracked: no event and no update of a user's profile is taken in it then, whomever they name, but for <c>Delete</c>. Default: false, as it was before.</param>
    /// <exception cref="ArgumentException">A value has no form in JSON.</exception>
    public static MixpanelScope Begin(MixpanelUser user = default, IReadOnlyDictionary<string, object?>? properties = null, bool optedOut = false) =>
        new(user, properties is { Count: > 0 } ? new TrackedRecord(TrackedKind.Event, "", default, Payload.Of(properties)).ToJson()!.AsObject() : [], optedOut);

    /// <summary>The scope of this flow of calls; null outside of every scope.</summary>
    public static MixpanelScope? Current => Ambient.Value;

    /// <summary>Who <see cref="MixpanelUser.Current"/> is in it.</summary>
    public MixpanelUser User { get; }

    /// <summary>Whether it is about a person who does not want to be tracked.</summary>
    public bool IsOptedOut { get; }

    /// <summary>The properties for every event that does not have them of its own.</summary>
    internal AddedProperties Properties { get; }

    /// <summary>Ends it; the one around it holds again.</summary>
    public void Dispose() => Ambient.Value = _outer;
}

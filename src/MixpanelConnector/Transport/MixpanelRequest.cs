using System.Globalization;

namespace MixpanelConnector.Transport;

/// <summary>Which credential an operation accepts, by Mixpanel's documentation.</summary>
enum Access
{
    /// <summary>The credential travels in the body (a project token), or none is needed.</summary>
    InBody,

    /// <summary>A service account; the path names the organization or project.</summary>
    ServiceAccount,

    /// <summary>A service account and the query parameter <c>project_id</c>.</summary>
    ServiceAccountOfProject,

    /// <summary>As <see cref="ServiceAccountOfProject"/>, else the project token as Basic user name without <c>project_id</c>.</summary>
    ServiceAccountOfProjectOrToken,
}

/// <summary>Whether a request may be sent again when the outcome of a try is unknown.</summary>
enum Repeat
{
    /// <summary>Twice is the same as once.</summary>
    Safe,

    /// <summary>Only after a try that certainly had no effect: a rate limit, a connection that never opened.</summary>
    OnlyIfNotDone,
}

/// <summary>The bytes of a request, kept as they are so that a retry sends the same.</summary>
sealed record RequestBody(ReadOnlyMemory<byte> Bytes, string ContentType, string? ContentEncoding = null);

/// <summary>One request, before it is bound to a host and a credential.</summary>
sealed record MixpanelRequest(HttpMethod Method, Api Api, string Path, Access Access)
{
    public IReadOnlyList<KeyValuePair<string, string>> Query { get; init; } = [];

    public RequestBody? Body { get; init; }

    public Repeat Repeat { get; init; } = Repeat.Safe;

    /// <summary>The project in place of the configured one.</summary>
    public long? ProjectId { get; init; }

    public MixpanelRequest With(string name, string value) => this with { Query = [.. Query, new(name, value)] };

    public MixpanelRequest With(string name, long value) => With(name, value.ToString(CultureInfo.InvariantCulture));
}

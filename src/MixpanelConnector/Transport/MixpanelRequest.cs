using System.Globalization;

namespace MixpanelConnector.Transport;

/// <summary>The bytes of a request, kept as they are so that a retry sends the same.</summary>
sealed record RequestBody(ReadOnlyMemory<byte> Bytes, string ContentType, string? ContentEncoding = null);

/// <summary>One request, before it is bound to a host and a credential.</summary>
sealed record MixpanelRequest(HttpMethod Method, Api Api, string Path, AuthScheme Auth)
{
    public IReadOnlyList<KeyValuePair<string, string>> Query { get; init; } = [];

    public RequestBody? Body { get; init; }

    /// <summary>Whether it may be sent again when the outcome of a try is unknown; else only after a try that certainly had no effect: a rate limit, a connection that never opened.</summary>
    public bool IsRepeatable { get; init; } = Method == HttpMethod.Get;

    /// <summary>Whether the body of a success is left to the caller to read, as it comes.</summary>
    public bool IsStreamed { get; init; }

    /// <summary>Whether the body of a success comes as it was sent, compressed with gzip: only so can its end be checked.</summary>
    public bool IsUndecoded { get; init; }

    /// <summary>The limit of calls in an hour that it counts against; null for none.</summary>
    public CallKind? Counts { get; init; }

    /// <summary>The project in place of the configured one.</summary>
    public long? ProjectId { get; init; }

    public MixpanelRequest With(string name, string value) => this with { Query = [.. Query, new(name, value)] };

    public MixpanelRequest With(string name, long value) => With(name, value.ToString(CultureInfo.InvariantCulture));
}

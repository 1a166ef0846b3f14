using System.Globalization;

namespace MixpanelConnector.Transport;

/// <summary>The bytes of a request, stored so that a retry sends the same.</summary>
sealed record RequestBody(ReadOnlyMemory<byte> Bytes, string ContentType, string? ContentEncoding = null);

/// <summary>A request, before it is bound to a host and a credential.</summary>
sealed record MixpanelRequest(HttpMethod Method, Api Api, string Path, AuthScheme Auth)
{
    public IReadOnlyList<KeyValuePair<string, string>> Query { get; init; } = [];

    public RequestBody? Body { get; init; }

    /// <summary>
    /// Whether it may be sent again when the outcome of an attempt is unknown. If not, it is only sent again after an attempt that certainly had no effect: a
    /// rate limit, a connection that never opened.
    /// </summary>
    public bool IsRepeatable { get; init; } = Method == HttpMethod.Get;

    /// <summary>Whether it changes nothing, so that it does not matter whether it took effect.</summary>
    public bool IsRead { get; init; } = Method == HttpMethod.Get || Api is Api.Query or Api.Export;

    /// <summary>What is said about a request that may have changed something.</summary>
    public const string Unknown = " Whether the request took effect is unknown.";

    /// <summary>What an error without a complete answer adds: nothing for a request that only reads.</summary>
    public string UnknownOutcome => IsRead ? "" : Unknown;

    /// <summary>Whether the caller reads the body of a success as a stream.</summary>
    public bool IsStreamed { get; init; }

    /// <summary>Whether the body of a success is not decompressed: only then can its gzip trailer be checked.</summary>
    public bool IsUndecoded { get; init; }

    /// <summary>The hourly limit that it counts against; null for none.</summary>
    public CallKind? Counts { get; init; }

    /// <summary>A project that replaces the configured one.</summary>
    public long? ProjectId { get; init; }

    public MixpanelRequest With(string name, string value) => this with { Query = [.. Query, new(name, value)] };

    public MixpanelRequest With(string name, long value) => With(name, value.ToString(CultureInfo.InvariantCulture));
}

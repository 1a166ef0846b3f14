using MixpanelConnector.Transport;

namespace MixpanelConnector.Flags;

/// <summary>The two requests for flags.</summary>
sealed class FlagRequests
{
    readonly MixpanelTransport _transport;

    /// <exception cref="MixpanelException">No suitable credential is configured.</exception>
    public FlagRequests(MixpanelTransport transport, TimeSpan timeout)
    {
        // The next poll replaces a retry, and a caller that waits for an evaluation has no time for one.
        _transport = transport.With(transport.Options with { AttemptTimeout = timeout, MaxRetries = 0 });
        _transport.EnsureAccess(AuthScheme.ServiceAccountOfProjectOrToken);
    }

    public MixpanelOptions Options => _transport.Options;

    public Task<Reply> DefinitionsAsync(CancellationToken cancellationToken) =>
        _transport.SendOnceAsync(Request("/flags/definitions", Options), cancellationToken);

    /// <summary>The same request, with the retries of other calls.</summary>
    public static Task<Reply> DefinitionsAsync(MixpanelTransport transport, CancellationToken cancellationToken) =>
        transport.SendAsync(Request("/flags/definitions", transport.Options), cancellationToken);

    public static MixpanelError NoDefinitions(Reply reply) =>
        reply.Error(ErrorKind.Protocol, "The response contains no flag definitions. Check the endpoint and the region.");

    /// <param name="context">The context that Mixpanel evaluates for.</param>
    /// <param name="key">The key of a single flag; null for all.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<Reply> AssignmentsAsync(EvaluationContext context, string? key, CancellationToken cancellationToken)
    {
        var request = Request("/flags", Options).With("context", context.Json.GetRawText());
        return _transport.SendOnceAsync(key is null ? request : request.With("flag_key", key), cancellationToken);
    }

    static MixpanelRequest Request(string path, MixpanelOptions options)
    {
        var request = new MixpanelRequest(HttpMethod.Get, Api.Ingestion, path, AuthScheme.ServiceAccountOfProjectOrToken)
            .With("mp_lib", ThisLibrary.Name)
            .With("$lib_version", ThisLibrary.Version);
        return options.Token is { } token ? request.With("token", token) : request;
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Net;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>Mixpanel, as one object: every action is a method of it. Make one and keep it; it is safe for concurrent use.</summary>
public sealed partial class MixpanelClient : IDisposable
{
    readonly HttpClient? _ownedClient;
    readonly Lazy<HttpClient>? _ownedUndecoded;

    /// <summary>Makes a client with connections of its own.</summary>
    /// <param name="options">How to reach Mixpanel and as whom.</param>
    /// <exception cref="MixpanelException">An option is out of range.</exception>
    public MixpanelClient(MixpanelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options = options.Validated();
        _ownedClient = new HttpClient(MixpanelTransport.NewHandler(options)) { Timeout = Timeout.InfiniteTimeSpan };
        _ownedUndecoded = new(() => new HttpClient(MixpanelTransport.NewHandler(options, DecompressionMethods.None)) { Timeout = Timeout.InfiniteTimeSpan });
        Transport = new MixpanelTransport(options, _ownedClient, () => _ownedUndecoded.Value);
    }

    /// <summary>Makes a client on an <see cref="HttpClient"/> of the caller's, which the caller disposes. Switch its automatic redirects off; for exports of events its automatic decompression, too, which does not tell when an answer was cut short.</summary>
    /// <param name="options">How to reach Mixpanel and as whom.</param>
    /// <param name="httpClient">The client to send with.</param>
    /// <exception cref="MixpanelException">An option is out of range.</exception>
    public MixpanelClient(MixpanelOptions options, HttpClient httpClient)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(httpClient);
        Transport = new MixpanelTransport(options.Validated(), httpClient);
    }

    /// <summary>The options that the client was made with.</summary>
    public MixpanelOptions Options => Transport.Options;

    internal MixpanelTransport Transport { get; }

    ValueTask<TOutput> InvokeAsync<TInput, [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOutput>(ActionSpec<TInput, TOutput> action, TInput input, CancellationToken cancellationToken)
        where TInput : class
        where TOutput : class
    {
        ArgumentNullException.ThrowIfNull(input);
        return action.InvokeAsync(this, input, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ownedClient?.Dispose();
        if (_ownedUndecoded is { IsValueCreated: true }) _ownedUndecoded.Value.Dispose();
    }
}

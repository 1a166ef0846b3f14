using System.Diagnostics.CodeAnalysis;
using System.Net;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>A client for Mixpanel: every action is a method of it. Create one and reuse it; it is thread-safe.</summary>
public sealed partial class MixpanelClient : IDisposable
{
    readonly HttpClient? _ownedClient;
    readonly Lazy<HttpClient>? _ownedUndecoded;
    bool _isDisposed;

    /// <summary>Creates a client with connections of its own.</summary>
    /// <param name="options">How to reach Mixpanel and as whom.</param>
    /// <exception cref="MixpanelException">An option is out of range.</exception>
    public MixpanelClient(MixpanelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options = options.Validated();
        _ownedClient = new HttpClient(MixpanelTransport.NewHandler(options)) { Timeout = Timeout.InfiniteTimeSpan };
        _ownedUndecoded = new(() => new HttpClient(MixpanelTransport.NewHandler(options, DecompressionMethods.None)) { Timeout = Timeout.InfiniteTimeSpan });
        Transport = new MixpanelTransport(options, _ownedClient, () => _ownedUndecoded.Value);
    }

    /// <summary>
    /// Creates a client that uses the caller's <see cref="HttpClient"/>, which the caller disposes. Disable its automatic redirects. For exports of events,
    /// also disable its automatic decompression, which does not detect a truncated answer.
    /// </summary>
    /// <param name="options">How to reach Mixpanel and as whom.</param>
    /// <param name="httpClient">The client to send with.</param>
    /// <exception cref="MixpanelException">An option is out of range.</exception>
    public MixpanelClient(MixpanelOptions options, HttpClient httpClient)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(httpClient);
        Options = options.Validated();
        Transport = new MixpanelTransport(Options, httpClient);
    }

    /// <summary>The options that the client was created with.</summary>
    public MixpanelOptions Options { get; }

    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    internal MixpanelTransport Transport
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return field;
        }
    }

    ValueTask<TOutput> InvokeAsync<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TInput,
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOutput>(ActionSpec<TInput, TOutput> action, TInput input,
            CancellationToken cancellationToken)
        where TInput : class
        where TOutput : class
    {
        ArgumentNullException.ThrowIfNull(input);
        return action.InvokeAsync(this, input, cancellationToken);
    }

    /// <summary>Closes the client's own connections. Later calls throw <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _ownedClient?.Dispose();
        if (_ownedUndecoded is { IsValueCreated: true }) _ownedUndecoded.Value.Dispose();
    }
}

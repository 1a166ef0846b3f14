using System.Net;

namespace MixpanelConnector.Transport;

/// <summary>
/// A request in flight that must not be repeated. A retry or hedging handler around the client that sends it again
/// gets the result of the first attempt, or an error: nothing is sent twice.
/// </summary>
/// <remarks>It is identified by the call that sends it, and not by a mark on the request, because handlers copy requests.</remarks>
sealed class SentOnce
{
    static readonly AsyncLocal<SentOnce?> Call = new();

    readonly Lock _lock = new();
    Task<FirstAnswer>? _first;

    /// <summary>The request of the current call; null when it may be repeated.</summary>
    public static SentOnce? Current => Call.Value;

    /// <summary>Until the end of the calling method, a request is sent only once.</summary>
    public static void Begin() => Call.Value = new SentOnce();

    /// <summary>Until the end of the calling method, a request may be repeated.</summary>
    public static void End() => Call.Value = null;

    public async Task<HttpResponseMessage> SendAsync(Func<Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        Task<FirstAnswer> first;
        lock (_lock) first = _first ??= FirstAnswer.ReadAsync(send, cancellationToken);
        try
        {
            return (await first.WaitAsync(cancellationToken).ConfigureAwait(false)).ToMessage();
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException("The request was abandoned before its response arrived, and must not be resent.", e);
        }
    }

    /// <summary>An answer that can be returned more than once.</summary>
    sealed class FirstAnswer(HttpResponseMessage response, byte[] body)
    {
        // Answers to requests that must not be repeated are short.
        const int Largest = 4 << 20;

        public static async Task<FirstAnswer> ReadAsync(Func<Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
        {
            using var response = await send().ConfigureAwait(false);
            await response.Content.LoadIntoBufferAsync(Largest, cancellationToken).ConfigureAwait(false);
            return new FirstAnswer(response, await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
        }

        public HttpResponseMessage ToMessage()
        {
            var message = new HttpResponseMessage(response.StatusCode)
            {
                Version = response.Version,
                ReasonPhrase = response.ReasonPhrase,
                RequestMessage = response.RequestMessage,
                Content = new ByteArrayContent(body),
            };
            foreach (var (name, values) in response.Headers.NonValidated) message.Headers.TryAddWithoutValidation(name, values);
            foreach (var (name, values) in response.Content.Headers.NonValidated) message.Content.Headers.TryAddWithoutValidation(name, values);
            return message;
        }
    }

    /// <summary>The innermost handler, inside all handlers of an application.</summary>
    public sealed class Handler : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Current is { } once
                ? once.SendAsync(() => base.SendAsync(request, cancellationToken), cancellationToken)
                : base.SendAsync(request, cancellationToken);
    }

    /// <summary>
    /// A body that can be written once. Where a caller's client has no <see cref="Handler"/>, this prevents
    /// a repetition on the wire.
    /// </summary>
    public sealed class Body(ReadOnlyMemory<byte> bytes) : HttpContent
    {
        int _writings;

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _writings) > 1)
                throw new HttpRequestException("The request must not be resent, but a handler of the client tried to.");
            await stream.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes.Length;
            return true;
        }
    }
}

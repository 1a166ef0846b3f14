using System.Net;

namespace MixpanelConnector.Transport;

/// <summary>
/// One request that must not be repeated, while it is under way. A retry or a hedging handler around the client that sends it again
/// gets what the first sending gave, or an error: nothing leaves twice.
/// </summary>
/// <remarks>It is known by the call that sends it, and not by a mark on the request: handlers make copies of requests.</remarks>
sealed class SentOnce
{
    static readonly AsyncLocal<SentOnce?> Call = new();

    readonly Lock _lock = new();
    Task<FirstAnswer>? _first;

    /// <summary>The one that the caller sends; null when what it sends may be repeated.</summary>
    public static SentOnce? Current => Call.Value;

    /// <summary>From here to the end of the calling method, what is sent is sent once.</summary>
    public static void Begin() => Call.Value = new SentOnce();

    /// <summary>From here to the end of the calling method, what is sent may be repeated.</summary>
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
            throw new HttpRequestException("The request was given up before its answer came, and must not be sent again.", e);
        }
    }

    /// <summary>An answer that can be given more than once.</summary>
    sealed class FirstAnswer(HttpResponseMessage response, byte[] body)
    {
        // Answers to what must not be repeated are short.
        const int Largest = 4 << 20;

        public static async Task<FirstAnswer> ReadAsync(Func<Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
        {
            using var response = await send().ConfigureAwait(false);
            await response.Content.LoadIntoBufferAsync(Largest, cancellationToken).ConfigureAwait(false);
            return new FirstAnswer(response, await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
        }

        public HttpResponseMessage ToMessage()
        {
            var message = new HttpResponseMessage(response.StatusCode) { Version = response.Version, ReasonPhrase = response.ReasonPhrase, RequestMessage = response.RequestMessage, Content = new ByteArrayContent(body) };
            foreach (var (name, values) in response.Headers.NonValidated) message.Headers.TryAddWithoutValidation(name, values);
            foreach (var (name, values) in response.Content.Headers.NonValidated) message.Content.Headers.TryAddWithoutValidation(name, values);
            return message;
        }
    }

    /// <summary>Stands next to the wire, inside all handlers of an application's.</summary>
    public sealed class Handler : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Current is { } once ? once.SendAsync(() => base.SendAsync(request, cancellationToken), cancellationToken) : base.SendAsync(request, cancellationToken);
    }

    /// <summary>
    /// A body that is written once. Where a client is the caller's own and no <see cref="Handler"/> stands in it, this keeps a
    /// repetition from the wire.
    /// </summary>
    public sealed class Body(ReadOnlyMemory<byte> bytes) : HttpContent
    {
        int _writings;

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _writings) > 1) throw new HttpRequestException("The request must not be sent again, and a handler of the client tried to.");
            await stream.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes.Length;
            return true;
        }
    }
}

using System.Buffers;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MixpanelConnector.Tool.Surfaces.Mcp;

/// <summary>
/// The protocol on standard input and output, one message per line. The length of a line is limited, and so is the total size of requests that wait for their
/// answers; beyond that nothing is read. A line that is not a message, or is too long, is answered with an error, so that nobody waits forever. All requests
/// before the end of the input are answered before the session ends. If an answer cannot be written, the session ends: nobody would receive the next one.
/// </summary>
sealed class LineTransport : ITransport
{
    /// <summary>The maximum length of a line in bytes.</summary>
    public const int LongestLine = Http.Limits.Message;

    /// <summary>The maximum total bytes of requests that wait for their answers.</summary>
    const int MostWaiting = 8 << 20;

    /// <summary>The bytes that a request counts in addition to its length.</summary>
    const int RequestBytes = 4 << 10;

    /// <summary>The number of bytes at the start of an overlong line in which its id is searched.</summary>
    const int LongestHead = 16 << 10;

    /// <summary>Far longer than any call may take: an answer that has not arrived by then will not arrive.</summary>
    static readonly TimeSpan LongestCall = TimeSpan.FromMinutes(10);

    public static readonly JsonTypeInfo<JsonRpcMessage> MessageType =
        (JsonTypeInfo<JsonRpcMessage>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(JsonRpcMessage));

    readonly Stream _output;
    readonly TimeProvider _time;
    readonly Channel<JsonRpcMessage> _messages = Channel.CreateBounded<JsonRpcMessage>(new BoundedChannelOptions(1) { SingleWriter = true });
    readonly SemaphoreSlim _turn = new(1, 1);
    readonly CancellationTokenSource _ended = new();
    readonly Lock _lock = new();
    readonly Dictionary<RequestId, int> _waiting = [];
    readonly Dictionary<RequestId, Batch> _batches = [];
    TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Exception? _failure;
    RequestId? _initialize;
    string? _version;
    int _waitingBytes;

    public LineTransport(Stream input, Stream output, TimeProvider time)
    {
        (_output, _time) = (output, time);
        _ = Task.Run(() => ReadAsync(input));
    }

    public string? SessionId => null;

    public ChannelReader<JsonRpcMessage> MessageReader => _messages.Reader;

    public async Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default)
    {
        var answered = message is JsonRpcResponse or JsonRpcError ? ((JsonRpcMessageWithId)message).Id : (RequestId?)null;
        if (message is JsonRpcResponse { Result: System.Text.Json.Nodes.JsonObject result } && answered == _initialize)
            _version = (string?)result["protocolVersion"];
        try
        {
            ReadOnlyMemory<byte> json = JsonSerializer.SerializeToUtf8Bytes(message, MessageType);
            if (answered is { } id && BatchOf(id) is { } batch) await CompleteAsync(batch, json, cancellationToken);
            else await WriteAsync(json, cancellationToken);
        }
        finally
        {
            if (answered is { } request) Answered(request);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _messages.Writer.TryComplete();
    }

    /// <summary>Ends the session, once the current write has completed or was abandoned.</summary>
    /// <exception cref="IOException">An answer could not be written.</exception>
    /// <exception cref="OperationCanceledException">The program was stopped before all requests were answered.</exception>
    public async Task EndAsync(CancellationToken stopping)
    {
        await DisposeAsync();
        await _turn.WaitAsync(CancellationToken.None);
        _turn.Release();
        if (_failure is { } failure) ExceptionDispatchInfo.Throw(failure);
        lock (_lock)
        {
            if (_waiting.Count > 0) stopping.ThrowIfCancellationRequested();
        }
    }

    async Task WriteAsync(ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await _output.WriteAsync(json, cancellationToken);
            await _output.WriteAsync("\n"u8.ToArray(), cancellationToken);
            await _output.FlushAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            _failure ??= e;
            _messages.Writer.TryComplete();
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    async Task ReadAsync(Stream input)
    {
        Exception? failure = null;
        try
        {
            var line = new ArrayBufferWriter<byte>(4 << 10);
            var buffer = new byte[64 << 10];
            var isTooLong = false;
            int read;
            while ((read = await input.ReadAsync(buffer, _ended.Token)) > 0)
            {
                var rest = buffer.AsMemory(0, read);
                while (rest.Length > 0)
                {
                    var end = rest.Span.IndexOf((byte)'\n');
                    var part = end < 0 ? rest : rest[..end];
                    if (line.WrittenCount + part.Length > LongestLine) isTooLong = true;
                    // The beginning of an overlong line is enough: it may contain the id.
                    line.Write(part.Span[..Math.Min(part.Length, isTooLong ? Math.Max(0, LongestHead - line.WrittenCount) : part.Length)]);
                    rest = end < 0 ? default : rest[(end + 1)..];
                    if (end < 0) continue;
                    await TakeAsync(line.WrittenMemory, isTooLong);
                    if (line.Capacity > 1 << 20) line = new ArrayBufferWriter<byte>(4 << 10);
                    else line.ResetWrittenCount();
                    isTooLong = false;
                }
            }

            await TakeAsync(line.WrittenMemory, isTooLong);
            await WaitAsync(mostBytes: 0).WaitAsync(LongestCall, _time, _ended.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            // The session has ended, or stops waiting for missing answers.
        }
        catch (Exception e)
        {
            failure = e;
        }

        _messages.Writer.TryComplete(failure);
    }

    async Task TakeAsync(ReadOnlyMemory<byte> line, bool isTooLong)
    {
        if (isTooLong)
        {
            await RefuseAsync(line, MessageCheck.InvalidRequest,
                FormattableString.Invariant($"The message has more than {LongestLine} bytes, and was not read. Send less at a time."));
            return;
        }

        if (line.Span.IndexOfAnyExcept(" \t\r"u8) < 0) return;
        if (MessageCheck.IsBatch(line.Span))
        {
            if (_version is null) await WaitAsync(mostBytes: 0); // it is known once initialize is answered
            if (_version == MessageCheck.VersionWithBatches)
            {
                await TakeBatchAsync(line);
                return;
            }
        }

        if (MessageCheck.Fault(line.Span) is { } fault)
        {
            await RefuseAsync(line, fault.Code, fault.Message);
            return;
        }

        if (MessageCheck.IsError(line.Span)) return;
        if (Read(line.Span) is not { } message)
        {
            await RefuseAsync(line, MessageCheck.InvalidRequest, MessageCheck.NotAMessage);
            return;
        }

        await HandOverAsync(message, line.Length);
        await WaitAsync(MostWaiting);
    }

    async Task HandOverAsync(JsonRpcMessage message, int bytes)
    {
        if (message is JsonRpcRequest request)
        {
            if (request.Method == RequestMethods.Initialize) _initialize = request.Id;
            Asked(request.Id, bytes);
        }
        else if (message is JsonRpcNotification { Method: NotificationMethods.CancelledNotification, Params: { } cancelled })
        {
            await CancelledAsync(cancelled);
        }

        await _messages.Writer.WriteAsync(message, _ended.Token);
    }

    /// <summary>Takes the messages of a batch, whose answers are sent together.</summary>
    async Task TakeBatchAsync(ReadOnlyMemory<byte> line)
    {
        if (MessageCheck.FaultOfBatch(line, out var messages) is { } fault)
        {
            await RefuseAsync(line, fault.Code, fault.Message);
            return;
        }

        var batch = new Batch { Missing = 1 }; // until all messages are handed over
        var ids = new HashSet<RequestId>();
        foreach (var message in messages)
        {
            if (MessageCheck.FaultInBatch(message.Span, ids) is { } wrong)
            {
                lock (_lock) batch.Replies.Add(MessageCheck.ErrorFor(message.Span, wrong.Code, wrong.Message));
                continue;
            }

            if (MessageCheck.IsError(message.Span)) continue;
            var read = Read(message.Span)!;
            if (read is JsonRpcRequest request)
            {
                lock (_lock)
                {
                    if (!_batches.TryAdd(request.Id, batch)) // of a batch before
                    {
                        batch.Replies.Add(MessageCheck.ErrorFor(message.Span, MessageCheck.InvalidRequest, MessageCheck.SameId));
                        continue;
                    }

                    batch.Missing++;
                }
            }

            await HandOverAsync(read, message.Length);
        }

        await CompleteAsync(batch, answer: default, _ended.Token);
        await WaitAsync(MostWaiting);
    }

    Batch? BatchOf(RequestId id)
    {
        lock (_lock) return _batches.Remove(id, out var batch) ? batch : null;
    }

    /// <summary>Adds an answer to its batch, unless it is empty, and sends the batch once it has all of them.</summary>
    async Task CompleteAsync(Batch batch, ReadOnlyMemory<byte> answer, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!answer.IsEmpty) batch.Replies.Add(answer);
            if (--batch.Missing > 0 || batch.Replies.Count == 0) return;
        }

        await WriteAsync(MessageCheck.Together(batch.Replies), cancellationToken);
    }

    /// <summary>A message as the protocol reads it; null if it cannot.</summary>
    public static JsonRpcMessage? Read(ReadOnlySpan<byte> message)
    {
        try
        {
            return JsonSerializer.Deserialize(message, MessageType);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NotSupportedException)
        {
            return null;
        }
    }

    Task RefuseAsync(ReadOnlyMemory<byte> line, int code, string message) => WriteAsync(MessageCheck.ErrorFor(line.Span, code, message), _ended.Token);

    void Asked(RequestId id, int bytes)
    {
        lock (_lock)
        {
            _waiting[id] = _waiting.GetValueOrDefault(id) + bytes + RequestBytes;
            _waitingBytes += bytes + RequestBytes;
        }
    }

    void Answered(RequestId id)
    {
        lock (_lock)
        {
            if (!_waiting.Remove(id, out var bytes)) return;
            _waitingBytes -= bytes;
            _answered.TrySetResult();
        }
    }

    /// <summary>A cancelled request gets no answer.</summary>
    async Task CancelledAsync(System.Text.Json.Nodes.JsonNode parameters)
    {
        if ((parameters as System.Text.Json.Nodes.JsonObject)?["requestId"] is not System.Text.Json.Nodes.JsonValue value) return;
        RequestId? cancelled = value.TryGetValue<long>(out var number) ? new RequestId(number)
            : value.TryGetValue<string>(out var text) ? new RequestId(text)
            : null;
        if (cancelled is not { } id) return;
        if (BatchOf(id) is { } batch) await CompleteAsync(batch, answer: default, _ended.Token);
        Answered(id);
    }

    /// <summary>Waits until the requests that wait for their answers have at most this many bytes in total.</summary>
    async Task WaitAsync(int mostBytes)
    {
        while (true)
        {
            Task next;
            lock (_lock)
            {
                if (_waitingBytes <= mostBytes) return;
                if (_answered.Task.IsCompleted) _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
                next = _answered.Task;
            }

            await next.WaitAsync(_ended.Token);
        }
    }

    /// <summary>The answers to the messages of a batch.</summary>
    sealed class Batch
    {
        public List<ReadOnlyMemory<byte>> Replies { get; } = [];

        /// <summary>The number of requests without an answer.</summary>
        public int Missing { get; set; }
    }
}

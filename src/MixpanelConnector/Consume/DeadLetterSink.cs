using MixpanelConnector.Files;
using MixpanelConnector.Queues;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Consume;

/// <summary>The destination of the dead letters of messages.</summary>
abstract class DeadLetterSink : IAsyncDisposable
{
    /// <summary>The name in the report.</summary>
    public abstract string Name { get; }

    /// <summary>Stores dead letters durably.</summary>
    /// <param name="letters">The dead letters, each one line of JSON without its line end.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ImportStateException">They are not stored, and cannot be.</exception>
    public abstract ValueTask KeepAsync(IReadOnlyList<byte[]> letters, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

/// <summary>Appends them to a file, which it locks for this process.</summary>
sealed class DeadLetterAppender : DeadLetterSink
{
    readonly FileStream _file;
    readonly MessageWords _words;

    /// <summary>The beginning of each dead letter.</summary>
    static ReadOnlySpan<byte> Beginning => "{\"source\":"u8;

    DeadLetterAppender(FileStream file, MessageWords words) => (_file, _words) = (file, words);

    public override string Name => _file.Name;

    /// <exception cref="ImportStateException">The file cannot be used.</exception>
    public static DeadLetterAppender Open(string path, MessageWords words)
    {
        path = Path.GetFullPath(path);
        FileStream? file = null;
        try
        {
            var isNew = !File.Exists(path);
            file = FileLock.TryTake(path)
                ?? throw new ImportStateException(ImportStateFault.Busy,
                    $"Another process uses the dead-letter file {path}. Each consumer needs its own: name another with {words[Setting.OfConsumer(nameof(ConsumeRequest.DeadLetterPath))]}.");
            if (isNew) Durable.SyncFolder(Path.GetDirectoryName(path)!);
            DropTornLine(file, words);
            return new(file, words);
        }
        catch (ImportStateException)
        {
            file?.Dispose();
            throw;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw Unwritable(path, words, e);
        }
    }

    public override ValueTask KeepAsync(IReadOnlyList<byte[]> letters, CancellationToken cancellationToken)
    {
        var before = _file.Position;
        try
        {
            foreach (var letter in letters)
            {
                _file.Write(letter);
                _file.WriteByte((byte)'\n');
            }

            _file.Flush();
            Durable.Sync(_file);
            return ValueTask.CompletedTask;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TakeBack(before);
            throw Unwritable(_file.Name, _words, e);
        }
    }

    public override ValueTask DisposeAsync()
    {
        try
        {
            _file.Dispose();
        }
        catch (IOException)
        {
            // The failure to write was reported already.
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Drops a partial line from a process that was killed while writing: its message was not acknowledged, and is redelivered.</summary>
    /// <exception cref="ImportStateException">It is a file with other content, which must not be truncated.</exception>
    static void DropTornLine(FileStream file, MessageWords words)
    {
        Span<byte> head = stackalloc byte[Beginning.Length];
        var read = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        if (!Beginning.StartsWith(head[..read]))
            throw new ImportStateException(ImportStateFault.Unwritable,
                $"{file.Name} contains something other than dead letters, and was not changed. Name another file with {words[Setting.OfConsumer(nameof(ConsumeRequest.DeadLetterPath))]}.");
        var end = file.Length;
        while (end > 0)
        {
            file.Position = end - 1;
            if (file.ReadByte() == '\n') break;
            end--;
        }

        if (end < file.Length) file.SetLength(end);
        file.Position = end;
    }

    void TakeBack(long length)
    {
        try
        {
            _file.SetLength(length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The torn line is dropped when the file is opened next.
        }
    }

    static ImportStateException Unwritable(string path, MessageWords words, Exception cause) =>
        new(ImportStateFault.Unwritable,
            $"The dead-letter file {path} cannot be written: {cause.Message} Unacknowledged messages stay in the queue. Free space, "
            + $"or name another file with {words[Setting.OfConsumer(nameof(ConsumeRequest.DeadLetterPath))]}, and {words.RunAgain}.",
            cause);
}

/// <summary>Publishes them to a queue or topic of the same broker. While it accepts nothing, nothing is acknowledged.</summary>
/// <param name="queue">The broker.</param>
/// <param name="name">The queue or topic.</param>
/// <param name="options">The options for its waits.</param>
/// <param name="refused">Receives the reason for waiting.</param>
sealed class DeadLetterPublisher(DeliveryQueue queue, string name, MixpanelOptions options, Action<QueueException> refused) : DeadLetterSink
{
    QueuePublisher? _publisher;

    public override string Name => name;

    /// <exception cref="QueueException">There is no such queue.</exception>
    public async Task ConnectAsync(CancellationToken cancellationToken) =>
        _publisher ??= await queue.PublishAsync(name, isLast: true, cancellationToken).ConfigureAwait(false);

    public override async ValueTask KeepAsync(IReadOnlyList<byte[]> letters, CancellationToken cancellationToken)
    {
        var next = 0;
        for (var failures = 0; next < letters.Count;)
        {
            try
            {
                await ConnectAsync(cancellationToken).ConfigureAwait(false);
                for (; next < letters.Count; next++, failures = 0)
                    await _publisher!.PublishAsync(new QueueBody((byte[])[.. letters[next], (byte)'\n'], null, null), cancellationToken).ConfigureAwait(false);
            }
            catch (QueueException e) when (e.Fault is not (QueueFault.Forbidden or QueueFault.Missing or QueueFault.Refused))
            {
                refused(e);
                if (_publisher is not null && e.Fault is QueueFault.Unavailable) await DisposeAsync().ConfigureAwait(false);
                try
                {
                    await Task.Delay(Backoff.Delay(++failures, options.BackoffMin, options.BackoffMax, retryAfter: null, options.Randomizer()),
                        options.TimeProvider, cancellationToken).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    throw NotTaken(e);
                }
            }
            catch (Exception e) when (e is QueueException or OperationCanceledException)
            {
                throw NotTaken(e);
            }
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_publisher is { } publisher) await publisher.DisposeAsync().ConfigureAwait(false);
        _publisher = null;
    }

    ImportStateException NotTaken(Exception cause) =>
        new(ImportStateFault.Unwritable,
            $"The dead-letter queue {name} did not accept the rejected records{(cause is QueueException ? $": {cause.Message}" : ".")} Unacknowledged "
            + $"messages stay in the queue.",
            cause);
}

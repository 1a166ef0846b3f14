using MixpanelConnector.Files;
using MixpanelConnector.Queues;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Consume;

/// <summary>Where the dead letters of messages go.</summary>
abstract class DeadLetterSink : IAsyncDisposable
{
    /// <summary>As the report names it.</summary>
    public abstract string Name { get; }

    /// <summary>Makes dead letters safe.</summary>
    /// <param name="letters">Each one line of JSON without its line end.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ImportStateException">They are not safe, and will not be.</exception>
    public abstract ValueTask KeepAsync(IReadOnlyList<byte[]> letters, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

/// <summary>A file to which they are appended. One process has it.</summary>
sealed class DeadLetterAppender : DeadLetterSink
{
    readonly FileStream _file;

    /// <summary>How each dead letter begins.</summary>
    static ReadOnlySpan<byte> Beginning => "{\"source\":"u8;

    DeadLetterAppender(FileStream file) => _file = file;

    public override string Name => _file.Name;

    /// <exception cref="ImportStateException">The file cannot be used.</exception>
    public static DeadLetterAppender Open(string path)
    {
        path = Path.GetFullPath(path);
        FileStream? file = null;
        try
        {
            var isNew = !File.Exists(path);
            file = FileLock.TryTake(path) ?? throw new ImportStateException(ImportStateFault.Busy, $"Another process holds the dead-letter file {path}. Each consumer needs one of its own: name another with --dead-letter.");
            if (isNew) Durable.SyncFolder(Path.GetDirectoryName(path)!);
            DropTornLine(file);
            return new(file);
        }
        catch (ImportStateException)
        {
            file?.Dispose();
            throw;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw Unwritable(path, e);
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
            throw Unwritable(_file.Name, e);
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
            // What was not written was told.
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>What a process left that was killed as it wrote: its message was not settled, and comes again.</summary>
    /// <exception cref="ImportStateException">It is a file of something else, which is not to be cut.</exception>
    static void DropTornLine(FileStream file)
    {
        Span<byte> head = stackalloc byte[Beginning.Length];
        var read = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        if (!Beginning.StartsWith(head[..read])) throw new ImportStateException(ImportStateFault.Unwritable, $"{file.Name} holds something other than dead letters, and is left as it is. Name another file with --dead-letter.");
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
            // The next that opens it drops the torn line.
        }
    }

    static ImportStateException Unwritable(string path, Exception cause) =>
        new(ImportStateFault.Unwritable, $"The dead-letter file {path} cannot be written: {cause.Message} What was not settled stays in the queue. Make room, or name another file with --dead-letter, and run the same command again.", cause);
}

/// <summary>A queue or topic of the same broker. For as long as it takes nothing, nothing is settled.</summary>
/// <param name="queue">The broker.</param>
/// <param name="name">The queue or topic.</param>
/// <param name="options">Its waits.</param>
/// <param name="refused">Told why it is waited for.</param>
sealed class DeadLetterPublisher(DeliveryQueue queue, string name, MixpanelOptions options, Action<QueueException> refused) : DeadLetterSink
{
    QueuePublisher? _publisher;

    public override string Name => name;

    /// <exception cref="QueueException">There is no such queue.</exception>
    public async Task ConnectAsync(CancellationToken cancellationToken) => _publisher ??= await queue.PublishAsync(name, isLast: true, cancellationToken).ConfigureAwait(false);

    public override async ValueTask KeepAsync(IReadOnlyList<byte[]> letters, CancellationToken cancellationToken)
    {
        var next = 0;
        for (var failures = 0; next < letters.Count;)
        {
            try
            {
                await ConnectAsync(cancellationToken).ConfigureAwait(false);
                for (; next < letters.Count; next++, failures = 0) await _publisher!.PublishAsync(new QueueBody((byte[])[.. letters[next], (byte)'\n'], null, null), cancellationToken).ConfigureAwait(false);
            }
            catch (QueueException e) when (e.Fault is not (QueueFault.Forbidden or QueueFault.Missing or QueueFault.Refused))
            {
                refused(e);
                if (_publisher is not null && e.Fault is QueueFault.Unavailable) await DisposeAsync().ConfigureAwait(false);
                try
                {
                    await Task.Delay(Backoff.Delay(++failures, options.BackoffMin, options.BackoffMax, retryAfter: null, options.Randomizer()), options.TimeProvider, cancellationToken).ConfigureAwait(false);
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
        new(ImportStateFault.Unwritable, $"The dead-letter queue {name} did not take what was not accepted{(cause is QueueException ? $": {cause.Message}" : ".")} What was not settled stays in the queue.", cause);
}

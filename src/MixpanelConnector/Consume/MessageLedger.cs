using System.IO.Hashing;
using System.Text;
using MixpanelConnector.Queues;

namespace MixpanelConnector.Consume;

/// <summary>
/// Tracks the messages in progress, and those that are finished but may be redelivered, because the connection was lost before the
/// acknowledgement: these are acknowledged without being sent again. This works only for messages with a name of their own.
/// </summary>
sealed class MessageLedger
{
    /// <summary>The maximum number of finished messages that are remembered.</summary>
    const int MostRemembered = 1 << 16;

    readonly Lock _lock = new();
    readonly Dictionary<long, (QueueMessage Message, Hash128 Key)> _open = [];
    readonly HashSet<Hash128> _known = [];
    readonly Queue<Hash128> _order = new();
    long _lastId;

    /// <summary>The number of acknowledged messages.</summary>
    public long Settled { get; private set; }

    /// <summary>The number of messages that had been delivered before.</summary>
    public long Redelivered { get; private set; }

    /// <summary>Begins to process a message.</summary>
    /// <returns>Its id here; null when it is finished already.</returns>
    /// <exception cref="QueueException">It is finished, and could not be acknowledged.</exception>
    public async ValueTask<long?> BeginAsync(QueueMessage message, QueueConsumer consumer, CancellationToken cancellationToken)
    {
        var key = Hash128.Of(message.Body.Span, (long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(message.Name)));
        lock (_lock)
        {
            if (message.IsRedelivered) Redelivered++;
            if (!message.IsRedelivered || !message.IsNamed || !_known.Contains(key))
            {
                _open.Add(++_lastId, (message with { Body = default }, key)); // the batches contain its records
                return _lastId;
            }
        }

        await consumer.SettleAsync([message], cancellationToken).ConfigureAwait(false);
        return null;
    }

    /// <summary>Returns the messages with these ids.</summary>
    public List<QueueMessage> Find(IEnumerable<long> ids)
    {
        lock (_lock) return [.. ids.Select(id => _open[id].Message)];
    }

    /// <summary>Ends messages of which every record has its verdict or is a stored dead letter.</summary>
    public List<QueueMessage> End(IEnumerable<long> ids)
    {
        lock (_lock)
        {
            List<QueueMessage> ended = [];
            foreach (var id in ids)
            {
                if (!_open.Remove(id, out var open)) continue;
                ended.Add(open.Message);
                Settled++;
                if (open.Message.IsNamed && _known.Add(open.Key)) _order.Enqueue(open.Key);
            }

            while (_order.Count > MostRemembered) _known.Remove(_order.Dequeue());
            return ended;
        }
    }

    /// <summary>Forgets the messages in progress, which will be redelivered.</summary>
    public void Forget()
    {
        lock (_lock) _open.Clear();
    }
}

using System.IO.Hashing;
using System.Text;
using MixpanelConnector.Queues;

namespace MixpanelConnector.Consume;

/// <summary>
/// Which messages are being worked on, and which are done with but may come again, since the connection was lost before the broker
/// knew: these are settled without being sent again. Only messages that are named are told apart so.
/// </summary>
sealed class MessageLedger
{
    /// <summary>So many that were settled last are remembered.</summary>
    const int MostRemembered = 1 << 16;

    readonly Lock _lock = new();
    readonly Dictionary<long, (QueueMessage Message, UInt128 Key)> _open = [];
    readonly HashSet<UInt128> _known = [];
    readonly Queue<UInt128> _order = new();
    long _lastId;

    /// <summary>The messages that were settled.</summary>
    public long Settled { get; private set; }

    /// <summary>The messages that had been delivered before.</summary>
    public long Redelivered { get; private set; }

    /// <summary>Takes a message on.</summary>
    /// <returns>Its id here; null when it is done with already.</returns>
    /// <exception cref="QueueException">It is done with, and the broker could not be told.</exception>
    public async ValueTask<long?> BeginAsync(QueueMessage message, QueueConsumer consumer, CancellationToken cancellationToken)
    {
        var key = XxHash128.HashToUInt128(message.Body.Span, (long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(message.Name)));
        lock (_lock)
        {
            if (message.IsRedelivered) Redelivered++;
            if (!message.IsRedelivered || !message.IsNamed || !_known.Contains(key))
            {
                _open.Add(++_lastId, (message with { Body = default }, key)); // its records are in batches
                return _lastId;
            }
        }

        await consumer.SettleAsync([message], cancellationToken).ConfigureAwait(false);
        return null;
    }

    /// <summary>The messages with these ids.</summary>
    public List<QueueMessage> Find(IEnumerable<long> ids)
    {
        lock (_lock) return [.. ids.Select(id => _open[id].Message)];
    }

    /// <summary>Every record of these has its verdict or a safe dead letter.</summary>
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

    /// <summary>What is open will be delivered again.</summary>
    public void Forget()
    {
        lock (_lock) _open.Clear();
    }
}

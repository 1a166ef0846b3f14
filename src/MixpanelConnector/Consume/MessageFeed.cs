using System.Globalization;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Queues;

namespace MixpanelConnector.Consume;

/// <summary>Feeds the messages of one connection to an import: each message is a file of lines.</summary>
/// <param name="consumer">The connection.</param>
/// <param name="request">The request.</param>
/// <param name="ledger">Tracks the messages.</param>
/// <param name="ended">Called once, when no more messages arrive, with the reason if the connection is lost.</param>
/// <param name="draining">Canceled when no more messages are to be received.</param>
sealed class MessageFeed(QueueConsumer consumer, ConsumeRequest request, MessageLedger ledger, Action<QueueException?> ended,
    CancellationToken draining) : InputFeed
{
    public override bool WaitsForSettling => consumer.IsFull;

    public override async ValueTask<InputFile?> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, draining);
            while (!draining.IsCancellationRequested && await consumer.ReceiveAsync(either.Token).ConfigureAwait(false) is { } message)
            {
                if (await ledger.BeginAsync(message, consumer, either.Token).ConfigureAwait(false) is { } id)
                    return await OpenAsync(message, id, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (draining.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Messages already held are finished.
        }
        catch (QueueException e)
        {
            ended(e);
            return null;
        }

        ended(null);
        return null;
    }

    async ValueTask<InputFile> OpenAsync(QueueMessage message, long id, CancellationToken cancellationToken)
    {
        var input = new InputFile("", $"{request.Address}#{message.Name}", id.ToString(CultureInfo.InvariantCulture), Folder: null)
        {
            IdsFrom = message.Source,
            IsPlain = true,
            MaybeSent = message.IsRedelivered,
        };
        try
        {
            return input with
            {
                Stream = new MemoryStream(await MessageBody.ReadAsync(message, request, cancellationToken).ConfigureAwait(false), writable: false),
            };
        }
        catch (InputException e)
        {
            return input with { Refused = new("message_unreadable", e.Message, message.Body) };
        }
    }
}

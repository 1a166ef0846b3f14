using MixpanelConnector.Consume;

namespace MixpanelConnector;

public sealed partial class MixpanelClient
{
    /// <summary>
    /// Consumes a queue of a message broker, and accounts for every record of its messages: a message is acknowledged when each of its records was accepted or
    /// is a stored dead letter, and never before.
    /// </summary>
    /// <param name="request">Specifies the queue, and how to consume it.</param>
    /// <param name="cancellationToken">Stops it gracefully, within 30 seconds: receives nothing more, finishes and acknowledges what was sent, and returns the
    /// rest to the queue.</param>
    /// <returns>The report. It also contains failures that occur after the start; they are not thrown.</returns>
    /// <exception cref="MixpanelException">An option or a setting is invalid. No message was received.</exception>
    /// <exception cref="ImportStateException">The dead-letter file cannot be used. No message was received.</exception>
    public async Task<ConsumeReport> ConsumeAsync(ConsumeRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = (request with { Records = InWords(request.Records) }).Validated();
        var queue = QueueScheme.Open(request.Address, request.Schemes, request.Queue, Options.TimeProvider, "address");
        await using (queue.ConfigureAwait(false)) return await new ConsumePipeline(request, queue, Transport).RunAsync(cancellationToken).ConfigureAwait(false);
    }
}

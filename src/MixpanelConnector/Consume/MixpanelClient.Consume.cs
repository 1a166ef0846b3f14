using MixpanelConnector.Consume;

namespace MixpanelConnector;

public sealed partial class MixpanelClient
{
    /// <summary>Consumes a queue that others run, so that every record of its messages is accounted for: a message is settled when each of its records was accepted or is a safe dead letter, and never before.</summary>
    /// <param name="request">Which queue, and how.</param>
    /// <param name="cancellationToken">Stops it in order, within 30 seconds: takes nothing more, finishes and settles what was sent, and gives back the rest.</param>
    /// <returns>The account. A failure that comes up once it runs is in it; nothing is thrown for it.</returns>
    /// <exception cref="MixpanelException">An option or a setting does not fit. Nothing was taken.</exception>
    /// <exception cref="ImportStateException">The dead-letter file cannot be used. Nothing was taken.</exception>
    public async Task<ConsumeReport> ConsumeAsync(ConsumeRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = request.Validated();
        var queue = QueueScheme.Open(request.Address, request.Schemes, request.Queue, Options.TimeProvider, "address");
        await using (queue.ConfigureAwait(false)) return await new ConsumePipeline(request, queue, Transport).RunAsync(cancellationToken).ConfigureAwait(false);
    }
}

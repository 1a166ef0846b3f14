using MixpanelConnector.RabbitMq.Tests;

[assembly: AssemblyFixture(typeof(BrokerFixture))]

namespace MixpanelConnector.RabbitMq.Tests;

/// <summary>The node that most tests share, started on first use. Its acknowledgement timeout for a message is 10 seconds.</summary>
public sealed class BrokerFixture : IAsyncLifetime
{
    readonly Lazy<Task<Broker>> _broker = new(static () => Broker.StartAsync(settings: "consumer_timeout = 10000\n"));

    public async Task<Broker> GetAsync()
    {
        if (!Broker.IsInstalled) Assert.Skip("RabbitMQ is not installed: apt-get install rabbitmq-server");
        return await _broker.Value;
    }

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        if (_broker.IsValueCreated) await (await _broker.Value).DisposeAsync();
    }
}

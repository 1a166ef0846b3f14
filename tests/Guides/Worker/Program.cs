using MixpanelConnector;
using MixpanelConnector.Sqlite;

var builder = Host.CreateApplicationBuilder(args);
builder.Services.AddMixpanel(builder.Configuration.GetSection("Mixpanel"))
    .UseSqliteOutbox(builder.Configuration["Outbox"] ?? "outbox");
builder.Services.AddHostedService<Billing>();
builder.Build().Run();

sealed class Billing(IMixpanelTracker mixpanel, IHostApplicationLifetime lifetime) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var invoice = 1; invoice <= 3; invoice++)
        {
            // When this completes, the event is on the disk: it reaches Mixpanel even if this process is killed now.
            await mixpanel.TrackAsync("Invoice sent", $"user-{invoice}", new { Number = invoice }, stoppingToken);
        }

        lifetime.StopApplication();
    }
}

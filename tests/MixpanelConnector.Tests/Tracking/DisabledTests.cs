using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace MixpanelConnector.Tests.Tracking;

public sealed class DisabledTests
{
    static readonly TrackerOptions Off = new() { Enabled = false };

    [Fact]
    public async Task A_tracker_that_is_switched_off_takes_nothing_and_fails_at_nothing()
    {
        var outbox = new UntouchedOutbox();
        await using var run = new TrackerRun(Off with { Outbox = outbox, BeforeSend = [_ => throw new InvalidDataException()] }, Given.Bare());

        Assert.True(run.Tracker.Track("E", "ada", new { a = double.NaN }));
        Assert.True(run.Tracker.Profile("ada").Set("a", 1));
        await run.Tracker.TrackAsync("E", "ada", TestContext.Current.CancellationToken);
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal((0, TimeSpan.Zero, null), (run.Tracker.Pending, run.Tracker.OldestAge, run.Tracker.LastError));
        await run.Tracker.DisposeAsync();
        Assert.True(run.Tracker.Track("E", "ada"));
        Assert.Empty(run.Mixpanel.Requests);
        Assert.True(outbox.IsDisposed);
    }

    [Fact]
    public async Task It_costs_a_call_no_memory()
    {
        await using var run = new TrackerRun(Off, Given.Bare());
        run.Tracker.Track("E", "ada");
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 1000; i++) run.Tracker.Track("E", "ada");

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task An_application_switches_it_off_by_its_configuration_and_needs_no_credential()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection([new("Mixpanel:Enabled", "false")]);
        builder.Services.AddMixpanel(builder.Configuration.GetSection("Mixpanel")).UseOutbox(_ => throw new InvalidOperationException("opened"));
        builder.Services.AddHealthChecks().AddMixpanel();
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        Assert.True(host.Services.GetRequiredService<IMixpanelTracker>().Track("E", "ada"));

        Assert.Equal(HealthStatus.Healthy,
            (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken)).Status);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    sealed class UntouchedOutbox : ITrackerOutbox
    {
        public bool IsDisposed { get; private set; }

        public long Quarantined => throw new InvalidOperationException();

        public long LastNumber => throw new InvalidOperationException();

        public long Claim(Func<OutboxBatch, bool> isOwn) => throw new InvalidOperationException();

        public IReadOnlyList<long> Append(IReadOnlyList<OutboxBatch> batches) => throw new InvalidOperationException();

        public IReadOnlyList<OutboxBatch> Read(TrackedKind kind, long after, int records) => throw new InvalidOperationException();

        public void Remove(IReadOnlyList<long> numbers) => throw new InvalidOperationException();

        public (long Records, DateTimeOffset? Oldest) Count(TrackedKind kind) => throw new InvalidOperationException();

        public void Dispose() => IsDisposed = true;
    }
}

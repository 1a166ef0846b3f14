using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Tracking;

/// <summary>A tracker with a fake Mixpanel, and a clock on which waits take no time unless another one is given.</summary>
sealed class TrackerRun : IAsyncDisposable
{
    readonly HttpClient _http;
    readonly MixpanelClient _client;

    public TrackerRun(TrackerOptions? tracking = null, MixpanelOptions? options = null, TimeProvider? clock = null,
        Func<HttpMessageHandler, HttpMessageHandler>? around = null)
    {
        // Deadlines must not fire: two hours never pass on this clock.
        options = (options ?? Given.Token()) with { TimeProvider = clock ?? ImpatientClock.ForImports(), AttemptTimeout = TimeSpan.FromHours(2) };
        tracking ??= new();
        var onRejected = tracking.OnRejected;
        _http = new HttpClient(around?.Invoke(Mixpanel) ?? Mixpanel) { Timeout = Timeout.InfiniteTimeSpan };
        _client = new MixpanelClient(options, _http);
        tracking = tracking with { OnRejected = Rejected.Add + onRejected };
        if (clock is null) tracking = tracking with { Patience = TimeSpan.FromHours(2), WaitTimeout = TimeSpan.FromHours(2), Unwinding = Hang.Limit };
        Tracker = new MixpanelTracker(_client, tracking);
    }

    public MixpanelDouble Mixpanel { get; } = new();

    public MixpanelTracker Tracker { get; }

    public List<RejectedRecord> Rejected { get; } = [];

    public IReadOnlyList<JsonElement> Stored => [.. Mixpanel.Stored.Select(record => JsonElement.Parse(record))];

    public async Task<JsonElement> OnlyAsync(Func<MixpanelTracker, bool> track)
    {
        Assert.True(track(Tracker));
        await Tracker.FlushAsync();
        return Assert.Single(Stored);
    }

    public async ValueTask DisposeAsync()
    {
        await Tracker.DisposeAsync();
        _client.Dispose();
        _http.Dispose();
    }
}

using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary>The wall clock jumps while the server runs.</summary>
public sealed class ClockJumpTests
{
    [Fact]
    public async Task A_clock_that_jumps_refuses_nobody_and_creates_nothing_twice_within_a_day()
    {
        var clock = new JumpingClock();
        await using var served = await Served.StartAsync(options => options with { TimeProvider = clock, Rate = 5 }, Answer.Json(Served.Created));
        var replayed = new List<string>();
        foreach (var days in (int[])[0, -10, 400, -10_000, 0])
        {
            clock.Offset = TimeSpan.FromDays(days);
            foreach (var turn in (string[])["first", "second"])
            {
                var answer = await served.PostAsync("/v1/actions/create_service_account", Served.Create, ("Idempotency-Key", "one account"));
                Assert.Equal(200, (int)answer.StatusCode);
                if (answer.Headers.Contains("Idempotency-Replayed")) replayed.Add($"{days} {turn}");
            }

            Assert.Equal(200, (int)(await served.SendAsync(HttpMethod.Get, "/v1/imports", (string?)null)).StatusCode);
            clock.Pass(TimeSpan.FromSeconds(1)); // for the rate, which the other clock measures
        }

        // A day after the first answer, the key can be reused; a clock that moves back frees none.
        Assert.Equal(["0 second", "-10 first", "-10 second", "400 second", "-10000 first", "-10000 second", "0 first", "0 second"], replayed);
        Assert.Equal(2, served.Mixpanel.Requests.Count);
    }

    /// <summary>The machine's clock, whose wall-clock time jumps.</summary>
    sealed class JumpingClock : TimeProvider
    {
        long _passed;

        public TimeSpan Offset { get; set; }

        public void Pass(TimeSpan time) => Interlocked.Add(ref _passed, (long)(time.TotalSeconds * TimestampFrequency));

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset;

        public override long GetTimestamp() => System.GetTimestamp() + Volatile.Read(ref _passed);
    }
}

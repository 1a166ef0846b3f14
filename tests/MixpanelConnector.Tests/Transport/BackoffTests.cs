using MixpanelConnector.Transport;

namespace MixpanelConnector.Tests.Transport;

public class BackoffTests
{
    static readonly TimeSpan Min = TimeSpan.FromSeconds(2), Max = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    [InlineData(3, 8)]
    [InlineData(5, 32)]
    [InlineData(6, 60)]
    [InlineData(1000, 60)]
    public void Waits_double_from_the_first_to_the_longest(int tries, double seconds)
    {
        Assert.Equal(TimeSpan.FromSeconds(seconds), Backoff.Delay(tries, Min, Max, retryAfter: null, random: 0));
        Assert.Equal(TimeSpan.FromSeconds(seconds + 0.5), Backoff.Delay(tries, Min, Max, retryAfter: null, random: 0.5));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(7, 7)]
    [InlineData(300, 300)]
    [InlineData(301, 300)]
    [InlineData(-5, 0)]
    public void What_the_server_asks_for_wins_within_bounds(double asked, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Backoff.Delay(3, Min, Max, TimeSpan.FromSeconds(asked), random: 0.9));

    [Fact]
    public void Large_limits_do_not_overflow() =>
        Assert.Equal(TimeSpan.FromDays(2), Backoff.Delay(40, TimeSpan.FromDays(1), TimeSpan.FromDays(2), retryAfter: null, random: 0));
}

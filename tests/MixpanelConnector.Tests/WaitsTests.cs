namespace MixpanelConnector.Tests;

public class WaitsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    [InlineData(366)]
    public async Task A_task_that_has_ended_ends_within_any_number_of_days(int days) =>
        Assert.True(await Waits.EndsWithinAsync(Task.CompletedTask, TimeSpan.FromDays(days), TimeProvider.System));
}

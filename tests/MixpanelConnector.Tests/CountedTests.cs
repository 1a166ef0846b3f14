namespace MixpanelConnector.Tests;

public sealed class CountedTests
{
    [Theory]
    [InlineData(0, "0 events")]
    [InlineData(1, "1 event")]
    [InlineData(2, "2 events")]
    [InlineData(1_000_000, "1000000 events")]
    public void One_is_told_as_one(long count, string text) => Assert.Equal(text, Counted.Of(count, "event"));

    [Theory]
    [InlineData(1, "1 event has")]
    [InlineData(3, "3 events have")]
    public void What_several_are_called_can_be_said(long count, string text) => Assert.Equal(text, Counted.Of(count, "event has", "events have"));
}

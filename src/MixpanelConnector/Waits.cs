namespace MixpanelConnector;

static class Waits
{
    /// <summary>The longest delay of .NET, 49 days.</summary>
    static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    /// <summary>Whether a task ends within a timeout, of which 49 days are waited for at most.</summary>
    public static async Task<bool> EndsWithinAsync(Task task, TimeSpan span, TimeProvider time)
    {
        using var enough = new CancellationTokenSource();
        var ended = await Task.WhenAny(task, Task.Delay(span < Longest ? span : Longest, time, enough.Token)).ConfigureAwait(false) == task;
        await enough.CancelAsync().ConfigureAwait(false);
        return ended;
    }
}

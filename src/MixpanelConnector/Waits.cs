namespace MixpanelConnector;

static class Waits
{
    /// <summary>Whether a task ends within a timeout.</summary>
    public static async Task<bool> EndsWithinAsync(Task task, TimeSpan span, TimeProvider time)
    {
        using var enough = new CancellationTokenSource();
        var ended = await Task.WhenAny(task, Task.Delay(span, time, enough.Token)).ConfigureAwait(false) == task;
        await enough.CancelAsync().ConfigureAwait(false);
        return ended;
    }
}

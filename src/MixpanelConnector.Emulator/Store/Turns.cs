namespace MixpanelConnector.Emulator.Store;

/// <summary>One at a time, in the order of asking: memory that mirrors the database changes only between one transaction and the next.</summary>
sealed class Turns
{
    readonly Lock _lock = new();
    Task _last = Task.CompletedTask;

    public async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task before;
        lock (_lock)
            (before, _last) = (_last, done.Task);
        await before.ConfigureAwait(false);
        try
        {
            return await work().ConfigureAwait(false);
        }
        finally
        {
            done.SetResult();
        }
    }
}

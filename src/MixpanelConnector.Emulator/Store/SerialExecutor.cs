namespace MixpanelConnector.Emulator.Store;

/// <summary>Runs callers one at a time, in the order of their calls: state in memory that mirrors the database changes only between two transactions.</summary>
sealed class SerialExecutor
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

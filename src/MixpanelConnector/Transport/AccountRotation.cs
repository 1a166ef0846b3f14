namespace MixpanelConnector.Transport;

/// <summary>The service account that speaks for a project now, where it may be replaced while the process runs.</summary>
sealed class AccountRotation(ServiceAccountCredentials first)
{
    const int Remembered = 4;

    readonly Lock _lock = new();
    volatile ServiceAccountCredentials[] _known = [first];
    volatile TaskCompletionSource _replaced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The one of the start, which options name.</summary>
    public ServiceAccountCredentials First => first;

    public ServiceAccountCredentials Current => _known[0];

    /// <summary>The current one first, and those before it, which may still come back out of an answer.</summary>
    public IReadOnlyList<ServiceAccountCredentials> Known => _known;

    /// <summary>Completes when the current one is replaced.</summary>
    public Task WhenReplaced => _replaced.Task;

    /// <returns>Whether it is another one.</returns>
    public bool Replace(ServiceAccountCredentials account)
    {
        TaskCompletionSource replaced;
        lock (_lock)
        {
            if (account == Current) return false;
            _known = [account, .. _known.Where(known => known != account).Take(Remembered - 1)];
            (replaced, _replaced) = (_replaced, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        replaced.SetResult();
        return true;
    }
}

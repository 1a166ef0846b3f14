namespace MixpanelConnector.Transport;

/// <summary>The service account in use for a project, where it may be replaced while the process runs.</summary>
sealed class AccountRotation(ServiceAccountCredentials first)
{
    const int Remembered = 4;

    readonly Lock _lock = new();
    volatile ServiceAccountCredentials[] _known = [first];
    volatile TaskCompletionSource _replaced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The account at the start, which options contain.</summary>
    public ServiceAccountCredentials First => first;

    public ServiceAccountCredentials Current => _known[0];

    /// <summary>The current account, followed by earlier ones, which may still occur in an answer.</summary>
    public IReadOnlyList<ServiceAccountCredentials> Known => _known;

    /// <summary>Completes when the current account is replaced.</summary>
    public Task WhenReplaced => _replaced.Task;

    /// <returns>Whether it is a different account.</returns>
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

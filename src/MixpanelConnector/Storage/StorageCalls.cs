using System.Globalization;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Storage;

/// <summary>Sends requests to object storage until one is answered, with the waits that the client has for Mixpanel.</summary>
/// <param name="options">The waits.</param>
/// <param name="told">Hears why a call is made once more, when it is not the first time; null for nobody.</param>
sealed class StorageCalls(MixpanelOptions options, Action<string>? told = null)
{
    public const int MostTries = 5;

    /// <summary>How long what is sent may take; at 8 MiB a part, a slow line needs some of it.</summary>
    public static readonly TimeSpan UploadPatience = TimeSpan.FromMinutes(5);

    /// <summary>How long an answer, or the next bytes of one, may be in coming.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <exception cref="StorageException">It failed in a way that a repetition does not mend, or each time.</exception>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken, TimeSpan? patience = null)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await WithinAsync(call, cancellationToken, patience).ConfigureAwait(false);
            }
            catch (StorageException e) when (e.Fault is StorageFault.Unavailable)
            {
                await WaitAsync(tries, e, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public Task RunAsync(Func<CancellationToken, Task> call, CancellationToken cancellationToken, TimeSpan? patience = null) =>
        RunAsync(
            async token =>
            {
                await call(token).ConfigureAwait(false);
                return true;
            },
            cancellationToken,
            patience);

    /// <summary>Waits before the next try.</summary>
    /// <param name="tries">How many have failed, from 1.</param>
    /// <param name="failure">What the last one failed with.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="StorageException">There were enough tries.</exception>
    public Task WaitAsync(int tries, StorageException failure, CancellationToken cancellationToken)
    {
        if (tries >= MostTries) throw new StorageException(failure.Fault, string.Create(CultureInfo.InvariantCulture, $"{failure.Message}, {tries} times"), failure);
        if (tries > 1) told?.Invoke(string.Create(CultureInfo.InvariantCulture, $"{failure.Message}, {tries} times. It is asked again, {MostTries} times at most."));
        return Task.Delay(Backoff.Delay(tries, options.BackoffMin, options.BackoffMax, failure.RetryAfter, options.Randomizer()), options.TimeProvider, cancellationToken);
    }

    /// <summary>One call that does not last for ever.</summary>
    /// <exception cref="StorageException">It did not end in time, or it failed.</exception>
    public async Task<T> WithinAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken, TimeSpan? patience = null)
    {
        using var late = new CancellationTokenSource(options.AttemptTimeout ?? patience ?? Patience, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            return await call(either.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not StorageException && late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new StorageException(StorageFault.Unavailable, "it did not answer in time", e);
        }
    }
}

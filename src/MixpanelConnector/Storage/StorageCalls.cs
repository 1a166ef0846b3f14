using System.Globalization;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Storage;

/// <summary>Sends requests to object storage, with the retries and waits that the client uses for Mixpanel.</summary>
/// <param name="options">The options for its waits.</param>
/// <param name="told">Receives the reason for a retry; null for none.</param>
sealed class StorageCalls(MixpanelOptions options, Action<string>? told = null)
{
    public const int MostTries = 5;

    /// <summary>The timeout of an upload; with parts of 8 MiB, a slow connection needs some of it.</summary>
    public static readonly TimeSpan UploadPatience = TimeSpan.FromMinutes(5);

    /// <summary>The timeout for an answer, or for its next bytes.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <exception cref="StorageException">It failed with an error that a retry cannot fix, or in every attempt.</exception>
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

    /// <summary>Waits before the next attempt.</summary>
    /// <param name="tries">The number of failed attempts, from 1.</param>
    /// <param name="failure">The last failure.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="StorageException">The maximum number of attempts is reached.</exception>
    public Task WaitAsync(int tries, StorageException failure, CancellationToken cancellationToken)
    {
        if (tries >= MostTries)
            throw new StorageException(failure.Fault, string.Create(CultureInfo.InvariantCulture, $"{failure.Message}, {tries} times"), failure);
        if (tries > 1) told?.Invoke(string.Create(CultureInfo.InvariantCulture, $"{failure.Message}, {tries} times. Retrying, {MostTries} times at most."));
        return Task.Delay(Backoff.Delay(tries, options.BackoffMin, options.BackoffMax, failure.RetryAfter, options.Randomizer()), options.TimeProvider,
            cancellationToken);
    }

    /// <summary>Makes one call, with a timeout.</summary>
    /// <exception cref="StorageException">It timed out, or failed.</exception>
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
            throw new StorageException(StorageFault.Unavailable, "it did not respond in time", e);
        }
    }
}

using MixpanelConnector.Storage;

namespace MixpanelConnector.Import.Source;

/// <summary>The URLs among the inputs of an import, resolved once before anything is read.</summary>
sealed class StoredInputs : IDisposable
{
    readonly Dictionary<string, StoredInput> _inputs = new(StringComparer.Ordinal);
    readonly List<ObjectStore> _stores = [];

    /// <summary>Resolves the URLs of the request, which is unchanged if there are none. The caller disposes the result.</summary>
    /// <exception cref="MixpanelException">There is nothing at a URL, or it or a setting is invalid.</exception>
    /// <exception cref="InputException">The storage does not return it.</exception>
    public static async Task<(ImportRequest Request, StoredInputs Opened)> ResolveAsync(ImportRequest request, MixpanelOptions options,
        CancellationToken cancellationToken)
    {
        var found = new StoredInputs();
        if (request.Replay is not null || !request.Inputs.Any(request.IsAddress)) return (request, found);
        try
        {
            foreach (var input in request.Inputs.Where(request.IsAddress).Distinct(StringComparer.Ordinal))
            {
                var calls =
                    new StorageCalls(options, reason => request.Diagnostics.Warn(StorageScheme.Shown(input), $"The storage is slow or unavailable: {reason}"));
                await found.AddAsync(input, request, calls, cancellationToken).ConfigureAwait(false);
            }

            return (request with { Stored = found }, found);
        }
        catch
        {
            found.Dispose();
            throw;
        }
    }

    public StoredInput? Of(string input) => _inputs.GetValueOrDefault(input);

    public void Dispose() => _stores.ForEach(store => store.Dispose());

    async Task AddAsync(string input, ImportRequest request, StorageCalls calls, CancellationToken cancellationToken)
    {
        try
        {
            var (store, key) = request.Storages.First(scheme => scheme.Holds(input)).Open(input);
            _stores.Add(store);
            _inputs.Add(input, await StoredInput.FindAsync(input, key, store, calls, cancellationToken).ConfigureAwait(false));
        }
        catch (StorageException e) when (e.Fault is StorageFault.Unconfigured)
        {
            throw e.Told("input", input);
        }
        catch (StorageException e) when (e.Fault is StorageFault.Missing)
        {
            throw MixpanelException.Invalid("input", $"The input {input} does not exist.");
        }
        catch (StorageException e)
        {
            throw new InputException($"{StorageScheme.Shown(input)} {ObjectByteSource.Reason(e)}", e) { Outcome = ObjectByteSource.OutcomeOf(e) };
        }
    }
}

using System.Collections.Frozen;
using MixpanelConnector.Import.Clean;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Admission;

/// <summary>Where an import begins: at the last checkpoint of its state, if that was made with the same options, or at nothing.</summary>
static class LastCheckpoint
{
    /// <summary>
    /// Loads the checkpoint to resume from, null for none, and says whether the import discards what its state contains. It does so once something is to be
    /// sent or saved: an import that is refused before leaves everything as it was.
    /// </summary>
    /// <param name="state">The state.</param>
    /// <param name="request">The import.</param>
    /// <param name="options">Its options.</param>
    /// <param name="inputs">The inputs to send.</param>
    /// <exception cref="MixpanelException">It was made with other options.</exception>
    /// <exception cref="ImportStateException">The state is damaged, or cannot be written.</exception>
    public static (ImportCheckpoint? Loaded, bool Discards) Load(IImportState state, ImportRequest request, ImportOptions options,
        IReadOnlyCollection<InputFile> inputs)
    {
        if (state.Load() is not { } loaded) return (null, request.Restart);
        if (request.Restart)
        {
            if (!request.NewIds) options.EnsureSameEvents(loaded, state.DeadLetterPath, inputs);
            return (null, true);
        }

        if (options.Are(loaded)) return (loaded, false);
        if (loaded is not { Finished: true, Totals: { Accepted: 0, Requests: 0 } } || loaded.Sources.Any(source => source.SentTo > 0))
            throw options.Differ(loaded, state.DeadLetterPath);
        return (null, true); // nothing was sent, so nothing can count twice; after a run that was killed that is unknown
    }

    /// <summary>The totals of an import without a checkpoint.</summary>
    public static ImportTotals NoneYet(ImportRequest request) => new()
    {
        Fixed = RecordCleaner.NoneYet(request),
        LeftOut = !request.IsMapped ? null : FrozenDictionary<string, long>.Empty,
        Mapped = !request.IsMapped ? null : FrozenDictionary<string, long>.Empty,
    };
}

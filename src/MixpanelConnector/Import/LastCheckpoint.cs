using System.Collections.Frozen;
using MixpanelConnector.Import.Clean;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import;

/// <summary>Where an import begins: at the last checkpoint of its state, if that was made with the same options, or at nothing.</summary>
static class LastCheckpoint
{
    /// <summary>Loads the checkpoint to resume from, after deleting it if the import begins again; null for none.</summary>
    /// <param name="state">The state.</param>
    /// <param name="request">The import.</param>
    /// <param name="options">Its options.</param>
    /// <param name="inputs">The inputs to send.</param>
    /// <exception cref="MixpanelException">It was made with other options.</exception>
    /// <exception cref="ImportStateException">The state is damaged, or cannot be written.</exception>
    public static ImportCheckpoint? Load(IImportState state, ImportRequest request, ImportOptions options, IReadOnlyCollection<InputFile> inputs)
    {
        var loaded = state.Load();
        if (request.Restart)
        {
            if (!request.NewIds && loaded is not null) options.EnsureSameEvents(loaded, state.DeadLetterPath, inputs);
            state.Clear();
            loaded = state.Load();
        }

        if (loaded is null || options.Are(loaded)) return loaded;
        if (loaded is not { Finished: true, Totals: { Accepted: 0, Requests: 0 } } || loaded.Sources.Any(source => source.SentTo > 0)) throw options.Differ(loaded, state.DeadLetterPath);
        state.Clear(); // nothing was sent, so nothing can count twice; after a run that was killed that is unknown
        return null;
    }

    /// <summary>The totals of an import without a checkpoint.</summary>
    public static ImportTotals NoneYet(ImportRequest request) => new()
    {
        Fixed = RecordCleaner.NoneYet(request),
        LeftOut = !request.IsMapped ? null : FrozenDictionary<string, long>.Empty,
        Mapped = !request.IsMapped ? null : FrozenDictionary<string, long>.Empty,
    };
}

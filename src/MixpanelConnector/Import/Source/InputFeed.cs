namespace MixpanelConnector.Import.Source;

/// <summary>Supplies the inputs of an import, one after the other.</summary>
abstract class InputFeed
{
    /// <summary>Whether the next input is supplied only after one of the previous ones is settled.</summary>
    public virtual bool WaitsForSettling => false;

    /// <summary>Returns the next input; null when there are no more.</summary>
    public abstract ValueTask<InputFile?> NextAsync(CancellationToken cancellationToken);
}

/// <summary>Inputs that are all known in advance.</summary>
sealed class ListedInputs(IEnumerable<InputFile> inputs) : InputFeed
{
    readonly Queue<InputFile> _left = new(inputs);

    public override ValueTask<InputFile?> NextAsync(CancellationToken cancellationToken) => new(_left.TryDequeue(out var input) ? input : null);
}

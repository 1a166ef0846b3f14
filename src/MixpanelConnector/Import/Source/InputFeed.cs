namespace MixpanelConnector.Import.Source;

/// <summary>The inputs of an import, one after the other.</summary>
abstract class InputFeed
{
    /// <summary>Whether no other input comes before one of those that were given is settled.</summary>
    public virtual bool WaitsForSettling => false;

    /// <summary>The next input; null when there are no more.</summary>
    public abstract ValueTask<InputFile?> NextAsync(CancellationToken cancellationToken);
}

/// <summary>Inputs that are all known.</summary>
sealed class ListedInputs(IEnumerable<InputFile> inputs) : InputFeed
{
    readonly Queue<InputFile> _left = new(inputs);

    public override ValueTask<InputFile?> NextAsync(CancellationToken cancellationToken) => new(_left.TryDequeue(out var input) ? input : null);
}

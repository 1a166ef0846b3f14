namespace MixpanelConnector.Fuzz;

/// <summary>A part of the product whose verdict on any input is compared with an independent one.</summary>
abstract class Target : IDisposable
{
    /// <summary>What mutation starts from.</summary>
    public abstract IReadOnlyList<byte[]> Seeds { get; }

    /// <summary>Pieces that mean something to the target.</summary>
    public virtual IReadOnlyList<byte[]> Dictionary => [];

    /// <summary>Inputs that once showed a defect.</summary>
    public virtual IReadOnlyList<byte[]> Regressions => [];

    /// <summary>Throws when the two verdicts differ.</summary>
    public abstract void Run(byte[] input);

    public virtual void Dispose() => GC.SuppressFinalize(this);

    protected static void Same<T>(T expected, T actual, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual)) throw new DifferenceException($"{what}: expected {expected}, was {actual}");
    }

    protected static void Hold(bool condition, string what)
    {
        if (!condition) throw new DifferenceException(what);
    }
}

/// <summary>The product's verdict is not the independent one.</summary>
sealed class DifferenceException(string message) : Exception(message);

namespace MixpanelConnector.Fuzz;

/// <summary>A part of the product whose verdict on any input is compared with an independent one.</summary>
abstract class Target : IDisposable
{
    /// <summary>The inputs that mutation starts from.</summary>
    public abstract IReadOnlyList<byte[]> Seeds { get; }

    /// <summary>A dictionary of tokens that are meaningful to the target.</summary>
    public virtual IReadOnlyList<byte[]> Dictionary => [];

    /// <summary>Inputs that once revealed a defect.</summary>
    public virtual IReadOnlyList<byte[]> Regressions => [];

    /// <summary>Throws if the two verdicts differ.</summary>
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

/// <summary>The product's verdict differs from the independent one.</summary>
sealed class DifferenceException(string message) : Exception(message);

#pragma warning disable IDE0130 // the names of .NET 9
namespace System.Threading;
#pragma warning restore IDE0130

/// <summary>The Lock type of .NET 9, based on a monitor.</summary>
sealed class Lock
{
    readonly object _monitor = new();

    public Scope EnterScope()
    {
        Monitor.Enter(_monitor);
        return new Scope(_monitor);
    }

    public void Enter() => Monitor.Enter(_monitor);

    public bool TryEnter(TimeSpan timeout) => Monitor.TryEnter(_monitor, timeout);

    public void Exit() => Monitor.Exit(_monitor);

    public readonly ref struct Scope(object monitor)
    {
        public void Dispose() => Monitor.Exit(monitor);
    }
}

using System.Buffers;
using MixpanelConnector.Formats.Columns;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>What a row group holds of a column: the values that are there, and how much of the path to each is. Its memory is lent.</summary>
abstract class ParquetColumn(int count, bool hasDefinitions, bool hasRepetitions) : IDisposable
{
    readonly IMemoryOwner<int>? _definitions = hasDefinitions ? MemoryPool<int>.Shared.Rent(count) : null;
    readonly IMemoryOwner<int>? _repetitions = hasRepetitions ? MemoryPool<int>.Shared.Rent(count) : null;

    /// <summary>How many values there are, with those that are null.</summary>
    public int Count => count;

    /// <summary>The definition levels; null where every value is there.</summary>
    public Memory<int>? Definitions => _definitions?.Memory[..count];

    /// <summary>The repetition levels; null where nothing is repeated.</summary>
    public Memory<int>? Repetitions => _repetitions?.Memory[..count];

    /// <summary>Writes a value; false when JSON has nothing for it.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="index">Which, among those that are not null.</param>
    /// <param name="kind">What it is for.</param>
    public abstract bool Write(JsonText json, int index, FieldKind kind);

    public virtual void Dispose()
    {
        _definitions?.Dispose();
        _repetitions?.Dispose();
    }
}

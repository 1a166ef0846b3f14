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

    /// <summary>Takes out what an earlier column left: a file that holds less than it says must not be filled up with that.</summary>
    public virtual void Clear()
    {
        Definitions?.Span.Fill(-1);
        Repetitions?.Span.Fill(-1);
    }

    /// <exception cref="InvalidDataException">A level was not in the file, or cannot be.</exception>
    public virtual void Check(int definition, int repetition)
    {
        if (AreOutside(Definitions, definition) || AreOutside(Repetitions, repetition)) throw new InvalidDataException("a column has other levels than its schema");
    }

    static bool AreOutside(Memory<int>? levels, int most) => levels is { } there && there.Span.ContainsAnyExceptInRange(0, most);

    public virtual void Dispose()
    {
        _definitions?.Dispose();
        _repetitions?.Dispose();
    }
}

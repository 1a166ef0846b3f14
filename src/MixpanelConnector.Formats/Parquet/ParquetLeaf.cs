using MixpanelConnector.Formats.Columns;
using ParquetSharp;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>Writes a value; nothing when JSON cannot represent it.</summary>
delegate void ValueWriter<T>(JsonText json, T value, FieldKind kind);

/// <summary>
/// Values that are consecutive in the file, with two levels each: how much of their path is present, and which list they continue.
/// A few hundred are decoded at a time, regardless of how many a row group or a row has.
/// </summary>
abstract class ParquetLeaf(ParquetField leaf, ParquetValues context) : ParquetNode
{
    readonly short[] _definitions = new short[leaf.Definition > 0 ? context.Most : 0];
    readonly short[] _repetitions = new short[leaf.Repetition > 0 ? context.Most : 0];
    int _most;
    int _count;
    int _level;
    int _value;
    long _left;

    public ParquetField Field => leaf;

    public override ParquetLeaf First => this;

    /// <summary>Whether all values of the row group were consumed.</summary>
    public bool AtEnd => _level == _count && _left == 0;

    /// <summary>How much of the path to the next value is present.</summary>
    public int Definition
    {
        get
        {
            if (_level == _count) Fill();
            return _definitions is [] ? 0 : _definitions[_level];
        }
    }

    /// <summary>The list that the next value continues; 0 for a new row.</summary>
    public int Repetition
    {
        get
        {
            if (_repetitions is [] || AtEnd) return 0;
            if (_level == _count) Fill();
            return _repetitions[_level];
        }
    }

    /// <summary>Begins a row group.</summary>
    /// <param name="group">The row group.</param>
    /// <param name="values">The number of its values, including nulls.</param>
    /// <param name="fewer">The maximum number of values to decode at a time; null for as many as the buffers hold.</param>
    public void Open(RowGroupReader group, long values, int? fewer)
    {
        Close();
        Begin(group.Column(leaf.Leaf));
        (_left, _most) = (values, Math.Min(context.Most, fewer ?? context.Most));
    }

    public void Close()
    {
        End();
        (_count, _level, _value, _left) = (0, 0, 0, 0);
    }

    public override bool Write(JsonText json)
    {
        var present = Definition == leaf.Definition;
        _level++;
        return present && Write(json, _value++);
    }

    public override void Skip()
    {
        if (Definition == leaf.Definition) throw ParquetPages.Damaged(leaf, "has a value within a null");
        _level++;
    }

    public override void AddLeaves(List<ParquetLeaf> leaves) => leaves.Add(this);

    protected abstract void Begin(ColumnReader column);

    protected abstract void End();

    /// <summary>Writes one of the decoded values; false when JSON cannot represent it.</summary>
    protected abstract bool Write(JsonText json, int index);

    /// <returns>The number of decoded values, including nulls.</returns>
    protected abstract long Read(long most, Span<short> definitions, Span<short> repetitions, out long values);

    void Fill()
    {
        context.Cancellation.ThrowIfCancellationRequested();
        if (_left == 0) throw ParquetPages.Damaged(leaf, "has fewer values than its row group has rows");
        long read, values;
        try
        {
            read = Read(Math.Min(_most, _left), _definitions, _repetitions, out values);
        }
        catch (ParquetException e)
        {
            throw new InvalidDataException($"the column {leaf.Path}: {ParquetFormat.ReasonOf(e)}", e);
        }

        if (read <= 0) throw ParquetPages.Damaged(leaf, "has fewer values than it declares");
        var expected = _definitions is [] ? read : _definitions.AsSpan(0, (int)read).Count(leaf.Definition);
        if (values != expected) throw ParquetPages.Damaged(leaf, "has fewer values than it declares");
        (_count, _level, _value) = ((int)read, 0, 0);
        _left -= read;
    }
}

sealed class ParquetLeaf<T>(ParquetField field, FieldKind kind, ParquetValues context, ValueWriter<T> write, bool quotes)
    : ParquetLeaf(field, context) where T : unmanaged
{
    readonly T[] _values = new T[context.Most];
    ColumnReader<T>? _column;

    protected override void Begin(ColumnReader column) => _column = (ColumnReader<T>)column;

    protected override void End()
    {
        _column?.Dispose();
        _column = null;
    }

    protected override long Read(long most, Span<short> definitions, Span<short> repetitions, out long values) =>
        _column!.ReadBatch(most, definitions, repetitions, _values, out values);

    protected override bool Write(JsonText json, int index)
    {
        var start = json.Length;
        var bare = kind is FieldKind.Text && !quotes;
        if (bare) json.AppendByte((byte)'"');
        var value = json.Length;
        write(json, _values[index], kind);
        if (json.Length == value)
        {
            json.CutTo(start);
            return false;
        }

        if (bare) json.AppendByte((byte)'"');
        return true;
    }
}

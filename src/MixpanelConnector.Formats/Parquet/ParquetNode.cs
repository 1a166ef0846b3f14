using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Source;
using Parquet;
using Parquet.Schema;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>
/// A column, or a part of a nested one. Parquet keeps the leaves of nested values apart, each with a definition level that tells
/// how much of its path is there, and a repetition level that tells which list goes on:
/// https://parquet.apache.org/docs/file-format/nestedencoding/.
/// </summary>
abstract class ParquetNode
{
    /// <summary>Writes the next value; nothing when it is null.</summary>
    /// <returns>Whether there was one.</returns>
    public abstract bool Write(JsonText json);

    /// <summary>The leaf whose levels tell of this node.</summary>
    public abstract ParquetLeaf First { get; }

    public abstract void AddLeaves(List<ParquetLeaf> leaves);

    /// <summary>Passes by a value that is not there.</summary>
    public abstract void Skip();

    /// <exception cref="InputException">The column's type has no JSON.</exception>
    public static ParquetNode Of(Field field, FieldKind kind) => field switch
    {
        DataField { IsArray: true } data => new ParquetList(data.MaxDefinitionLevel, data.MaxRepetitionLevel, new ParquetLeaf(data, FieldKind.Value)),
        DataField data => new ParquetLeaf(data, kind),
        ListField list => new ParquetList(list.MaxDefinitionLevel, list.MaxRepetitionLevel, Of(list.Item, FieldKind.Value)),
        MapField map => new ParquetMap(map.MaxDefinitionLevel, map.MaxRepetitionLevel, Of(map.Key, FieldKind.Text), Of(map.Value, FieldKind.Value)),
        StructField group => new ParquetStruct(group.MaxDefinitionLevel, [.. group.Fields.Select(member => (member.Name, Of(member, FieldKind.Value)))]),
        _ => throw new InputException($"has a column of a type that is not supported: {field.Name}"),
    };
}

sealed class ParquetLeaf(DataField column, FieldKind kind) : ParquetNode
{
    readonly ParquetType _type = ParquetType.For(column);
    ParquetColumn? _values;
    int _level;
    int _value;

    public DataField Field => column;

    public override ParquetLeaf First => this;

    public bool AtEnd => _level == _values!.Count;

    /// <summary>How much of the path to the next value is there.</summary>
    public int Definition => _values!.Definitions is { } levels ? levels.Span[_level] : 0;

    /// <summary>The list that the next value goes on with; 0 for a new row.</summary>
    public int Repetition => _values!.Repetitions is { } levels && !AtEnd ? levels.Span[_level] : 0;

    public Task<ParquetColumn> ReadAsync(ParquetRowGroupReader group, CancellationToken cancellationToken) => _type.ReadAsync(group, column, cancellationToken);

    public void Load(ParquetColumn values)
    {
        _values = values;
        (_level, _value) = (0, 0);
    }

    public override bool Write(JsonText json)
    {
        var present = Definition == column.MaxDefinitionLevel;
        _level++;
        if (!present) return false;
        return _values!.Write(json, _value++, kind);
    }

    public override void Skip() => _level++;

    public override void AddLeaves(List<ParquetLeaf> leaves) => leaves.Add(this);
}

sealed class ParquetStruct(int definition, List<(string Name, ParquetNode Node)> members) : ParquetNode
{
    readonly List<(ReadOnlyMemory<byte> Name, ParquetNode Node)> _members = members.ConvertAll(member => (ColumnMap.NameOf(member.Name), member.Node));

    public override ParquetLeaf First => _members[0].Node.First;

    public override bool Write(JsonText json)
    {
        if (First.Definition < definition)
        {
            Skip();
            return false;
        }

        json.AppendByte((byte)'{');
        var separate = false;
        foreach (var (name, node) in _members)
        {
            var start = json.Length;
            if (separate) json.AppendByte((byte)',');
            json.Append(name.Span);
            if (node.Write(json)) separate = true;
            else json.CutTo(start);
        }

        json.AppendByte((byte)'}');
        return true;
    }

    public override void Skip()
    {
        foreach (var (_, node) in _members) node.Skip();
    }

    public override void AddLeaves(List<ParquetLeaf> leaves)
    {
        foreach (var (_, node) in _members) node.AddLeaves(leaves);
    }
}

sealed class ParquetList(int definition, int repetition, ParquetNode element) : ParquetNode
{
    public override ParquetLeaf First => element.First;

    public override bool Write(JsonText json)
    {
        var there = First.Definition;
        if (there < definition)
        {
            Skip();
            if (there < definition - 1) return false;
            json.Append("[]"u8);
            return true;
        }

        json.AppendByte((byte)'[');
        do
        {
            if (!element.Write(json)) json.Append("null"u8);
            json.AppendByte((byte)',');
        }
        while (First.Repetition >= repetition);
        json.CutTo(json.Length - 1);
        json.AppendByte((byte)']');
        return true;
    }

    public override void Skip() => element.Skip();

    public override void AddLeaves(List<ParquetLeaf> leaves) => element.AddLeaves(leaves);
}

sealed class ParquetMap(int definition, int repetition, ParquetNode key, ParquetNode value) : ParquetNode
{
    public override ParquetLeaf First => key.First;

    public override bool Write(JsonText json)
    {
        var there = First.Definition;
        if (there < definition)
        {
            Skip();
            if (there < definition - 1) return false;
            json.Append("{}"u8);
            return true;
        }

        json.AppendByte((byte)'{');
        do
        {
            if (!key.Write(json)) throw new InvalidDataException("a map has a key that is null");
            json.AppendByte((byte)':');
            if (!value.Write(json)) json.Append("null"u8);
            json.AppendByte((byte)',');
        }
        while (First.Repetition >= repetition);
        json.CutTo(json.Length - 1);
        json.AppendByte((byte)'}');
        return true;
    }

    public override void Skip()
    {
        key.Skip();
        value.Skip();
    }

    public override void AddLeaves(List<ParquetLeaf> leaves)
    {
        key.AddLeaves(leaves);
        value.AddLeaves(leaves);
    }
}

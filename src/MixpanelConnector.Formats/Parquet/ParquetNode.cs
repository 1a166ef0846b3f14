using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>
/// A column, or a part of a nested one. Parquet stores the leaves of nested values separately, each with a definition level that shows
/// how much of its path is present, and a repetition level that shows which list continues:
/// https://parquet.apache.org/docs/file-format/nestedencoding/.
/// </summary>
abstract class ParquetNode
{
    /// <summary>Writes the next value; nothing when it is null.</summary>
    /// <returns>Whether there was a value.</returns>
    public abstract bool Write(JsonText json);

    /// <summary>The leaf whose levels apply to this node.</summary>
    public abstract ParquetLeaf First { get; }

    public abstract void AddLeaves(List<ParquetLeaf> leaves);

    /// <summary>Skips an absent value.</summary>
    public abstract void Skip();

    /// <exception cref="InputException">JSON cannot represent the column's type.</exception>
    /// <param name="field">The column or part.</param>
    /// <param name="kind">How its values are written.</param>
    /// <param name="values">Creates the leaves for each type.</param>
    /// <param name="record">The type of record whose properties are the members of the value; null when they are not.</param>
    public static ParquetNode Of(ParquetField field, FieldKind kind, ParquetValues values, ImportType? record = null)
    {
        if (!field.IsRepeated) return OfOne(field, kind, values, record);
        return new ParquetList(field.Definition, field.Repetition, OfOne(field, FieldKind.Value, values)); // the original form of lists
    }

    static ParquetNode OfOne(ParquetField field, FieldKind kind, ParquetValues values, ImportType? record = null) => field switch
    {
        { IsLeaf: true } => values.LeafOf(field, kind),
        { Meaning: ParquetMeaning.List, Children: [{ IsRepeated: true } repeated] } =>
            new ParquetList(repeated.Definition, repeated.Repetition, ElementOf(field, repeated, values)),
        {
            Meaning: ParquetMeaning.Map,
            Children: [{ IsRepeated: true, IsLeaf: false, Children: [{ IsRepeated: false, IsLeaf: true } key, { IsRepeated: false } value] } entry]
        } =>
            new ParquetMap(entry.Definition, entry.Repetition, OfOne(key, FieldKind.Text, values), OfOne(value, FieldKind.Value, values)),
        { Meaning: ParquetMeaning.Unknown } => throw values.Unsupported(field),
        _ => new ParquetStruct(field.Definition,
            [.. field.Children.Select(member => (member.Name,
                Of(member, record is { } type ? ColumnMap.KindOf(member.Name, type) : FieldKind.Value, values)))]),
    };

    /// <summary>
    /// The element of a list. The group in between is itself the element if it cannot be distinguished from a structure:
    /// https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists.
    /// </summary>
    static ParquetNode ElementOf(ParquetField list, ParquetField repeated, ParquetValues values) =>
        repeated is { IsLeaf: false, Meaning: ParquetMeaning.None, Children: [{ IsRepeated: false } element] } && repeated.Name != "array"
            && repeated.Name != $"{list.Name}_tuple"
            ? OfOne(element, FieldKind.Value, values)
            : OfOne(repeated, FieldKind.Value, values);
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
            if (node.First.Definition < definition) throw ParquetPages.Damaged(node.First.Field, "is null within a value that is not null");
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
            json.Spill();
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
            if (!key.Write(json)) throw ParquetPages.Damaged(key.First.Field, "has a key that is null");
            json.AppendByte((byte)':');
            if (!value.Write(json)) json.Append("null"u8);
            json.AppendByte((byte)',');
            json.Spill();
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

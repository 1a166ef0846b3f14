using System.Text.Json;
using MixpanelConnector.Formats.Columns;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>A column that holds properties by name: a struct, a map, or JSON. What there is a column for is that column's.</summary>
/// <param name="properties">The column.</param>
/// <param name="columns">The names that there are columns for, as JSON with the colon.</param>
sealed class ParquetProperties(ParquetNode properties, List<ReadOnlyMemory<byte>> columns) : ParquetNode
{
    readonly JsonText _written = new(spills: false);

    public override ParquetLeaf First => properties.First;

    public override bool Write(JsonText json)
    {
        _written.Clear();
        if (!properties.Write(_written)) return false;
        var value = _written.Written;
        if (value is not [(byte)'{', ..])
        {
            json.Append(value);
            return true;
        }

        json.AppendByte((byte)'{');
        var separate = false;
        var reader = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = 1001 });
        reader.Read();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var start = (int)reader.TokenStartIndex;
            var name = value[start..(start + reader.ValueSpan.Length + 2)];
            reader.Skip();
            if (IsColumn(name)) continue;
            if (separate) json.AppendByte((byte)',');
            json.Append(value[start..(int)reader.BytesConsumed]);
            separate = true;
        }

        json.AppendByte((byte)'}');
        return true;
    }

    public override void Skip() => properties.Skip();

    public override void AddLeaves(List<ParquetLeaf> leaves) => properties.AddLeaves(leaves);

    bool IsColumn(ReadOnlySpan<byte> name)
    {
        foreach (var column in columns)
            if (column.Span[..^1].SequenceEqual(name)) return true;
        return false;
    }
}

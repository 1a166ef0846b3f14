using MixpanelConnector.Formats.Columns;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>A column that holds properties by name: a struct, a map, or JSON. A property that has its own column is taken from that column.</summary>
/// <param name="properties">The column.</param>
/// <param name="own">The properties that have their own columns.</param>
/// <param name="words">How messages refer to settings.</param>
sealed class ParquetProperties(ParquetNode properties, OwnColumns own, MessageWords words) : ParquetNode
{
    readonly JsonText _written = new(words, spills: false);

    public override ParquetLeaf First => properties.First;

    public override bool Write(JsonText json)
    {
        _written.Clear();
        if (!properties.Write(_written)) return false;
        own.AppendOthers(json, _written.Written);
        return true;
    }

    public override void Skip() => properties.Skip();

    public override void AddLeaves(List<ParquetLeaf> leaves) => properties.AddLeaves(leaves);
}

using System.Text.Json;
using MixpanelConnector.Export;

namespace MixpanelConnector.Formats.Exports;

/// <summary>
/// The cells of a record: for an event <c>event</c>, <c>time</c>, <c>distinct_id</c>, <c>$insert_id</c> and <c>properties</c>, which holds all
/// other members byte for byte; for a profile its id and <c>$properties</c>. No value changes its type: ids that are not text remain
/// in the properties, so that 1 and "1" stay distinct.
/// </summary>
sealed class RecordCells
{
    readonly byte[]?[] _unescaped = new byte[]?[3];
    byte[] _properties = [];

    public static IReadOnlyList<string> Names(ExportRequest request) => request.Kind switch
    {
        ExportKind.Events => ["event", "time", "distinct_id", "$insert_id", "properties"],
        ExportKind.Groups => ["$group_id", "$properties"],
        _ => ["$distinct_id", "$properties"],
    };

    /// <summary>The event's name, or the profile's id.</summary>
    public ReadOnlySpan<byte> Id(ReadOnlySpan<byte> record, RecordScanner scanned) => Text(record, scanned.Id, 0);

    public ReadOnlySpan<byte> DistinctId(ReadOnlySpan<byte> record, RecordScanner scanned) => Text(record, scanned.DistinctId, 1);

    public ReadOnlySpan<byte> InsertId(ReadOnlySpan<byte> record, RecordScanner scanned) => Text(record, scanned.InsertId, 2);

    /// <summary>The other properties as an object.</summary>
    public ReadOnlySpan<byte> Properties(ReadOnlySpan<byte> record, RecordScanner scanned)
    {
        if (_properties.Length < record.Length + 2) _properties = new byte[Math.Max(4096, (record.Length + 2) * 2)];
        var length = 0;
        _properties[length++] = (byte)'{';
        foreach (var place in scanned.Others)
        {
            if (length > 1) _properties[length++] = (byte)',';
            var others = place.In(record);
            others.CopyTo(_properties.AsSpan(length));
            length += others.Length;
        }

        _properties[length++] = (byte)'}';
        return _properties.AsSpan(0, length);
    }

    /// <summary>A text without its quotes and escapes; a number as written.</summary>
    ReadOnlySpan<byte> Text(ReadOnlySpan<byte> record, Stretch place, int column)
    {
        var json = place.In(record);
        if (json is not [(byte)'"', .. var text, (byte)'"']) return json;
        if (!text.Contains((byte)'\\')) return text;
        if (_unescaped[column] is not { } buffer || buffer.Length < text.Length) buffer = _unescaped[column] = new byte[Math.Max(256, text.Length)];
        var reader = new Utf8JsonReader(json);
        reader.Read();
        return buffer.AsSpan(0, reader.CopyString(buffer));
    }
}

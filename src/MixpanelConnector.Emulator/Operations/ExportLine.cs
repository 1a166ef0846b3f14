using System.Buffers;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary>One line of an export: the stored properties with numbers unchanged, <c>time</c> in the requested unit.</summary>
static class ExportLine
{
    public static void Write(ArrayBufferWriter<byte> output, in ExportRow row, bool timeInMilliseconds)
    {
        using (var json = new Utf8JsonWriter(output, Replies.Readable))
            Write(json, row, timeInMilliseconds);
        output.Write("\n"u8);
    }

    public static void Write(Utf8JsonWriter json, in ExportRow row, bool timeInMilliseconds)
    {
        json.WriteStartObject();
        json.WriteString("event"u8, row.Name);
        json.WriteStartObject("properties"u8);
        json.WriteNumber("time"u8, timeInMilliseconds ? row.Time.ToUnixTimeMilliseconds() : row.Time.ToUnixTimeSeconds());
        json.WriteString("distinct_id"u8, row.DistinctId);
        if (row.InsertId is not null) json.WriteString("$insert_id"u8, row.InsertId);
        WriteOthers(json, Encoding.UTF8.GetBytes(row.Properties), withInsertId: row.InsertId is null);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    static void WriteOthers(Utf8JsonWriter json, byte[] properties, bool withInsertId)
    {
        var reader = new Utf8JsonReader(properties);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isWritten = reader.ValueTextEquals("time"u8) || reader.ValueTextEquals("distinct_id"u8)
                || (!withInsertId && reader.ValueTextEquals("$insert_id"u8));
            var name = isWritten ? null : reader.GetString()!;
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (name is null) continue;
            json.WritePropertyName(name);
            json.WriteRawValue(properties.AsSpan(start, (int)reader.BytesConsumed - start), skipInputValidation: true);
        }
    }
}

using System.Text.Json;

namespace MixpanelConnector.Formats.Columns;

/// <summary>Filters the properties held in one column by those that have their own column, which takes precedence.</summary>
sealed class OwnColumns
{
    readonly List<ReadOnlyMemory<byte>> _names;

    OwnColumns(List<ReadOnlyMemory<byte>> names) => _names = names;

    public static OwnColumns Of(ColumnMap columns, ImportRequest request) =>
        // An export keeps in the properties what its column cannot hold, such as a number instead of text.
        new(request.Exported is not null ? [] : [.. columns.Fields.Where(other => other.Index != columns.Root?.Index).Select(other => other.Name)]);

    /// <summary>Appends the other properties; anything but an object is appended unchanged.</summary>
    /// <param name="json">The text to append to.</param>
    /// <param name="value">The properties as JSON.</param>
    public void AppendOthers(JsonText json, ReadOnlySpan<byte> value)
    {
        if (value is not [(byte)'{', ..])
        {
            json.Append(value);
            return;
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
            if (IsOwn(name)) continue;
            if (separate) json.AppendByte((byte)',');
            json.Append(value[start..(int)reader.BytesConsumed]);
            separate = true;
        }

        json.AppendByte((byte)'}');
    }

    bool IsOwn(ReadOnlySpan<byte> name)
    {
        foreach (var own in _names)
            if (own.Span[..^1].SequenceEqual(name)) return true;
        return false;
    }
}

using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace MixpanelConnector.Export;

/// <summary>A range in a record.</summary>
[StructLayout(LayoutKind.Auto)]
readonly record struct Stretch(int Start, int End)
{
    /// <summary>The empty range.</summary>
    public static Stretch None => default;

    public bool IsNone => End == 0;

    public ReadOnlySpan<byte> In(ReadOnlySpan<byte> record) => record[Start..End];
}

/// <summary>
/// Determines whether a line is a record, and the positions of the members that formats have columns for. An event record is an object
/// with a string <c>event</c> and an object <c>properties</c>, whose <c>time</c> is an integer of milliseconds; a profile record is one with a
/// <c>$distinct_id</c> and an object <c>$properties</c>.
/// </summary>
/// <param name="ofEvents">Whether the records are events.</param>
/// <param name="withColumns">Whether to find the positions of members.</param>
sealed class RecordScanner(bool ofEvents, bool withColumns)
{
    /// <summary>No property value is nested deeper.</summary>
    static readonly JsonReaderOptions Options = new() { MaxDepth = 1000 };

    readonly List<Stretch> _others = [];
    int _run;

    /// <summary>The event's name or the profile's id, as JSON.</summary>
    public Stretch Id { get; private set; }

    /// <summary>The time in milliseconds since 1970.</summary>
    public long Time { get; private set; }

    /// <summary>The string <c>distinct_id</c> of an event, with its quotes.</summary>
    public Stretch DistinctId { get; private set; }

    /// <summary>The string <c>$insert_id</c> of an event, with its quotes.</summary>
    public Stretch InsertId { get; private set; }

    /// <summary>The other members of the properties: each item is a range of adjacent members with the commas between them.</summary>
    public IReadOnlyList<Stretch> Others => _others;

    /// <summary>Whether it has a member that no column covers, or a duplicate member.</summary>
    public bool HasMore { get; private set; }

    /// <summary>Whether the last line is an object with a member <c>error</c>, and not a record.</summary>
    public bool IsError { get; private set; }

    public bool TryRead(ReadOnlySpan<byte> line)
    {
        (Id, Time, DistinctId, InsertId, HasMore, IsError) = (Stretch.None, 0, Stretch.None, Stretch.None, false, false);
        _others.Clear();
        try
        {
            return ReadRecord(line) && Utf8.IsValid(line);
        }
        catch (JsonException)
        {
            IsError = false;
            return false;
        }
        catch (InvalidOperationException)
        {
            return false; // a lone surrogate in a name
        }
    }

    bool ReadRecord(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line, Options);
        if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject) return false;
        bool isNamed = false, hasProperties = false, hasError = false;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (ofEvents ? reader.ValueTextEquals("event"u8) : reader.ValueTextEquals("$distinct_id"u8))
            {
                reader.Read();
                HasMore |= isNamed;
                isNamed = IsId(ref reader);
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                Id = new(start, (int)reader.BytesConsumed);
            }
            else if (ofEvents ? reader.ValueTextEquals("properties"u8) : reader.ValueTextEquals("$properties"u8))
            {
                reader.Read();
                HasMore |= hasProperties;
                hasProperties = reader.TokenType is JsonTokenType.StartObject;
                if (!hasProperties) reader.Skip();
                else if (!ReadProperties(ref reader)) return false;
            }
            else
            {
                hasError |= reader.ValueTextEquals("error"u8);
                HasMore = true;
                reader.Read();
                reader.Skip();
            }
        }

        while (reader.Read()) { } // trailing content throws
        IsError = hasError && !isNamed && !hasProperties;
        return isNamed && hasProperties;
    }

    /// <summary>Returns the text of an id, unescaped; also of a number.</summary>
    public static ReadOnlySpan<byte> TextOf(ReadOnlySpan<byte> id)
    {
        if (id is not [(byte)'"', .. var text, (byte)'"']) return id;
        if (!text.Contains((byte)'\\')) return text;
        var reader = new Utf8JsonReader(id);
        reader.Read();
        var plain = new byte[id.Length];
        return plain.AsSpan(0, reader.CopyString(plain));
    }

    /// <summary>
    /// Whether the current value is a valid id. The name of an event is a string; in Mixpanel's specification, ids of profiles may be numbers. An empty id
    /// belongs to nobody.
    /// </summary>
    bool IsId(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is JsonTokenType.Number) return !ofEvents;
        return reader.TokenType is JsonTokenType.String && (ofEvents || reader.ValueSpan.Length > 0) && IsText(ref reader);
    }

    /// <summary>Returns false when it contains a lone surrogate, which is not valid text.</summary>
    static bool IsText(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped) return true;
        try
        {
            _ = reader.GetString();
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    bool ReadProperties(ref Utf8JsonReader reader)
    {
        var hasTime = false;
        _run = -1;
        var end = 0;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var start = (int)reader.TokenStartIndex;
            var field = ofEvents ? FieldOf(ref reader) : Field.None;
            reader.Read();
            switch (field)
            {
                case Field.Time when ExportedTime.TryGet(ref reader, out var time):
                    HasMore |= hasTime;
                    (hasTime, Time) = (true, time);
                    EndRun(end);
                    continue;
                case Field.Time:
                    return false;
                case Field.DistinctId when reader.TokenType is JsonTokenType.String && DistinctId.IsNone && IsText(ref reader):
                    DistinctId = new((int)reader.TokenStartIndex, (int)reader.BytesConsumed);
                    EndRun(end);
                    continue;
                case Field.InsertId when reader.TokenType is JsonTokenType.String && InsertId.IsNone && IsText(ref reader):
                    InsertId = new((int)reader.TokenStartIndex, (int)reader.BytesConsumed);
                    EndRun(end);
                    continue;
                case Field.DistinctId:
                    HasMore |= !DistinctId.IsNone;
                    break;
                case Field.InsertId:
                    HasMore |= !InsertId.IsNone;
                    break;
            }

            reader.Skip();
            if (!withColumns) continue;
            end = (int)reader.BytesConsumed;
            if (_run < 0) _run = start;
        }

        EndRun(end);
        return hasTime || !ofEvents;
    }

    void EndRun(int end)
    {
        if (_run >= 0) _others.Add(new(_run, end));
        _run = -1;
    }

    enum Field
    {
        None,
        Time,
        DistinctId,
        InsertId,
    }

    static Field FieldOf(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped && reader.ValueSpan.Length is not (4 or 10 or 11)) return Field.None;
        return reader.ValueTextEquals("time"u8) ? Field.Time
            : reader.ValueTextEquals("distinct_id"u8) ? Field.DistinctId
            : reader.ValueTextEquals("$insert_id"u8) ? Field.InsertId
            : Field.None;
    }
}

using System.Buffers;
using System.Text.Json;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Map;
using MixpanelConnector.Import.Validate;

namespace MixpanelConnector.Migration;

/// <summary>Converts each line of an export to one record, or none.</summary>
/// <param name="notOne">The rejection of a line that is not from an export.</param>
abstract class LineMapper(Rejection notOne) : IRecordMapper
{
    static readonly Rejection HalfOfAPair = JsonScanner.InvalidUtf8 with { Message = "a \\u escape is half of a surrogate pair" };

    MapOutput _output;
    Rejection? _rejection;
    (long Offset, long Line) _place;
    bool _isGiven = true;

    public bool Recalls => false;

    public bool RecallsAll => false;

    /// <summary>Receives the result.</summary>
    protected ArrayBufferWriter<byte> Out { get; } = new(4096);

    public virtual void Begin(string sourceId, string table, bool lacksLookups = false) { }

    public bool Begin(scoped in Record record)
    {
        if (record is not { Kind: RecordKind.Json, Rejection: null, Oversized: null }) return false;
        (_output, _rejection, _place, _isGiven) = (default, null, (record.Offset, record.Line), false);
        Out.ResetWrittenCount();
        try
        {
            _output = Make(record.Bytes, record.Line);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            Out.ResetWrittenCount();
            Out.Write(record.Bytes);
            _rejection = e is JsonException ? notOne : HalfOfAPair;
        }

        return true;
    }

    public bool TryNext(out Record record, out MapOutput output)
    {
        record = default;
        output = _output;
        if (_isGiven) return false;
        _isGiven = true;
        record = new Record { Kind = RecordKind.Json, Bytes = Out.WrittenSpan, Offset = _place.Offset, Line = _place.Line, Rejection = _rejection };
        return true;
    }

    /// <summary>Converts a line to a record, unless it is left out.</summary>
    /// <exception cref="JsonException">The line is not from an export.</exception>
    protected abstract MapOutput Make(ReadOnlySpan<byte> line, long number);

    /// <summary>Writes the separator between two parts.</summary>
    protected void Part(ref bool isFirst)
    {
        if (!isFirst) Out.Write(","u8);
        isFirst = false;
    }
}

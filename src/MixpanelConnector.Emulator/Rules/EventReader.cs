using System.Text.Json;
using System.Text.Unicode;
using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Rules;

delegate void EventAction(ReadOnlySpan<byte> body, in EventFields fields);

/// <summary>Iterates over the events of a payload.</summary>
static class EventReader
{
    /// <exception cref="RefusedException">There is no JSON, it is malformed, or there are too many events.</exception>
    public static void ForEach(Payload payload, EventAction action)
    {
        if (payload.Records is not { } records) throw new RefusedException(400, "request must have events as JSON");
        var scanner = new EventScanner(bodyIsUtf8: Utf8.IsValid(records.Span));
        if (payload.IsOneRecordPerLine) ForEachLine(records.Span, scanner, action);
        else ForEachElement(records.Span, scanner, action);
    }

    static void ForEachElement(ReadOnlySpan<byte> body, EventScanner scanner, EventAction action)
    {
        try
        {
            var reader = Reader(body);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                var fields = scanner.Scan(ref reader);
                reader.Read(); // throws if something follows
                action(body, fields);
                return;
            }
            var count = 0;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                Count(ref count);
                action(body, scanner.Scan(ref reader));
            }
            reader.Read();
        }
        catch (JsonException e)
        {
            throw Malformed(e, e.LineNumber + 1);
        }
    }

    static void ForEachLine(ReadOnlySpan<byte> body, EventScanner scanner, EventAction action)
    {
        var count = 0;
        var lineNumber = 0;
        while (!body.IsEmpty)
        {
            var end = body.IndexOf((byte)'\n');
            var line = end < 0 ? body : body[..end];
            body = end < 0 ? [] : body[(end + 1)..];
            lineNumber++;
            if (line.IndexOfAnyExcept(" \t\r"u8) < 0) continue;
            Count(ref count);
            try
            {
                var reader = Reader(line);
                reader.Read();
                var fields = scanner.Scan(ref reader);
                reader.Read();
                action(line, fields);
            }
            catch (JsonException e)
            {
                throw Malformed(e, lineNumber);
            }
        }
    }

    static Utf8JsonReader Reader(ReadOnlySpan<byte> json) => new(json, new JsonReaderOptions { MaxDepth = EventLimits.JsonDepth });

    static void Count(ref int count)
    {
        if (++count > EventLimits.RecordsPerRequest) throw new RefusedException(400, $"request must have at most {EventLimits.RecordsPerRequest} events");
    }

    static RefusedException Malformed(JsonException e, long? line) =>
        new(400, $"request body is not valid JSON: line {line}, byte {e.BytePositionInLine + 1}");
}

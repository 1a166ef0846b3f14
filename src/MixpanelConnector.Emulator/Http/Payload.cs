using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Http;

/// <summary>
/// The records that a client sent to an ingestion endpoint, in whichever of the forms that Mixpanel takes: a JSON array
/// or object, one object a line, or a form (or a query string) with <c>data</c> as JSON or as base64 of it.
/// </summary>
sealed class Payload
{
    readonly IQueryCollection _query;
    readonly Dictionary<string, StringValues>? _form;

    Payload(ReadOnlyMemory<byte> records, bool isOneRecordPerLine, IQueryCollection query, Dictionary<string, StringValues>? form)
    {
        Records = records;
        IsOneRecordPerLine = isOneRecordPerLine;
        _query = query;
        _form = form;
    }

    public delegate void RecordAction(ReadOnlySpan<byte> body, in EventFields fields);

    public ReadOnlyMemory<byte> Records { get; }

    public bool IsOneRecordPerLine { get; }

    /// <summary>The records came as <c>data</c> in a form: such requests are answered as <c>/track</c> answers.</summary>
    public bool IsLegacyForm => _form is not null;

    public static Payload Of(HttpRequest request, ReadOnlyMemory<byte> body)
    {
        if (request.ContentType?.StartsWith("application/x-ndjson", StringComparison.OrdinalIgnoreCase) == true)
            return new Payload(body, isOneRecordPerLine: true, request.Query, form: null);
        var start = body.Span.IndexOfAnyExcept(" \t\r\n"u8);
        if (start >= 0 && body.Span[start] is (byte)'[' or (byte)'{')
            return new Payload(body, isOneRecordPerLine: false, request.Query, form: null);

        // Neither an array nor an object: a form, whatever the content type says, as beacons of browsers do.
        var form = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body.Span));
        var data = form.TryGetValue("data", out var value) ? value.ToString() : request.Query["data"].ToString();
        if (data == "")
            throw new RefusedException(400, "request body must be a JSON array of records");
        return new Payload(Decode(data), isOneRecordPerLine: false, request.Query, form);
    }

    /// <summary>A parameter of the query string, else of the form.</summary>
    public string? Field(string name)
    {
        if (_query.TryGetValue(name, out var value))
            return value;
        return _form?.TryGetValue(name, out value) == true ? value.ToString() : null;
    }

    /// <summary>Scans the events one by one.</summary>
    /// <exception cref="RefusedException">The JSON is malformed, or there are too many records.</exception>
    public void ForEachRecord(RecordAction action)
    {
        var scanner = new EventScanner(Utf8.IsValid(Records.Span));
        try
        {
            if (IsOneRecordPerLine)
                ForEachLine(scanner, action);
            else
                ForEachElement(scanner, action);
        }
        catch (JsonException e)
        {
            throw new RefusedException(400, $"request body is not valid JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}");
        }
    }

    void ForEachElement(EventScanner scanner, RecordAction action)
    {
        var reader = Reader(Records.Span);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            var fields = scanner.Scan(ref reader);
            reader.Read(); // nothing may follow
            action(Records.Span, fields);
            return;
        }
        var records = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            Count(ref records);
            action(Records.Span, scanner.Scan(ref reader));
        }
        reader.Read();
    }

    void ForEachLine(EventScanner scanner, RecordAction action)
    {
        var records = 0;
        var lineNumber = 0;
        var rest = Records.Span;
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[(end + 1)..];
            lineNumber++;
            if (line.IndexOfAnyExcept(" \t\r"u8) < 0)
                continue;
            Count(ref records);
            action(line, Scan(scanner, line, lineNumber));
        }
    }

    static EventFields Scan(EventScanner scanner, ReadOnlySpan<byte> line, int lineNumber)
    {
        try
        {
            var reader = Reader(line);
            reader.Read();
            var fields = scanner.Scan(ref reader);
            reader.Read();
            return fields;
        }
        catch (JsonException e)
        {
            throw new RefusedException(400, $"request body is not valid JSON: line {lineNumber}, byte {e.BytePositionInLine + 1}");
        }
    }

    static void Count(ref int records)
    {
        if (++records > EventLimits.RecordsPerRequest)
            throw new RefusedException(400, $"request must have at most {EventLimits.RecordsPerRequest} records");
    }

    static Utf8JsonReader Reader(ReadOnlySpan<byte> json) => new(json, new JsonReaderOptions { MaxDepth = EventLimits.JsonDepth });

    static byte[] Decode(string data)
    {
        var trimmed = data.AsSpan().TrimStart();
        if (trimmed.StartsWith('[') || trimmed.StartsWith('{'))
            return Encoding.UTF8.GetBytes(data);
        // An unescaped '+' of base64 arrives as a space; some clients use the alphabet for URLs.
        var base64 = data.Replace(' ', '+').Replace('-', '+').Replace('_', '/').TrimEnd('=');
        var bytes = new byte[base64.Length];
        var padded = base64 + new string('=', (4 - base64.Length % 4) % 4);
        if (!Convert.TryFromBase64String(padded, bytes, out var length))
            throw new RefusedException(400, "'data' is neither JSON nor base64");
        return bytes[..length];
    }
}

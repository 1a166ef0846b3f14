using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace MixpanelConnector.Emulator.Http;

/// <summary>
/// The records that a client sent to an ingestion endpoint, in any of the formats that Mixpanel accepts: a JSON array or object, one object per line, or a form
/// (or a query string) with <c>data</c> as JSON or as base64 of it.
/// </summary>
sealed class Payload
{
    readonly IQueryCollection _query;
    readonly Dictionary<string, StringValues>? _form;

    Payload(ReadOnlyMemory<byte>? records, bool isOneRecordPerLine, IQueryCollection query, Dictionary<string, StringValues>? form)
    {
        Records = records;
        IsOneRecordPerLine = isOneRecordPerLine;
        _query = query;
        _form = form;
    }

    /// <summary>Unparsed JSON; null if there is none.</summary>
    public ReadOnlyMemory<byte>? Records { get; }

    public bool IsOneRecordPerLine { get; }

    /// <summary>Whether the records were sent as <c>data</c> in a form: such requests get the responses of <c>/track</c>.</summary>
    public bool IsForm => _form is not null;

    public static Payload Of(HttpRequest request, ReadOnlyMemory<byte> body)
    {
        if (request.ContentType?.StartsWith("application/x-ndjson", StringComparison.OrdinalIgnoreCase) == true)
            return new Payload(body, isOneRecordPerLine: true, request.Query, form: null);
        var start = body.Span.IndexOfAnyExcept(" \t\r\n"u8);
        if (start >= 0 && body.Span[start] is (byte)'[' or (byte)'{') return new Payload(body, isOneRecordPerLine: false, request.Query, form: null);

        // Neither an array nor an object: a form, whatever the content type is, such as a browser's beacon.
        var form = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body.Span));
        var data = FormBytes.Find(body.Span, "data"u8) ?? FormBytes.Find(Encoding.UTF8.GetBytes(request.QueryString.Value?.TrimStart('?') ?? ""), "data"u8);
        return new Payload(data is null ? null : RecordBytes.Decode(data), isOneRecordPerLine: false, request.Query, form);
    }

    /// <summary>Rejects all other parameters in the query string and the form.</summary>
    /// <param name="names">The allowed parameters.</param>
    /// <exception cref="RefusedException">There is another parameter.</exception>
    public void AllowOnly(params ReadOnlySpan<string> names)
    {
        foreach (var name in (IEnumerable<string>)[.. _query.Keys, .. _form?.Keys ?? Enumerable.Empty<string>()])
        {
            if (!names.Contains(name)) throw new RefusedException(400, $"unknown parameter: {name}");
        }
    }

    /// <summary>A parameter of the query string, otherwise of the form.</summary>
    public string? Field(string name)
    {
        if (_query.TryGetValue(name, out var value)) return value;
        return _form?.TryGetValue(name, out value) == true ? value.ToString() : null;
    }
}

using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace MixpanelConnector.Emulator.Http;

/// <summary>
/// The records that a client sent to an ingestion endpoint, in whichever of the forms that Mixpanel takes: a JSON array
/// or object, one object a line, or a form (or a query string) with <c>data</c> as JSON or as base64 of it.
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

    /// <summary>JSON, not looked into yet; null where there is none.</summary>
    public ReadOnlyMemory<byte>? Records { get; }

    public bool IsOneRecordPerLine { get; }

    /// <summary>The records came as <c>data</c> in a form: such requests are answered as <c>/track</c> answers.</summary>
    public bool IsForm => _form is not null;

    public static Payload Of(HttpRequest request, ReadOnlyMemory<byte> body)
    {
        if (request.ContentType?.StartsWith("application/x-ndjson", StringComparison.OrdinalIgnoreCase) == true)
            return new Payload(body, isOneRecordPerLine: true, request.Query, form: null);
        var start = body.Span.IndexOfAnyExcept(" \t\r\n"u8);
        if (start >= 0 && body.Span[start] is (byte)'[' or (byte)'{')
            return new Payload(body, isOneRecordPerLine: false, request.Query, form: null);

        // Neither an array nor an object: a form, whatever the content type says, as the beacons of browsers do.
        var form = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body.Span));
        var data = form.TryGetValue("data", out var value) ? value : request.Query["data"];
        return new Payload(Decode(data.ToString()), isOneRecordPerLine: false, request.Query, form);
    }

    /// <summary>Refuses what is none of these, in the query string and the form.</summary>
    /// <param name="names">The parameters that there are.</param>
    /// <exception cref="RefusedException">There is another one.</exception>
    public void AllowOnly(params ReadOnlySpan<string> names)
    {
        foreach (var name in (IEnumerable<string>)[.. _query.Keys, .. _form?.Keys ?? Enumerable.Empty<string>()])
        {
            if (!names.Contains(name))
                throw new RefusedException(400, $"unknown parameter: {name}");
        }
    }

    /// <summary>A parameter of the query string, else of the form.</summary>
    public string? Field(string name)
    {
        if (_query.TryGetValue(name, out var value))
            return value;
        return _form?.TryGetValue(name, out value) == true ? value.ToString() : null;
    }

    static byte[]? Decode(string data)
    {
        if (data.AsSpan().TrimStart() is ['[' or '{', ..])
            return Encoding.UTF8.GetBytes(data);
        // A '+' of base64 that was not escaped arrives as a space; some clients use the alphabet for URLs.
        var base64 = data.Replace(' ', '+').Replace('-', '+').Replace('_', '/').TrimEnd('=');
        base64 = base64.PadRight((base64.Length + 3) / 4 * 4, '=');
        var bytes = new byte[base64.Length];
        return base64 != "" && Convert.TryFromBase64String(base64, bytes, out var length) ? bytes[..length] : null;
    }
}

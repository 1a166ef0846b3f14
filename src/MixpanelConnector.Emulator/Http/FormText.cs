using System.Text;
using System.Text.Unicode;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Forms and query strings as text. Invalid UTF-8 is rejected: it would be stored as a different text than intended.</summary>
static class FormText
{
    public const string Type = "application/x-www-form-urlencoded";

    /// <summary>Parses the fields of a form body.</summary>
    public static Dictionary<string, StringValues> Parse(string? contentType, ReadOnlySpan<byte> body)
    {
        foreach (var parameter in (contentType ?? "").Split(';').Skip(1))
        {
            if (parameter.Split('=', 2, StringSplitOptions.TrimEntries) is [var name, var charset] && name.Equals("charset", StringComparison.OrdinalIgnoreCase)
                && !charset.Trim('"').Equals("utf-8", StringComparison.OrdinalIgnoreCase))
                throw new RefusedException(415, "a form must be UTF-8");
        }
        if (!Utf8.IsValid(body)) throw NotUtf8();
        var text = Encoding.UTF8.GetString(body);
        RequireUtf8(text);
        return QueryHelpers.ParseQuery(text);
    }

    /// <summary>Rejects text whose percent-escapes are not valid UTF-8.</summary>
    public static void RequireUtf8(ReadOnlySpan<char> escaped)
    {
        if (!escaped.Contains('%')) return;
        var bytes = new List<byte>();
        for (var at = 0; at < escaped.Length; at++)
        {
            var isEscape = escaped[at] == '%' && at + 2 < escaped.Length && char.IsAsciiHexDigit(escaped[at + 1]) && char.IsAsciiHexDigit(escaped[at + 2]);
            if (!isEscape)
            {
                bytes.Add((byte)' '); // a character between two escapes ends the byte sequence
                continue;
            }
            bytes.AddRange(Convert.FromHexString(escaped.Slice(at + 1, 2)));
            at += 2;
        }
        if (!Utf8.IsValid(bytes.ToArray())) throw NotUtf8();
    }

    static RefusedException NotUtf8() => new(400, "the parameters must be UTF-8");
}

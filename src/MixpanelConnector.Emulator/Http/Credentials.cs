using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>The name and secret of an <c>Authorization: Basic</c> header; Mixpanel takes them encoded or plain. Without a colon it is a name, as some clients send a project's secret.</summary>
readonly record struct Credentials(string Username, string Secret)
{
    static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static Credentials? Of(HttpRequest request)
    {
        if (!AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var header)
            || !string.Equals(header.Scheme, "Basic", StringComparison.OrdinalIgnoreCase)
            || header.Parameter is not { } parameter)
            return null;
        var text = parameter.Contains(':', StringComparison.Ordinal) ? parameter : Decode(parameter) ?? parameter;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? new Credentials(text, "") : new Credentials(text[..colon], text[(colon + 1)..]);
    }

    /// <summary>The text behind base64; null where it is none, as that of a secret which is sent plain.</summary>
    static string? Decode(string base64)
    {
        var bytes = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, bytes, out var length))
            return null;
        try
        {
            return Utf8.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}

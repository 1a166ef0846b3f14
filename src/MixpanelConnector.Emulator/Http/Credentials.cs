using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>
/// The user name and secret of an <c>Authorization: Basic</c> header; Mixpanel accepts them encoded or in plain text. Without a colon it is a user name, which
/// is how some clients send a project's secret.
/// </summary>
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

    /// <summary>The text encoded in base64; null if it is not valid, such as a secret sent in plain text.</summary>
    static string? Decode(string base64)
    {
        var bytes = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, bytes, out var length)) return null;
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

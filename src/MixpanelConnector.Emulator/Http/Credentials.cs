using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>The name and secret of an <c>Authorization: Basic</c> header; Mixpanel takes them encoded or plain.</summary>
readonly record struct Credentials(string Username, string Secret)
{
    public static Credentials? Of(HttpRequest request)
    {
        if (!AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var header)
            || !string.Equals(header.Scheme, "Basic", StringComparison.OrdinalIgnoreCase)
            || header.Parameter is not { } parameter)
            return null;
        if (!parameter.Contains(':', StringComparison.Ordinal))
        {
            var bytes = new byte[parameter.Length];
            if (!Convert.TryFromBase64String(parameter, bytes, out var length))
                return null;
            parameter = Encoding.UTF8.GetString(bytes, 0, length);
        }
        var colon = parameter.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : new Credentials(parameter[..colon], parameter[(colon + 1)..]);
    }
}

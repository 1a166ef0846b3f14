using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The startup message of the embedded Mixpanel: its address, and how to connect to it.</summary>
/// <param name="mixpanel">The running server.</param>
/// <param name="folder">Its data folder; null if everything is in memory.</param>
sealed class EmulatorGreeting(EmulatedMixpanel mixpanel, string? folder)
{
    static readonly SearchValues<char> Special = SearchValues.Create(" '\"$`\\;&()");

    /// <param name="printer">The printer to write to.</param>
    /// <param name="asJson">Whether to write one line of JSON for a program, rather than text for a person.</param>
    public void Write(Printer printer, bool asJson)
    {
        if (asJson) printer.JsonLine(Json());
        else printer.Text(Text());
    }

    static string Shown(Uri address) => address.AbsoluteUri.TrimEnd('/');

    ReadOnlyMemory<byte> Json()
    {
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("address", Shown(mixpanel.Address));
            json.WriteNumber("pid", Environment.ProcessId);
            json.WriteString("data", folder);
            json.WriteNumber("project_id", LocalMixpanel.ProjectId);
            json.WriteNumber("organization_id", LocalMixpanel.OrganizationId);
            json.WriteString("token", mixpanel.FirstProject.Token);
            json.WriteString("service_account_username", LocalMixpanel.Username);
            json.WriteString("service_account_secret", LocalMixpanel.Secret);
            json.WriteString("project_secret", mixpanel.FirstProject.Secret);
            json.WriteString("oauth_token", LocalMixpanel.OAuthToken);
            json.WriteString("proxy", mixpanel.ProxyAddress is { } proxy ? Shown(proxy) : null);
            json.WriteString("tls", mixpanel.TlsAddress is { } tls ? Shown(tls) : null);
            json.WriteString("certificate_authority", mixpanel.CertificateAuthorityFile);
            json.WriteStartObject("environment");
            foreach (var (name, value) in mixpanel.ProxyEnvironment) json.WriteString(name, value);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return line.WrittenMemory;
    }

    string Text()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            The embedded Mixpanel serves {folder ?? "from memory, and stores nothing"}. It is a stand-in for development, not Mixpanel: see FIDELITY.md.
            The console is at {mixpanel.Address.AbsoluteUri}

            export MIXPANEL_ENDPOINT={Shown(mixpanel.Address)}
            export MIXPANEL_SERVICE_ACCOUNT_USERNAME={LocalMixpanel.Username}
            export MIXPANEL_SERVICE_ACCOUNT_SECRET={LocalMixpanel.Secret}
            export MIXPANEL_OAUTH_TOKEN={LocalMixpanel.OAuthToken}
            export MIXPANEL_PROJECT_ID={LocalMixpanel.ProjectId} MIXPANEL_ORGANIZATION_ID={LocalMixpanel.OrganizationId} MIXPANEL_TOKEN={mixpanel.FirstProject.Token}


            """);
        if (mixpanel.TlsAddress is { } tls)
            text.Append(CultureInfo.InvariantCulture, $"HTTPS is at {Shown(tls)}, with the certificate authority {mixpanel.CertificateAuthorityFile}\n\n");
        if (mixpanel.ProxyAddress is { } proxy)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"The proxy for https://*.mixpanel.com is at {Shown(proxy)}, with the certificate authority {mixpanel.CertificateAuthorityFile}\n");
            text.Append("Unchanged clients in curl, Go, Java, Node.js, Python and Ruby use it through these variables:\n");
            foreach (var (name, value) in mixpanel.ProxyEnvironment) text.Append(CultureInfo.InvariantCulture, $"export {name}={Quoted(value)}\n");
            text.Append('\n');
        }

        return text.Append("Ctrl+C stops it.\n\n").ToString();
    }

    /// <summary>Quoted for a shell.</summary>
    static string Quoted(string value) => value.AsSpan().ContainsAny(Special) ? $"'{value.Replace("'", "'\\''", StringComparison.Ordinal)}'" : value;
}

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Emulator.Tests.Control;

/// <summary>The proxy for Mixpanel's hosts, HTTPS, and the certificate authority for both.</summary>
public sealed class ProxyTests
{
    static readonly Func<EmulatorOptions, EmulatorOptions> Both = options => options with { ProxyPort = 0, TlsPort = 0 };

    [Theory]
    [InlineData("https://api.mixpanel.com/track?verbose=1", "us")]
    [InlineData("https://mixpanel.com/track?verbose=1", "us")]
    [InlineData("https://api-eu.mixpanel.com/track?verbose=1", "eu")]
    [InlineData("https://eu.mixpanel.com/track?verbose=1", "eu")]
    [InlineData("https://api-in.mixpanel.com/track?verbose=1", "in")]
    [InlineData("https://api-js.mixpanel.com/track?verbose=1", "us")]
    public async Task A_client_that_knows_the_proxy_and_the_certificate_alone_comes_here_and_regions_are_told_apart(string address, string region)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(Both);
        foreach (var name in (string[])["us", "eu", "in"])
            await mixpanel.ControlAsync("POST /emulator/projects", $$"""{"name":"{{name}}","token":"{{name}}","region":"{{name}}"}""", 201);
        using var http = Client(mixpanel, new WebProxy(mixpanel.Server.ProxyAddress));

        foreach (var token in (string[])["us", "eu", "in", "local"])
        {
            using var content = new StringContent($$$"""[{"event":"{{{token}}}","properties":{"token":"{{{token}}}"}}]""");
            using var answer = await http.PostAsync(new Uri(address), content, TestContext.Current.CancellationToken);
            Assert.Equal("""{"error":null,"status":1}""", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        Assert.Equal([region, "local"], (await mixpanel.Server.EventsAsync()).Select(stored => stored.Name), StringComparer.Ordinal);
        Assert.All(mixpanel.Server.Requests, request => Assert.Equal(new Uri(address).Host, request.Host));
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task An_address_that_is_asked_for_in_the_clear_is_answered_and_another_host_behind_it_is_not(string scheme)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(Both);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, mixpanel.Server.ProxyAddress!.Port, TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes(
                $"GET {scheme}://api.mixpanel.com/healthz HTTP/1.1\r\nHost: api.mixpanel.com\r\n\r\nGET {scheme}://example.com/healthz HTTP/1.1\r\nHost: "
                + $"example.com\r\nConnection: close\r\n\r\n"),
            TestContext.Current.CancellationToken);

        using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
        var answers = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answers, StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 421 ", answers, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Https_is_served_on_loopback()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(Both);
        using var http = Client(mixpanel, null);

        Assert.Contains("\"ok\"", await http.GetStringAsync(new Uri(mixpanel.Server.TlsAddress!, "/healthz"), TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
        Assert.Contains("\"ok\"",
            await http.GetStringAsync(new UriBuilder(mixpanel.Server.TlsAddress!) { Host = "localhost", Path = "/healthz" }.Uri,
                TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CONNECT example.com:443 HTTP/1.1", "403")]
    [InlineData("CONNECT mixpanel.com.example.com:443 HTTP/1.1", "403")]
    [InlineData("CONNECT notmixpanel.com:443 HTTP/1.1", "403")]
    [InlineData("CONNECT api.mixpanel.com..:443 HTTP/1.1", "403")]
    [InlineData("CONNECT api.mixpanel.com:22 HTTP/1.1", "403")]
    [InlineData("CONNECT api.mixpanel.com HTTP/1.1", "403")]
    [InlineData("CONNECT 127.0.0.1:443 HTTP/1.1", "403")]
    [InlineData("GET http://example.com/ HTTP/1.1", "403")]
    [InlineData("GET https://example.com/ HTTP/1.1", "403")]
    [InlineData("GET http://api.mixpanel.com:8080/ HTTP/1.1", "403")]
    [InlineData("GET ftp://api.mixpanel.com/ HTTP/1.1", "403")]
    [InlineData("GET / HTTP/1.1", "405")]
    [InlineData("CONNECT", "405")]
    public async Task Whatever_else_is_asked_for_is_refused(string line, string status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(Both);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, mixpanel.Server.ProxyAddress!.Port, TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{line}\r\nHost: x\r\n\r\n"), TestContext.Current.CancellationToken);

        using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
        var answer = await reader.ReadToEndAsync(TestContext.Current.CancellationToken); // it closes the connection

        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Contains("mixpanel.com", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_may_end_with_the_dot_of_the_root()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(Both);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, mixpanel.Server.ProxyAddress!.Port, TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync("CONNECT api-eu.mixpanel.com.:443 HTTP/1.1\r\nHost: api-eu.mixpanel.com.:443\r\n\r\n"u8.ToArray(),
            TestContext.Current.CancellationToken);

        using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);

        Assert.Equal("HTTP/1.1 200 Connection established", await reader.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.Equal("eu", MixpanelConnector.Emulator.Http.Regions.OfHost("api-eu.mixpanel.com."));
    }

    [Fact]
    public async Task A_head_without_an_end_is_not_kept()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(Both);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, mixpanel.Server.ProxyAddress!.Port, TestContext.Current.CancellationToken);
        try
        {
            for (var sent = 0; sent < 1 << 20; sent += 1024)
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(new string('x', 1024)), TestContext.Current.CancellationToken);
            Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken));
        }
        catch (IOException)
        {
            // Already closed.
        }

        Assert.Equal(200, (await mixpanel.GetAsync("/healthz")).Status);
    }

    [Fact]
    public async Task Under_the_proxy_loopback_is_no_host()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(Both);
        using var http = Client(mixpanel, new WebProxy(mixpanel.Server.ProxyAddress));
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.mixpanel.com/healthz");
        request.Headers.Host = "localhost";

        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
    }

    [Fact]
    public async Task The_authority_is_kept_in_the_folder_for_its_owner_and_signs_nothing_but_mixpanel_and_loopback()
    {
        using var folder = new TemporaryFolder();
        string first;
        await using (var mixpanel = await LocalMixpanel.StartAsync(options => Both(options) with { DataDirectory = folder.Path }))
            first = await File.ReadAllTextAsync(mixpanel.Server.CertificateAuthorityFile!, TestContext.Current.CancellationToken);
        await using var again = await LocalMixpanel.StartAsync(options => Both(options) with { DataDirectory = folder.Path });

        Assert.Equal(first, await File.ReadAllTextAsync(again.Server.CertificateAuthorityFile!, TestContext.Current.CancellationToken));
        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in Directory.GetFiles(folder.Path, "certificate-authority.*"))
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
        using var authority =
            X509Certificate2.CreateFromPemFile(again.Server.CertificateAuthorityFile!, Path.ChangeExtension(again.Server.CertificateAuthorityFile!, ".key"));
        Assert.True(Trusts(authority, "api.mixpanel.com"));
        Assert.False(Trusts(authority, "example.com"));
    }

    [Theory]
    [InlineData("certificate-authority.key", true)]
    [InlineData("certificate-authority.key", false)]
    [InlineData("certificate-authority.pem", false)]
    public async Task An_authority_that_is_damaged_or_half_another_one_is_made_anew(string file, bool ofAnother)
    {
        using var folder = new TemporaryFolder();
        using var other = new TemporaryFolder();
        foreach (var path in (string[])[folder.Path, other.Path])
            await (await LocalMixpanel.StartAsync(options => Both(options) with { DataDirectory = path })).DisposeAsync();
        if (ofAnother) File.Copy(other.File(file), folder.File(file), overwrite: true);
        else await File.WriteAllTextAsync(folder.File(file), "-----BEGIN", TestContext.Current.CancellationToken);

        await using var mixpanel = await LocalMixpanel.StartAsync(options => Both(options) with { DataDirectory = folder.Path });
        using var http = Client(mixpanel, new WebProxy(mixpanel.Server.ProxyAddress));
        Assert.Contains("\"ok\"", await http.GetStringAsync(new Uri("https://api.mixpanel.com/healthz"), TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_memory_the_authority_is_gone_with_it()
    {
        string file;
        await using (var mixpanel = await LocalMixpanel.StartAsync(Both))
        {
            file = mixpanel.Server.CertificateAuthorityFile!;
            Assert.True(File.Exists(file));
            Assert.Equal(file, mixpanel.Server.ProxyEnvironment["SSL_CERT_FILE"]);
        }
        Assert.False(Directory.Exists(Path.GetDirectoryName(file)));
        await using var without = await LocalMixpanel.StartAsync();
        Assert.Equal((null, null, null, 0),
            (without.Server.ProxyAddress, without.Server.TlsAddress, without.Server.CertificateAuthorityFile, without.Server.ProxyEnvironment.Count));
    }

    /// <summary>Whether a certificate for a name, signed by the authority, is valid.</summary>
    static bool Trusts(X509Certificate2 authority, string name)
    {
        using var pair = System.Security.Cryptography.ECDsa.Create();
        var request = new CertificateRequest("CN=test", pair, System.Security.Cryptography.HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(authority, new DateTimeOffset(authority.NotBefore), new DateTimeOffset(authority.NotAfter), [1]);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(issued);
    }

    static HttpClient Client(LocalMixpanel mixpanel, IWebProxy? proxy)
    {
        var authority = X509CertificateLoader.LoadCertificateFromFile(mixpanel.Server.CertificateAuthorityFile!);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(authority);
        return new HttpClient(new SocketsHttpHandler
        {
            Proxy = proxy,
            UseProxy = proxy is not null,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
        })
        {
            Timeout = Hang.Limit,
        };
    }
}

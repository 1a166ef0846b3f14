using System.Security.Cryptography.X509Certificates;
using MixpanelConnector.Testing;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import.Network;

/// <summary>Connections that cannot be secured: nothing is sent, no error is ignored, and retries end soon.</summary>
public sealed class TlsTests : IDisposable
{
    readonly ImportRun _run = new();
    readonly TestCertificates _certificates = new();

    public void Dispose()
    {
        _run.Dispose();
        _certificates.Dispose();
    }

    /// <summary>The product's own handler, with the test's authority as a trusted one.</summary>
    void Reach(SocketServer server, string host = "localhost", bool trusting = true) => _run.Reach(
        new Uri($"https://{host}:{server.Port}"),
        handler =>
        {
            if (!trusting) return;
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.Add(_certificates.Authority);
            handler.SslOptions.CertificateChainPolicy = policy;
        });

    SocketServer Taking(X509Certificate2? certificate) => SocketServer.Answering(
        request =>
        {
            _run.Mixpanel.Store(request.Records);
            return SocketConversation.Imported(request.Records.Count);
        },
        certificate);

    [Fact]
    public async Task A_good_certificate_is_accepted()
    {
        await using var server = Taking(_certificates.For("localhost"));
        Reach(server);
        var report = await _run.RunAsync(Events(10));
        Assert.Equal((RunOutcome.Complete, 10), (report.Outcome, report.Accepted));
    }

    [Theory]
    [InlineData("expired")]
    [InlineData("not yet valid")]
    [InlineData("another host's")]
    [InlineData("signed by itself")]
    [InlineData("of an authority that is not trusted")]
    public async Task A_certificate_that_is_not_acceptable_ends_the_import_after_three(string fault)
    {
        await using var server = Taking(fault switch
        {
            "expired" => _certificates.For("localhost", from: -10, to: -1),
            "not yet valid" => _certificates.For("localhost", from: 1, to: 10),
            "another host's" => _certificates.For("api.mixpanel.com"),
            "signed by itself" => _certificates.For("localhost", selfSigned: true),
            _ => _certificates.For("localhost"),
        });
        Reach(server, trusting: !fault.StartsWith("of an authority", StringComparison.Ordinal));
        await EndsAsync(server);
    }

    [Fact]
    public async Task A_server_that_does_not_speak_tls_ends_the_import_after_three()
    {
        await using var server = new SocketServer(async conversation =>
        {
            await conversation.ReadAsync(5);
            await conversation.SendAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            await conversation.StallAsync();
        });
        Reach(server);
        await EndsAsync(server);
    }

    [Fact]
    public async Task A_server_that_knows_only_old_versions_ends_the_import_after_three()
    {
        await using var server = new SocketServer(async conversation =>
        {
            await conversation.ReadAsync(5);
            await conversation.SendAsync(new byte[] { 0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46 }); // a fatal alert: protocol_version
            await conversation.StallAsync();
        });
        Reach(server);
        await EndsAsync(server);
    }

    async Task EndsAsync(SocketServer server)
    {
        var report = await _run.RunAsync(Events(10));
        Assert.Equal((RunOutcome.Unavailable, 0, 0, 10, 3), (report.Outcome, report.Accepted, report.Rejected, report.Pending, report.Requests));
        Assert.Contains("certificate or TLS version is not acceptable", report.Problems[0], StringComparison.Ordinal);
        Assert.Contains("Nothing was sent", report.Problems[0], StringComparison.Ordinal);
        Assert.Empty(_run.Mixpanel.Stored);
        Assert.Equal(3, server.Connections);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_handshake_that_breaks_is_the_networks_fault_and_is_tried_again(bool reset)
    {
        await using var server = new SocketServer(async conversation =>
        {
            await conversation.ReadAsync(5);
            if (reset) conversation.Reset();
        });
        Reach(server);
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(10))) with { MaxOutage = TimeSpan.FromMinutes(10) });
        Assert.Equal((RunOutcome.Unavailable, 10), (report.Outcome, report.Pending));
        Assert.Contains("cannot be reached", report.Problems[0], StringComparison.Ordinal);
        Assert.InRange(report.Requests, 12, 16);
    }

    [Fact]
    public async Task A_handshake_that_stalls_is_given_up_like_any_connection()
    {
        await using var server = new SocketServer(conversation => conversation.StallAsync());
        _run.Reach(new Uri($"https://localhost:{server.Port}"), handler => handler.ConnectTimeout = TimeSpan.FromMilliseconds(40));
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(10))) with { MaxOutage = TimeSpan.FromSeconds(10) });
        Assert.Equal((RunOutcome.Unavailable, 10), (report.Outcome, report.Pending));
        Assert.Contains("No connection to localhost", report.Problems[0], StringComparison.Ordinal);
    }
}

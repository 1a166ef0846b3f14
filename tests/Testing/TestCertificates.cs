using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MixpanelConnector.Testing;

/// <summary>A certificate authority of the test, and certificates that it signs.</summary>
public sealed class TestCertificates : IDisposable
{
    readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    readonly List<X509Certificate2> _made = [];

    public TestCertificates()
    {
        var request = new CertificateRequest("CN=Test authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        Authority = request.CreateSelfSigned(_now.AddDays(-30), _now.AddDays(30));
    }

    public X509Certificate2 Authority { get; }

    /// <summary>Creates a server certificate for a name.</summary>
    /// <param name="name">A DNS name or an IP address.</param>
    /// <param name="from">The start of its validity, in days from today.</param>
    /// <param name="to">The end of its validity, in days from today.</param>
    /// <param name="selfSigned">Whether it is self-signed rather than signed by the authority.</param>
    public X509Certificate2 For(string name, int from = -1, int to = 1, bool selfSigned = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out var address)) names.AddIpAddress(address);
        else names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        using var signed = selfSigned
            ? request.CreateSelfSigned(_now.AddDays(from), _now.AddDays(to))
            : request.Create(Authority, _now.AddDays(from), _now.AddDays(to), [1, 2, 3, (byte)_made.Count]);
        using var whole = selfSigned ? null : signed.CopyWithPrivateKey(key);
        var made = X509CertificateLoader.LoadPkcs12((whole ?? signed).Export(X509ContentType.Pkcs12), password: null);
        _made.Add(made);
        return made;
    }

    public void Dispose()
    {
        foreach (var certificate in _made) certificate.Dispose();
        Authority.Dispose();
        _key.Dispose();
    }
}

using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using MixpanelConnector.Emulator.Folder;
using MixpanelConnector.Files;

namespace MixpanelConnector.Emulator.Http.Tls;

/// <summary>
/// A local certificate authority that is valid for Mixpanel's hosts and loopback only. Its certificate contains this constraint, so that neither trusting it
/// nor stealing its key affects any other connection.
/// </summary>
sealed class CertificateAuthority : IDisposable
{
    const string CertificateName =
        "certificate-authority.pem", KeyName = "certificate-authority.key", TrustStoreName = "certificate-authority.p12", ScriptName = "node-proxy.cjs";

    /// <summary>Java's conventional password, as nothing in it is secret.</summary>
    public const string TrustStorePassword = "changeit";

    static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);
    static readonly TimeSpan LeastLeft = TimeSpan.FromDays(30);
    static readonly TimeSpan Earlier = TimeSpan.FromHours(1); // tolerates clocks that are slow

    /// <summary>Java treats a certificate as trusted if it has this attribute.</summary>
    const string TrustedKeyUsage = "2.16.840.1.113894.746875.1.1";

    static readonly byte[] AnyUsage = [0x06, 0x04, 0x55, 0x1D, 0x25, 0x00]; // 2.5.29.37.0

    readonly ScratchFolder? _scratch;

    CertificateAuthority(string folder, ScratchFolder? scratch, X509Certificate2 server)
    {
        (File, TrustStore, NodeScript) = (Path.Combine(folder, CertificateName), Path.Combine(folder, TrustStoreName), Path.Combine(folder, ScriptName));
        (_scratch, Server) = (scratch, server);
    }

    /// <summary>The certificate that clients must trust, as PEM.</summary>
    public string File { get; }

    /// <summary>The same certificate for Java, which does not read PEM: a PKCS #12 file.</summary>
    public string TrustStore { get; }

    /// <summary>A script that makes Node.js use the proxy, which versions before 24 do not support.</summary>
    public string NodeScript { get; }

    /// <summary>The certificate of the server, for all of its names.</summary>
    public X509Certificate2 Server { get; }

    /// <summary>Loads the authority in the folder, or creates one there.</summary>
    /// <param name="folder">The folder that stores it, for this user only; null for a temporary folder that is deleted with it.</param>
    /// <param name="now">The real time, because clients use it.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static CertificateAuthority Open(string? folder, DateTimeOffset now)
    {
        var scratch = folder is null ? ScratchFolder.Make() : null;
        folder = Path.GetFullPath(scratch?.Path ?? folder!);
        try
        {
            var (certificate, key) = (Path.Combine(folder, CertificateName), Path.Combine(folder, KeyName));
            using var authority = Load(certificate, key, now) ?? Make(certificate, key, now);
            NewFile.Write(Path.Combine(folder, TrustStoreName), TrustStoreOf(authority));
            NewFile.Write(Path.Combine(folder, ScriptName), Resources.Read(ScriptName));
            return new CertificateAuthority(folder, scratch, Issue(authority, now));
        }
        catch
        {
            scratch?.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Server.Dispose();
        _scratch?.Dispose();
    }

    static X509Certificate2? Load(string certificate, string key, DateTimeOffset now)
    {
        if (!System.IO.File.Exists(certificate) || !System.IO.File.Exists(key)) return null;
        try
        {
            var authority = X509Certificate2.CreateFromPemFile(certificate, key);
            if (authority.NotAfter.ToUniversalTime() - now.UtcDateTime >= LeastLeft) return authority;
            authority.Dispose();
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // The files are incomplete, or do not match: both are recreated.
        }
        return null;
    }

    static X509Certificate2 Make(string certificate, string key, DateTimeOffset now)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Embedded Mixpanel of {Environment.UserName} on {Environment.MachineName}", pair, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0,
            critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(NameConstraints.PermittingMixpanelAndLoopback());
        var authority = request.CreateSelfSigned(now - Earlier, now + Lifetime);
        NewFile.Write(key, System.Text.Encoding.ASCII.GetBytes(pair.ExportPkcs8PrivateKeyPem()));
        NewFile.Write(certificate, System.Text.Encoding.ASCII.GetBytes(authority.ExportCertificatePem()));
        return authority;
    }

    static byte[] TrustStoreOf(X509Certificate2 authority)
    {
        var certificates = new Pkcs12SafeContents();
        using var trusted = X509CertificateLoader.LoadCertificate(authority.RawData);
        var bag = certificates.AddCertificate(trusted);
        bag.Attributes.Add(new CryptographicAttributeObject(new Oid(TrustedKeyUsage),
            new AsnEncodedDataCollection(new AsnEncodedData(TrustedKeyUsage, AnyUsage))));
        var store = new Pkcs12Builder();
        store.AddSafeContentsUnencrypted(certificates);
        store.SealWithMac(TrustStorePassword, HashAlgorithmName.SHA256, 10_000);
        return store.Encode();
    }

    static X509Certificate2 Issue(X509Certificate2 authority, DateTimeOffset now)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Embedded Mixpanel", pair, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in (string[])["mixpanel.com", "*.mixpanel.com", "localhost"])
            names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false)); // server authentication
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true,
            includeIssuerAndSerial: false));
        using var issued = request.Create(authority, now - Earlier, new DateTimeOffset(authority.NotAfter), RandomNumberGenerator.GetBytes(16));
        using var whole = issued.CopyWithPrivateKey(pair);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null); // Windows cannot use a key that is only in memory for TLS
    }
}

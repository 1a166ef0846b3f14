using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MixpanelConnector.Bench;

/// <summary>
/// The npm package mixpanel-import compared with this project. It can only send to Mixpanel's own host name, so both run where that name resolves to this
/// machine: in a mount and network namespace with a hosts file and a certificate of its own.
/// </summary>
static class Peer
{
    const string Host = "api.mixpanel.com";
    const string Authority = "authority.pem";
    const string Certificate = "certificate.pfx";
    const string Events = "events.ndjson";

    /// <summary>Prepares a folder, and continues in the namespace.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var folder = Directory.CreateTempSubdirectory("mixpanel-bench-").FullName;
        try
        {
            EventFile.Write(Path.Combine(folder, Events), new Settings(args).Events);
            WriteCertificates(folder);
            await File.WriteAllTextAsync(Path.Combine(folder, "hosts"), $"127.0.0.1 localhost {Host}\n");
            const string Enter = "ip link set lo up && mount --bind \"$1/hosts\" /etc/hosts && shift && exec dotnet \"$@\"";
            using var process = Process.Start("unshare", ["-rmn", "sh", "-c", Enter, "sh", folder, Throughput.Here, "peer-inside", folder, .. args[1..]]);
            await process.WaitForExitAsync();
            return process.ExitCode;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public static async Task RunInsideAsync(string folder, Settings settings)
    {
        var program = Path.Combine(
            settings.Text("--mixpanel-import") ?? throw new InvalidOperationException("Say where mixpanel-import is: --mixpanel-import bench/peer"),
            "node_modules/.bin/mixpanel-import");
        var input = Path.Combine(folder, Events);
        using var sink = await Throughput.Sinks.StartAsync("secure-sink", Path.Combine(folder, Certificate));
        var environment = new Dictionary<string, string>(Throughput.Environment, StringComparer.Ordinal)
        {
            ["NODE_EXTRA_CA_CERTS"] = Path.Combine(folder, Authority),
            ["SSL_CERT_FILE"] = Path.Combine(folder, Authority),
        };
        var rows = new List<Throughput.Row>
        {
            new("mixpanel-import", sink, program,
                [input, "--token", "bench", "--compress", "--compressionLevel", "1", "--workers", "20", "--highWater", "65536", "--fastMode", "--logs", "false",
                    "--verbose", "false"]),
            Throughput.Row.Of("mixpanel import", sink, settings.Tool ?? Throughput.Tool(), "import", input, "--state", "{state}", "--no-progress"),
        };
        if (settings.Other is { } other)
            rows.Add(Throughput.Row.Of("the other mixpanel import", sink, other, "import", input, "--state", "{state}", "--no-progress"));
        await Throughput.MeasureAsync(rows, settings.Rounds, environment);
        Throughput.Print(rows, settings.Events);
    }

    /// <summary>A certificate authority valid for one day, and a certificate issued by it.</summary>
    static void WriteCertificates(string folder)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=Benchmark authority", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        using var issuer = authority.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(Host);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.Create(issuer, now.AddHours(-1), now.AddHours(23), [1]);
        using var whole = made.CopyWithPrivateKey(key);

        File.WriteAllText(Path.Combine(folder, Authority), issuer.ExportCertificatePem());
        File.WriteAllBytes(Path.Combine(folder, Certificate), whole.Export(X509ContentType.Pkcs12));
    }
}

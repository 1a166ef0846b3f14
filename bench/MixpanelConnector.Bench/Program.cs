using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using MixpanelConnector.Bench;

switch (args)
{
    case ["generate", var path, var count, ..]:
        EventFile.Write(path, int.Parse(count, CultureInfo.InvariantCulture), path.EndsWith(".gz", StringComparison.Ordinal));
        return 0;
    case ["sink", var milliseconds]:
        await Sink.RunAsync(TimeSpan.FromMilliseconds(int.Parse(milliseconds, CultureInfo.InvariantCulture)), port: 0, certificate: null);
        return 0;
    case ["secure-sink", var certificate]:
        await Sink.RunAsync(TimeSpan.Zero, port: 443, X509CertificateLoader.LoadPkcs12FromFile(certificate, null));
        return 0;
    case ["naive", var path, var endpoint, var senders]:
        await Naive.RunAsync(path, endpoint, int.Parse(senders, CultureInfo.InvariantCulture));
        return 0;
    case ["library", var path, var endpoint, .. var state]:
        return await Library.RunAsync(path, endpoint, state is [var folder] ? folder : null);
    case ["stages", ..]:
        Stages.Run(new Settings(args));
        return 0;
    case ["throughput", ..]:
        await Throughput.RunAsync(new Settings(args));
        return 0;
    case ["peer", ..]:
        return await Peer.RunAsync(args);
    case ["peer-inside", var place, ..]:
        await Peer.RunInsideAsync(place, new Settings(args));
        return 0;
    case ["memory", ..]:
        await Throughput.RunMemoryAsync(new Settings(args));
        return 0;
    case ["serve", ..]:
        await ServeLoad.RunAsync(new Settings(args));
        return 0;
    default:
        Console.Error.WriteLine("bench: say stages, throughput, peer, memory or serve; see bench/README.md");
        return 2;
}

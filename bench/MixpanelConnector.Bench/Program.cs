using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using MixpanelConnector.Bench;

switch (args)
{
    case ["generate", var path, var count, ..]:
        EventFile.Write(path, int.Parse(count, CultureInfo.InvariantCulture), path.EndsWith(".gz", StringComparison.Ordinal));
        return 0;
    case ["sink", var milliseconds, var length]:
        await Sink.RunAsync(TimeSpan.FromMilliseconds(int.Parse(milliseconds, CultureInfo.InvariantCulture)), int.Parse(length, CultureInfo.InvariantCulture),
            port: 0, certificate: null);
        return 0;
    case ["secure-sink", var certificate]:
        await Sink.RunAsync(TimeSpan.Zero, EventFile.EventLength, port: 443, X509CertificateLoader.LoadPkcs12FromFile(certificate, null));
        return 0;
    case ["quota-sink", var quota, var tellsWhen]:
        await QuotaBench.RunSinkAsync(quota, bool.Parse(tellsWhen));
        return 0;
    case ["quota", ..]:
        await QuotaBench.RunAsync(new Settings(args));
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
    case ["emulator", ..]:
        await EmulatorLoad.RunAsync(new Settings(args));
        return 0;
    case ["flags", ..]:
        FlagBench.Run(new Settings(args));
        return 0;
    case ["track", ..]:
        await TrackerBench.RunTrackAsync(new Settings(args));
        return 0;
    case ["track-through", ..]:
        await TrackerBench.RunThroughAsync(new Settings(args));
        return 0;
    case ["outbox", ..]:
        await TrackerBench.RunOutboxAsync(new Settings(args));
        return 0;
    case ["campaign-victim", var outbox, var address, var first, var most]:
        await Campaign.VictimAsync(outbox, address, long.Parse(first, CultureInfo.InvariantCulture), int.Parse(most, CultureInfo.InvariantCulture));
        return 0;
    case ["campaign", ..]:
        return await Campaign.RunAsync(new Settings(args));
    default:
        Console.Error.WriteLine(
            "bench: say stages, throughput, peer, memory, quota, serve, emulator, track, track-through, outbox or flags; see bench/README.md");
        return 2;
}

using System.CommandLine;
using System.Globalization;
using System.Text;
using MixpanelConnector.Emulator;
using MixpanelConnector.Tool.Surfaces.Console;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Serves the embedded Mixpanel until it is stopped.</summary>
static class EmulatorCommand
{
    /// <summary>Specified instead of a folder to keep everything in memory.</summary>
    const string Memory = ":memory:";

    public static Command Of(HostEnvironment host)
    {
        var port = new Option<int>("--port") { Description = "The port on loopback; 0 takes a free one, and says which in a line of JSON. Default: 8123.", HelpName = "N", DefaultValueFactory = _ => 8123 };
        var proxy = new Option<int?>("--proxy") { Description = "Beside it, a proxy on loopback that leads https://*.mixpanel.com here, and refuses all other hosts, so that clients run unchanged: it says which environment variables they need. Default port: a free one.", HelpName = "PORT", Arity = ArgumentArity.ZeroOrOne };
        var tls = new Option<int?>("--tls") { Description = "Beside it, a port on loopback for HTTPS, by a certificate of the emulator's own authority. Default port: a free one.", HelpName = "PORT", Arity = ArgumentArity.ZeroOrOne };
        foreach (var option in (Option[])[port, proxy, tls])
        {
            option.Validators.Add(result =>
            {
                if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 65535) result.AddError($"{option.Name} must be from 0 to 65535.");
            });
        }
        var seed = new Option<FileInfo>("--seed") { Description = "A JSON file of what the store begins with, and has again after a reset: projects, accounts, events, profiles, funnels, cohorts, feature flags. See docs/emulator.md.", HelpName = "FILE" };
        var strict = new Option<bool>("--strict-unknown") { Description = "Refuse parameters and members that Mixpanel would leave out without a word." };
        var faults = new Option<FileInfo>("--faults") { Description = "A JSON file of faults on purpose: statuses, resets, cut and slow answers, on chosen paths at chosen rates. See FIDELITY.md.", HelpName = "FILE" };
        var rateLimits = new Option<bool>("--rate-limits") { Description = "Keep to Mixpanel's documented rate limits, and answer 429 beyond them." };
        var identity = new Option<IdentityManagement>("--identity") { Description = "How projects that are created resolve identities: simplified or original. Default: simplified.", HelpName = "KIND" };
        var deletionDelay = new Option<int>("--deletion-delay") { Description = "How long a deletion of personal data waits before it happens, and can be cancelled, in seconds: at most 2592000, which are 30 days. Default: 0, at once.", HelpName = "SECONDS" };
        deletionDelay.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds) && (seconds < 0 || seconds > 2_592_000)) result.AddError("--deletion-delay must be from 0 to 2592000.");
        });
        var anyAddress = new Option<bool>("--any-address") { Description = "Listen on all addresses, not on loopback alone: for a container, whose network is its own. Whoever reaches it may come in. Names that it is reached under need --host." };
        var hosts = new Option<string[]>("--host") { Description = "A name to answer to besides those of loopback, such as api.mixpanel.com for clients whose address cannot be changed. May be given several times.", HelpName = "NAME" };
        var command = new Command("emulator", "Run the embedded Mixpanel on loopback, for development and tests: it validates, stores and answers as Mixpanel's documentation says. With --data :memory: nothing is kept.")
        {
            port, anyAddress, proxy, tls, hosts, seed, strict, faults, rateLimits, identity, deletionDelay, ExportOf(host), EmulatorHealth.Of(host),
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var folder = parsed.GetValue(CommonOptions.Data) ?? new Folders(host.Environment).LocalData;
            var inMemory = folder == Memory;
            var options = new EmulatorOptions
            {
                DataDirectory = inMemory ? null : folder,
                Port = parsed.GetValue(port),
                ProxyPort = parsed.GetResult(proxy) is null ? null : parsed.GetValue(proxy) ?? 0,
                TlsPort = parsed.GetResult(tls) is null ? null : parsed.GetValue(tls) ?? 0,
                AnyAddress = parsed.GetValue(anyAddress),
                HostNames = parsed.GetValue(hosts) ?? [],
                TimeProvider = host.TimeProvider,
                Identity = parsed.GetValue(identity),
                DeletionDelay = TimeSpan.FromSeconds(parsed.GetValue(deletionDelay)),
                RateLimits = parsed.GetValue(rateLimits) ? new EmulatorRateLimits() : null,
                Faults = Given(parsed, faults, EmulatorFaults.Parse, cancellationToken),
                Seed = Given(parsed, seed, text => text, cancellationToken),
                StrictUnknown = parsed.GetValue(strict),
                OwnsProcess = true,
            };
            var scratch = inMemory ? Directory.CreateTempSubdirectory("mixpanel-emulator-").FullName : null; // the console keeps its imports there
            try
            {
                await using var mixpanel = await EmulatedMixpanel.StartAsync(options, cancellationToken);
                await using var local = LocalMixpanel.At(mixpanel, scratch ?? folder, host.TimeProvider);
                await using var console = new LateConsole(mixpanel, () => EmulatorConsole.StartAsync(mixpanel, local, host, cancellationToken));
                if (Directory.Exists(EmulatorConsole.StateFolder(local))) await console.StartAsync(); // resumes its imports
                new EmulatorGreeting(mixpanel, inMemory ? null : folder).Write(new Printer(host, asTable: false), asJson: options.Port == 0 || CommonOptions.AsJson(parsed));
                await UntilStoppedAsync(cancellationToken);
                return ExitCode.Success;
            }
            catch (DataFolderInUseException e)
            {
                throw Configuration.Invalid("data", e.Address is { } address ? $"Another process serves {folder} at {address}. Use that one, or another --data folder." : $"Another process uses {folder}. Choose another --data folder.");
            }
            catch (FormatException e)
            {
                throw Configuration.Invalid("seed", e.Message);
            }
            catch (InvalidDataException e)
            {
                throw new LocalFolderException($"The embedded Mixpanel cannot use its folder {folder}: {e.Message}", e);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Configuration.Invalid("port", $"The embedded Mixpanel cannot start: {e.Message}");
            }
            finally
            {
                if (scratch is not null) Directory.Delete(scratch, recursive: true);
            }
        });
        return command;
    }

    /// <summary>Reads the file that an option names; the default if the option was not specified.</summary>
    static T? Given<T>(ParseResult parsed, Option<FileInfo> option, Func<string, T> read, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(option) is not { } file) return default;
        try
        {
            return read(Encoding.UTF8.GetString(GivenFile.Read(file.FullName, cancellationToken)));
        }
        catch (Exception e) when (e is FormatException || (e is FileNotFoundException or DirectoryNotFoundException && !file.Exists))
        {
            throw Configuration.Invalid(option.Name.TrimStart('-'), e.Message);
        }
    }

    static Command ExportOf(HostEnvironment host)
    {
        var file = new Argument<string>("FILE") { Description = "The file to write, which must not be there: its name decides, .parquet or NDJSON." };
        var project = new Option<int>("--project") { Description = "The project. Default: 1.", HelpName = "ID", DefaultValueFactory = _ => DevelopmentCredentials.ProjectId };
        var deduplicated = new Option<bool>("--deduplicated") { Description = "Only the latest of events that agree in name, time, distinct_id and $insert_id, as reports count them." };
        var command = new Command("export", "Write the embedded Mixpanel's events to a file, as NDJSON (which import reads) or Parquet.") { file, project, deduplicated };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var folder = parsed.GetValue(CommonOptions.Data) ?? new Folders(host.Environment).LocalData;
            var path = parsed.GetValue(file)!;
            var format = path.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase) ? EmulatorExportFormat.Parquet : EmulatorExportFormat.Ndjson;
            if (!Directory.Exists(folder)) throw Configuration.Invalid("data", $"There is no folder {folder}.");
            try
            {
                var count = await EmulatedMixpanel.ExportAsync(folder, path, new EmulatorExport { Format = format, ProjectId = parsed.GetValue(project), Deduplicated = parsed.GetValue(deduplicated) }, cancellationToken);
                new Printer(host, asTable: false).Text($"{Counted.Of(count, "event was", "events were")} written to {path}.\n");
                return ExitCode.Success;
            }
            catch (DataFolderInUseException e)
            {
                throw Configuration.Invalid("data", $"Another process serves {folder}: stop it, or ask {e.Address?.AbsoluteUri ?? "it"} for /api/2.0/export.");
            }
            catch (InvalidDataException e)
            {
                throw new LocalFolderException($"The embedded Mixpanel cannot use its folder {folder}: {e.Message}", e);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Configuration.Invalid("FILE", e.Message);
            }
        });
        return command;
    }

    static async Task UntilStoppedAsync(CancellationToken cancellationToken)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellationToken.Register(stopped.SetResult);
        await stopped.Task;
    }
}

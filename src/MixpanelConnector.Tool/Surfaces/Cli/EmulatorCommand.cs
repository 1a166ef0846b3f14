using System.CommandLine;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using MixpanelConnector.Emulator;
using MixpanelConnector.Emulator.Folder;
using MixpanelConnector.Tool.Surfaces.Console;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Serves the embedded Mixpanel until it is stopped.</summary>
static class EmulatorCommand
{
    /// <summary>Specified instead of a folder to keep everything in memory.</summary>
    const string Memory = ":memory:";

    public static Command Of(HostEnvironment host)
    {
        var port = new NumberOption<int>("--port", 0, 65535)
        {
            Description = "The port on loopback; 0 uses a free one, and prints it in a line of JSON. Default: 8123.",
            HelpName = "N",
            DefaultValueFactory = _ => 8123,
        };
        var proxy = new NumberOption<int?>("--proxy", 0, 65535)
        {
            Description = "Also run a proxy on loopback that routes https://*.mixpanel.com here, and refuses all other hosts, so that clients run unchanged. "
                + "Prints the environment variables that they need. Default port: a free one.",
            HelpName = "PORT",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var tls = new NumberOption<int?>("--tls", 0, 65535)
        {
            Description = "Also listen for HTTPS on a loopback port, with a certificate from the emulator's own CA. Default port: a free one.",
            HelpName = "PORT",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var seed = new Option<FileInfo>("--seed")
        {
            Description = "A JSON file with the initial data, which a reset restores: projects, accounts, events, profiles, funnels, cohorts, feature flags. "
                + "See docs/emulator.md.",
            HelpName = "FILE",
        };
        var strict = new Option<bool>("--strict-unknown") { Description = "Reject parameters and members that Mixpanel would silently ignore." };
        var faults = new Option<FileInfo>("--faults")
        {
            Description = "A JSON file of faults to inject: statuses, connection resets, truncated and slow responses, on chosen paths at chosen rates. "
                + "See FIDELITY.md.",
            HelpName = "FILE",
        };
        var rateLimits = new Option<bool>("--rate-limits") { Description = "Enforce Mixpanel's documented rate limits: respond with 429 beyond them." };
        var identity = new Option<IdentityManagement>("--identity")
        {
            Description = "The identity management of created projects: simplified or original. Default: simplified.",
            HelpName = "KIND",
        };
        var deletionDelay = new NumberOption<int>("--deletion-delay", 0, 2_592_000)
        {
            Description = "The time in seconds before a deletion of personal data takes effect, during which it can be cancelled: at most 2592000, "
                + "which is 30 days. Default: 0, immediately.",
            HelpName = "SECONDS",
        };
        var anyAddress = new Option<bool>("--any-address")
        {
            Description = "Listen on all addresses, not only on loopback: for a container with a network of its own. Anyone who can reach it has access. "
                + "Host names that it is reached under need --host.",
        };
        var hosts = new Option<string[]>("--host")
        {
            Description = "A host name to accept in addition to those of loopback, such as api.mixpanel.com for clients whose URL cannot be changed. "
                + "Repeatable.",
            HelpName = "NAME",
        };
        var command = new Command("emulator",
            "Run the embedded Mixpanel on loopback, for development and tests: it validates, stores and responds as Mixpanel's documentation says. "
            + "With --data :memory: nothing is stored.")
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
            try
            {
                using var scratch = inMemory ? ScratchFolder.Make() : null; // the console keeps its imports there
                await using var mixpanel = await EmulatedMixpanel.StartAsync(options, cancellationToken);
                await using var local = LocalMixpanel.At(mixpanel, scratch?.Path ?? folder, host.TimeProvider);
                await using var console = new LateConsole(mixpanel, () => EmulatorConsole.StartAsync(mixpanel, local, host, cancellationToken));
                if (Directory.Exists(EmulatorConsole.StateFolder(local))) await console.StartAsync(); // resumes its imports
                new EmulatorGreeting(mixpanel, inMemory ? null : folder).Write(new Printer(host, asTable: false),
                    asJson: options.Port == 0 || CommonOptions.AsJson(parsed));
                await UntilStoppedAsync(cancellationToken);
                return ExitCode.Success;
            }
            catch (DataFolderInUseException e)
            {
                throw Configuration.Invalid("data",
                    e.Address is { } address
                        ? $"Another process serves {folder} at {address}. Use that one, or another --data folder."
                        : $"Another process uses {folder}. Choose another --data folder.");
            }
            catch (FormatException e)
            {
                throw Configuration.Invalid("seed", e.Message);
            }
            catch (InvalidDataException e)
            {
                throw new LocalFolderException($"The embedded Mixpanel cannot use its folder {folder}: {e.Message}", e);
            }
            catch (Exception e) when (e is SocketException or IOException { InnerException: AddressInUseException })
            {
                throw Configuration.Invalid("port", $"The embedded Mixpanel cannot start: {e.Message}");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Configuration.Invalid("data", $"The embedded Mixpanel cannot use {(inMemory ? "the folder for temporary files" : folder)}: {e.Message}");
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
        var file = new Argument<string>("FILE")
        {
            Description = "The file to write, which must not exist: Parquet if its name ends in .parquet, otherwise NDJSON.",
        };
        var deduplicated = new Option<bool>("--deduplicated")
        {
            Description = "Of events with the same name, time, distinct_id and $insert_id, only the latest, as reports count them.",
        };
        var command = new Command("export",
            "Write the embedded Mixpanel's events to a file, as NDJSON (which import reads) or Parquet: those of --project-id or MIXPANEL_PROJECT_ID, "
            + "by default of project 1.")
        {
            file,
            deduplicated,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var folder = parsed.GetValue(CommonOptions.Data) ?? new Folders(host.Environment).LocalData;
            var path = parsed.GetValue(file)!;
            var format = path.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase) ? EmulatorExportFormat.Parquet : EmulatorExportFormat.Ndjson;
            if (!Directory.Exists(folder)) throw Configuration.Invalid("data", $"There is no folder {folder}.");
            var project = ProjectOf(parsed, host);
            try
            {
                var count = await EmulatedMixpanel.ExportAsync(folder, path,
                    new EmulatorExport { Format = format, ProjectId = project, Deduplicated = parsed.GetValue(deduplicated) }, cancellationToken);
                new Printer(host, asTable: false).Text($"{Counted.Of(count, "event was", "events were")} written to {path}.\n");
                return ExitCode.Success;
            }
            catch (KeyNotFoundException e)
            {
                throw Configuration.Invalid("project_id", e.Message);
            }
            catch (DataFolderInUseException e)
            {
                throw Configuration.Invalid("data",
                    $"Another process serves {folder}: stop it, or request /api/2.0/export from {e.Address?.AbsoluteUri ?? "it"}.");
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

    /// <summary>The project that an option or the environment names; profiles are of real accounts.</summary>
    static int ProjectOf(ParseResult parsed, HostEnvironment host)
    {
        if ((CommonOptions.Given(parsed).Options.GetValueOrDefault("project_id") ?? host.Environment("MIXPANEL_PROJECT_ID")) is not { Length: > 0 } text)
            return DevelopmentCredentials.ProjectId;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id
            : throw Configuration.Invalid("project_id", $"The project must be an integer from 0 to {int.MaxValue}.");
    }

    static async Task UntilStoppedAsync(CancellationToken cancellationToken)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellationToken.Register(stopped.SetResult);
        await stopped.Task;
    }
}

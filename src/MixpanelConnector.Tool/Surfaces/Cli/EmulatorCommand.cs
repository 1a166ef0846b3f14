using System.CommandLine;
using System.Globalization;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Serves the embedded Mixpanel until it is stopped.</summary>
static class EmulatorCommand
{
    public static Command Of(Surroundings surroundings)
    {
        var port = new Option<int>("--port") { Description = "The port on loopback; 0 takes a free one. Default: 8123.", HelpName = "N", DefaultValueFactory = _ => 8123 };
        port.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 65535) result.AddError("--port must be from 0 to 65535.");
        });
        var command = new Command("emulator", "Run the embedded Mixpanel on loopback, for development and tests: it validates, stores and answers as Mixpanel's documentation says.") { port };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var folder = parsed.GetValue(CommonOptions.Data) ?? new Folders(surroundings.Environment).LocalData;
            try
            {
                await using var mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { DataDirectory = folder, Port = parsed.GetValue(port), TimeProvider = surroundings.TimeProvider }, cancellationToken);
                new Printer(surroundings, asTable: false).Text($"""
                    The embedded Mixpanel serves {folder}. It is a stand-in for development, not Mixpanel: see FIDELITY.md.

                    export MIXPANEL_ENDPOINT={mixpanel.Address.AbsoluteUri.TrimEnd('/')}
                    export MIXPANEL_SERVICE_ACCOUNT_USERNAME={LocalMixpanel.Username}
                    export MIXPANEL_SERVICE_ACCOUNT_SECRET={LocalMixpanel.Secret}
                    export MIXPANEL_PROJECT_ID={LocalMixpanel.ProjectId} MIXPANEL_ORGANIZATION_ID={LocalMixpanel.OrganizationId} MIXPANEL_TOKEN={LocalMixpanel.Token}

                    Ctrl+C stops it.

                    """);
                await UntilStoppedAsync(cancellationToken);
                return ExitCode.Success;
            }
            catch (DataFolderInUseException e)
            {
                throw Configuration.Invalid("data", e.Address is { } address ? $"Another process serves {folder} at {address}. Use that one, or another --data folder." : $"Another process uses {folder}. Choose another --data folder.");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Configuration.Invalid("port", $"The embedded Mixpanel cannot start: {e.Message}");
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

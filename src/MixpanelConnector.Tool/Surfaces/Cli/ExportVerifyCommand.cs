using System.CommandLine;
using System.Text;
using MixpanelConnector.ObjectStorage;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Verifies the files of an export against the hashes in its manifest.</summary>
static class ExportVerifyCommand
{
    public static Command Of(HostEnvironment host)
    {
        var folder = new Argument<string>("DIR|ADDRESS") { Description = "The folder of the export, or its URL in object storage." };
        var command = new Command("verify",
            "Check the files of an export against the hashes in its manifest; exit with 6 if one is missing or has changed, "
            + "with 5 if the export is not finished. Needs no Mixpanel credentials.")
        {
            folder,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var path = parsed.GetValue(folder)!;
            if (await ExportVerification.OfAsync(path, StorageSchemes.All, cancellationToken) is not { } found)
            {
                host.Error.WriteLine($"mixpanel: {Printer.Clean(path)} has no manifest of an export, or a damaged one: its files cannot be verified.");
                return ExitCode.InputDamaged;
            }

            foreach (var name in found.Damaged)
                host.Error.WriteLine($"mixpanel: {Printer.Clean(name)} is missing or has changed. Run the export again with --restart, "
                    + $"or delete the file and run it again.");
            if (!found.Complete) host.Error.WriteLine("mixpanel: the export is not finished: run it again.");
            new Printer(host, CommonOptions.AsTable(parsed)).Json(Encoding.UTF8.GetBytes(found.ToJson()));
            return found.Damaged.Count > 0 ? ExitCode.InputDamaged : found.Complete ? ExitCode.Success : ExitCode.Unavailable;
        });
        return command;
    }
}

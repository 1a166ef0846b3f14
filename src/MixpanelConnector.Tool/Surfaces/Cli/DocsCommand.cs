using System.CommandLine;
using MixpanelConnector.Tool.Surfaces.Docs;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Writes the documentation that is made from the catalogue. For this project's own use, so it is not listed.</summary>
static class DocsCommand
{
    public static Command Of()
    {
        var folder = new Argument<string>("DIR") { Description = "The folder docs of the project." };
        var command = new Command("docs", "Write the documentation that is made from the catalogue.") { folder };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            foreach (var (path, text) in GeneratedDocs.All())
            {
                var file = Path.Combine(parsed.GetValue(folder)!, path);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                File.WriteAllText(file, text);
            }

            foreach (var vendor in ImportMapping.Vendors)
            {
                var page = Path.Combine(parsed.GetValue(folder)!, "vendors", $"{vendor}.md");
                if (File.Exists(page)) File.WriteAllText(page, VendorTable.Into(File.ReadAllText(page), ImportMapping.OfVendor(vendor)));
            }

            return ExitCode.Success;
        });
        return command;
    }
}

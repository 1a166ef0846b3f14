using System.CommandLine;
using MixpanelConnector.Tool.Surfaces.Generated;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Writes the documentation that is generated from the catalogue. For development of this project, so it is not listed.</summary>
static class DocsCommand
{
    public static Command Of()
    {
        var folder = new Argument<string>("DIR") { Description = "The folder docs of the project." };
        var command = new Command("docs", "Write the documentation generated from the catalogue.") { folder };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            Write(parsed.GetValue(folder)!, GeneratedDocs.All());
            foreach (var vendor in ImportMapping.Vendors)
            {
                var page = Path.Combine(parsed.GetValue(folder)!, "vendors", $"{vendor}.md");
                if (File.Exists(page)) File.WriteAllText(page, VendorTable.Into(File.ReadAllText(page), ImportMapping.OfVendor(vendor)));
            }

            return ExitCode.Success;
        });
        command.Add(Connectors());
        command.Add(Schemas());
        return command;
    }

    static Command Connectors()
    {
        var folder = new Argument<string>("DIR") { Description = "The folder connectors of the project.", DefaultValueFactory = _ => "connectors" };
        var command = new Command("connectors", "Write the workflow platform connectors generated from the catalogue.") { folder };
        command.SetAction(parsed =>
        {
            Write(parsed.GetValue(folder)!, GeneratedConnectors.All());
            return ExitCode.Success;
        });
        return command;
    }

    static Command Schemas()
    {
        var folder = new Argument<string>("DIR") { Description = "The folder src of the project.", DefaultValueFactory = _ => "src" };
        var command = new Command("schemas", "Write the input schemas generated from the types of the inputs.") { folder };
        command.SetAction(parsed =>
        {
            Write(parsed.GetValue(folder)!, [(GeneratedSchemas.Path, GeneratedSchemas.Text())]);
            return ExitCode.Success;
        });
        return command;
    }

    static void Write(string folder, IEnumerable<(string Path, string Text)> files)
    {
        foreach (var (path, text) in files)
        {
            var file = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }
    }
}

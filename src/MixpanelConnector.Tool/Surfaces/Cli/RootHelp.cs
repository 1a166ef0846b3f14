using System.Text;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The help of the program, on one screen of 24 lines.</summary>
static class RootHelp
{
    const int Width = 80;
    const int Column = 20;

    public static string Text()
    {
        var text = new StringBuilder("""
            Mixpanel from the command line. With an account: mixpanel login, or MIXPANEL_…
            variables (mixpanel help options). Without one: add --local to any command.

              import, export    Files in and out; also: consume (queues), migrate (projects)
              serve, mcp        Offer the actions over HTTP with a console, or to agents
              emulator          Run the embedded Mixpanel; also: evaluate-flag, generate
              login, profile    Store settings; also: check, config, rotate-service-account

            Actions, by group:

            """);
        foreach (var group in ActionCatalogue.Groups)
            text.Append("  ").Append(group.Name.PadRight(Column - 2)).Append(Short(group.About, Width - Column)).Append('\n');
        return text.Append("More: mixpanel help GROUP | ACTION | COMMAND | options; mixpanel completion\n").ToString();
    }

    /// <summary>A sentence, shortened to the available room.</summary>
    static string Short(string about, int room)
    {
        var text = about.TrimEnd('.');
        if (text.Length <= room) return text;
        var end = text.LastIndexOfAny([',', ':', ';'], room - 1);
        return end > 0 ? text[..end] : text[..text.LastIndexOf(' ', room - 2)] + " …";
    }
}

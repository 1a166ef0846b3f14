namespace MixpanelConnector.Tool.Native;

static class Program
{
    static int Main(string[] args) => Tool.Surfaces.Cli.Program.Main(args);
}

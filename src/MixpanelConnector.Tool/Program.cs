using MixpanelConnector.Tool;
using MixpanelConnector.Tool.Surfaces.Cli;

return await CommandLine.RunAsync(args, Surroundings.OfThisProcess());

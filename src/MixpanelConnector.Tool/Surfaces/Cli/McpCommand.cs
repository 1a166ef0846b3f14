using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using MixpanelConnector.Tool.Surfaces.Http;
using MixpanelConnector.Tool.Surfaces.Mcp;
using ModelContextProtocol.Server;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Offers the actions as tools for agents, on standard input and output.</summary>
static class McpCommand
{
    public static Command Of(HostEnvironment host)
    {
        var allowWrite = new Option<bool>("--allow-write") { Description = "Also offer the tools that change data. Default: only read-only tools." };
        var offered = ToolsOption.New();
        var secretDir = SecretFolderOption.New();
        var command = new DetailedCommand("mcp", "Serve the actions to an agent, as tools of the Model Context Protocol on standard input and output.", """
            For a client that starts it with a configuration such as
              {"mcpServers":{"mixpanel":{"command":"mixpanel","args":["mcp"],"env":{"MIXPANEL_PROJECT_ID":"…"}}}}

            Every action that the session may run is available: the usual ones as tools, the others through find_actions and
            run_action, or as tools with --tools annotations,lexicon. Irreversible actions are never offered.

            Text from events and profiles is sanitized, truncated and marked as data. The agent never sees secrets.
            Over HTTP the same tools are at /mcp of mixpanel serve.
            """)
        { allowWrite, offered, secretDir };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var selection = ToolSelection.Parse(parsed.GetValue(offered));
            await using var session = await Session.OpenAsync(parsed, host, needsCredential: true, cancellationToken);
            var folders = new Folders(host.Environment);
            using var client = session.NewClient(session.Counted(folders.State) with { MaxRetryAfter = Limits.LongestRetryAfter, Words = FieldWords.Instance });
            var options = new McpServerOptions();
            var tools = new Tools(client, selection, SecretFolderOption.Of(parsed, secretDir, folders), host.TimeProvider,
                error => host.Error.WriteLine($"mixpanel: {Printer.Clean(ErrorTable.LocalMessage(error))}"));
            McpServerSetup.Configure(options, tools, parsed.GetValue(allowWrite), new CallLimits(host.TimeProvider));
            await using var transport = new LineTransport(host.TakeInput("mcp"), host.Output, host.TimeProvider);
            await using var server = McpServer.Create(transport, options, NullLoggerFactory.Instance);
            try
            {
                await server.RunAsync(cancellationToken);
            }
            finally
            {
                await tools.EndAsync();
            }

            await transport.EndAsync(cancellationToken);
            return ExitCode.Success;
        });
        return command;
    }
}

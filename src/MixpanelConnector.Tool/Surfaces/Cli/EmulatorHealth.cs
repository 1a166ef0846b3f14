using System.CommandLine;
using System.Globalization;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Checks whether an embedded Mixpanel is running: for a container's health check, as the image contains no other program.</summary>
static class EmulatorHealth
{
    static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(5);

    public static Command Of(HostEnvironment host)
    {
        var port = new NumberOption<int>("--port", 1, 65535)
        {
            Description = "The port on loopback. Default: 8123.",
            HelpName = "N",
            DefaultValueFactory = _ => 8123,
        };
        var command = new Command("health",
            "Check whether the embedded Mixpanel on this machine responds: exit code 0, or 5 if it does not. For container health checks.") { port };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var address = new UriBuilder(Uri.UriSchemeHttp, "127.0.0.1", parsed.GetValue(port), "/healthz").Uri;
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            using var timer = host.TimeProvider.CreateTimer(_ => end.Cancel(), null, LongestAnswer, Timeout.InfiniteTimeSpan);
            try
            {
                using var answer = await http.GetAsync(address, end.Token);
                if (answer.IsSuccessStatusCode) return ExitCode.Success;
                throw Unavailable($"{address} responds with {((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture)}.");
            }
            catch (HttpRequestException e)
            {
                throw Unavailable($"{address} does not respond: {e.Message}");
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw Unavailable($"{address} has not responded for {LongestAnswer.TotalSeconds.ToString(CultureInfo.InvariantCulture)} seconds.");
            }
        });
        return command;
    }

    static MixpanelException Unavailable(string message) => new(new(ErrorKind.Unavailable, message));
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.EndToEnd;

/// <summary>Real disks that fill up or cannot be written, made in a mount namespace of the test's own.</summary>
public sealed class DiskFaultTests
{
    [Fact]
    public async Task A_full_disk_ends_with_7_and_the_import_resumes_once_there_is_room()
    {
        using var home = new Home();
        await using var server = await RecordingServer.StartAsync(Accept);
        var input = home.Write("events.ndjson", Records(4000, everyBad: 2));
        var import = Import(home, input);

        var done = await InNamespaceAsync(home, server, $"""
            mount -t tmpfs -o size=600k none disk
            {import}; echo "first $?"
            mount -o remount,size=60m disk
            {import}; echo "second $?"
            wc -l < disk/state/dead-letters.ndjson
            """);

        Assert.Contains("first 7\n", done.Output, StringComparison.Ordinal);
        Assert.Contains("second 3\n2000\n", done.Output, StringComparison.Ordinal);
        var report = JsonElement.Parse(await File.ReadAllTextAsync(home.File("report.json")));
        Assert.Equal((4000, 2000, 2000, 0), (Number(report, "read"), Number(report, "accepted"), Number(report, "rejected"), Number(report, "pending")));
        var arrived = server.Requests.SelectMany(request => request.Json.EnumerateArray().Select(e => e.GetProperty("properties").GetProperty("n").GetInt32())).Distinct().Order();
        Assert.Equal(Enumerable.Range(0, 4000).Where(n => n % 2 == 0), arrived);
    }

    [Fact]
    public async Task A_disk_that_cannot_be_written_ends_with_7_before_anything_is_sent()
    {
        using var home = new Home();
        await using var server = await RecordingServer.StartAsync(Accept);
        var import = Import(home, home.Write("events.ndjson", Records(10, everyBad: 100)));

        var done = await InNamespaceAsync(home, server, $"""
            mount -t tmpfs -o size=1m none disk
            mount -o remount,ro disk
            {import}; echo "exit $?"
            """);

        Assert.Contains("exit 7\n", done.Output, StringComparison.Ordinal);
        Assert.Contains("disk/state", done.Error, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    static string Import(Home home, string input) =>
        $"dotnet '{Run.Program}' import '{input}' --state disk/state --batch-events 100 --senders 1 --no-progress --report '{home.File("report.json")}' > '{home.File("table")}'";

    static async Task<Finished> InNamespaceAsync(Home home, RecordingServer server, string script)
    {
        Directory.CreateDirectory(home.File("disk"));
        using var shell = Run.Start("unshare", ["--map-root-user", "--mount", "bash", "-c", $"set -e; cd '{home.Path}'; set +e\n{script.Replace("mount ", "mount >&2 ", StringComparison.Ordinal)}"], home, Credentials.At(server.Url));
        return await Run.EndAsync(shell);
    }

    static Answer Accept(RecordedRequest request) =>
        Answer.Json($$"""{"code":200,"num_records_imported":{{request.Json.GetArrayLength()}},"status":"OK"}""");

    static int Number(JsonElement json, string name) => json.GetProperty(name).GetInt32();

    static string Records(int count, int everyBad)
    {
        var text = new StringBuilder();
        for (var n = 0; n < count; n++)
        {
            var time = n % everyBad == everyBad - 1 ? "\"never\"" : "1757000000";
            text.Append(CultureInfo.InvariantCulture, $$$"""{"event":"Counted","properties":{"time":{{{time}}},"distinct_id":"u","n":{{{n}}},"padding":"{{{new string('x', 200)}}}"}}""").Append('\n');
        }

        return text.ToString();
    }
}

using System.Security.Cryptography;

namespace MixpanelConnector.Faults;

/// <summary>
/// An export to object storage that is killed after each request that changes the bucket: while its manifest is created, between the parts of an
/// upload, before and after a file exists. All visible objects are complete, and the next run ends with the result of an uninterrupted export.
/// </summary>
public sealed class StoredExportKillTests
{
    [Fact]
    public async Task What_a_killed_upload_leaves_is_not_seen_and_the_next_run_completes_it()
    {
        await using var mixpanel = await RecordingServer.StartAsync(Exports.AnswerTo);
        await using var bucket = await Bucket.StartAsync();
        using var folder = new TemporaryFolder();
        var exports = new Exports(mixpanel, bucket, folder);
        var done = await exports.RunAsync("s3://b/whole/");
        Assert.True(done.ExitCode == 0, done.ToString());
        var whole = FilesBelow("whole/");
        Assert.Equal(["2026-10-01.ndjson", "2026-10-03.ndjson"], whole.Keys, StringComparer.Ordinal);
        var changes = bucket.Requests.Count(IsChange);
        Assert.InRange(bucket.Requests.Count(request => request.Query.Contains("partNumber=", StringComparison.Ordinal)), 2, 9);

        var leftUploads = 0;
        for (var kill = 1; kill <= changes; kill++)
        {
            var to = $"killed{kill}/";
            await KillAsync($"s3://b/{to}", kill);
            Assert.True(JudgedBelow(to), $"after change {kill}");
            leftUploads += bucket.Uploads.Count;

            bucket.Script = _ => null;
            var next = await exports.RunAsync($"s3://b/{to}");
            Assert.True(next.ExitCode == 0, $"after change {kill}: {next}");
            Assert.True(JudgedBelow(to), $"at the end of {kill}");
            Assert.Equal(whole.AsEnumerable(), FilesBelow(to));
            Assert.Equal(Exports.Days, Exports.Entries(bucket.Of(to + "manifest.json")!).Count());
            Assert.Empty(bucket.Uploads);
        }

        Assert.True(leftUploads > 1); // it was killed in the middle of some

        async Task KillAsync(string to, int kill)
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var seen = 0;
            bucket.Script = request =>
            {
                if (!IsChange(request) || ++seen < kill) return null;
                if (seen == kill) bucket.Serve(request);
                reached.TrySetResult();
                return Answer.Stall;
            };
            using var export = exports.Start(to);
            await Task.WhenAny(reached.Task, export.Exit);
            export.Send(Signal.Kill);
            var ended = await export.EndAsync();
            Assert.True(ended.ExitCode == 137, ended.ToString());
        }

        SortedDictionary<string, string> FilesBelow(string prefix) => new(bucket.Keys
            .Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && !key.EndsWith("manifest.json", StringComparison.Ordinal))
            .ToDictionary(key => key[prefix.Length..], key => Convert.ToHexStringLower(SHA256.HashData(bucket.Of(key)!)), StringComparer.Ordinal),
            StringComparer.Ordinal);

        // Whether each file equals one of an uninterrupted export, and each entry of the manifest names such a file.
        bool JudgedBelow(string prefix)
        {
            var files = FilesBelow(prefix);
            return files.All(whole.Contains)
                && (bucket.Of(prefix + "manifest.json") is not { } manifest
                    || Exports.Entries(manifest).All(entry => entry["name"] is not { } name || files[(string)name!] == (string)entry["sha256"]!));
        }
    }

    static bool IsChange(RecordedRequest request) => request.Method is "PUT" or "POST" or "DELETE";
}

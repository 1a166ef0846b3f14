using System.Diagnostics;
using System.Text.RegularExpressions;
using Azure.Storage.Blobs;

namespace MixpanelConnector.EndToEnd;

/// <summary>The examples of docs/object-storage.md, run against third-party servers: s3rver and azurite.</summary>
public sealed partial class ObjectStorageTests
{
    const string AzuriteKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    [Theory]
    [InlineData("s3")]
    [InlineData("gs")]
    [InlineData("az")]
    public async Task The_run_of_the_page_does_what_it_says(string scheme)
    {
        using var home = new Home();
        await using var server = await StorageServer.StartAsync(scheme, home);
        var page = await File.ReadAllTextAsync(Repository.File("docs/object-storage.md"), TestContext.Current.CancellationToken);
        var blocks = Block().Matches(page.Split("\n## ").First(section => section.StartsWith("A run", StringComparison.Ordinal)));
        home.Write("events.ndjson", blocks[0].Groups["text"].Value);
        var said = "";
        foreach (var line in blocks[1].Groups["text"].Value.TrimEnd().Split('\n'))
        {
            var words = line.Replace("s3://backup/", server.Address, StringComparison.Ordinal)
                .Replace("events.ndjson", home.File("events.ndjson"), StringComparison.Ordinal)
                .Split(' ')
                .Select(word => word.Trim('\'')).ToList();
            Assert.Equal("mixpanel", words[0]);
            var run = await Run.MixpanelAsync(home, [.. words.Skip(1), "--local", "--output", "json"], server.Environment);
            Assert.True(run.ExitCode == 0, $"{line}\n{run}");
            Assert.DoesNotContain(AzuriteKey, run.ToString(), StringComparison.Ordinal);
            said += run.Output;
        }

        Assert.All(blocks[2].Groups["text"].Value.TrimEnd().Split('\n'),
            line => Assert.All(line.Split('…'), part => Assert.Contains(part, said, StringComparison.Ordinal)));
    }

    [GeneratedRegex("^```(?<language>\\w+)\n(?<text>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Block();

    sealed class StorageServer(Process process, string address, IReadOnlyDictionary<string, string> environment) : IAsyncDisposable
    {
        public string Address => address;

        public IReadOnlyDictionary<string, string> Environment => environment;

        public static async Task<StorageServer> StartAsync(string scheme, Home home)
        {
            var modules = Repository.File("tests/EndToEnd/clients/node_modules");
            var process = scheme == "az"
                ? Run.Start("node",
                    [$"{modules}/azurite/dist/src/blob/main.js", "--blobPort", "0", "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"],
                    home)
                : Run.Start("node",
                    ["--openssl-legacy-provider", $"{modules}/s3rver/bin/s3rver.js", "-d", home.File("objects"), "--configure-bucket", "backup", "-p", "0"],
                    home);
            while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
            {
                if (Regex.Match(line, @"listen.*127\.0\.0\.1:(?<port>\d+)$", RegexOptions.NonBacktracking) is not { Success: true } found) continue;
                var port = found.Groups["port"].Value;
                if (scheme != "az")
                    return new(process, $"{scheme}://backup/",
                        Settings((scheme == "s3" ? "AWS_ENDPOINT_URL" : "GS_ENDPOINT_URL", $"http://127.0.0.1:{port}"),
                            (scheme == "s3" ? "AWS_ACCESS_KEY_ID" : "GS_ACCESS_KEY_ID", "S3RVER"),
                            (scheme == "s3" ? "AWS_SECRET_ACCESS_KEY" : "GS_SECRET_ACCESS_KEY", "S3RVER")));
                var connection = $"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={AzuriteKey};BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;";
                await new BlobContainerClient(connection, "backup").CreateAsync(cancellationToken: TestContext.Current.CancellationToken);
                return new(process, "az://devstoreaccount1/backup/", Settings(("AZURE_STORAGE_CONNECTION_STRING", connection)));
            }

            throw new InvalidOperationException(await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        }

        public async ValueTask DisposeAsync()
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        static Dictionary<string, string> Settings(params (string Name, string Value)[] settings) =>
            settings.ToDictionary(setting => setting.Name, setting => setting.Value, StringComparer.Ordinal);
    }
}

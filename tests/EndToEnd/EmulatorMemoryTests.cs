using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.EndToEnd;

/// <summary>The memory of the embedded Mixpanel with many events, measured from outside: it does not keep all of them.</summary>
[Trait("tool", "native")]
public sealed class EmulatorMemoryTests
{
    const int Requests = 200, EventsPerRequest = 2000;
    const long MostBytes = 300_000_000;

    [Theory]
    [InlineData("a folder")]
    [InlineData(":memory:")]
    public async Task Events_of_more_than_200_MB_are_stored_in_less_than_300_MB(string data)
    {
        if (!OperatingSystem.IsLinux()) return; // measured by /proc
        using var home = new Home();
        using var server = Run.StartMixpanel(home, ["emulator", "--port", "0", "--data", data == ":memory:" ? data : home.File("data")]);
        try
        {
            using var http = new HttpClient
            {
                Timeout = Hang.Limit,
                BaseAddress = new Uri((await EmulatorProcess.GreetingOfAsync(server)).GetProperty("address").GetString()!),
            };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("local:local"u8));
            for (var request = 0; request < Requests; request++)
            {
                using var content = new ByteArrayContent(Body(request));
                content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                content.Headers.ContentEncoding.Add("gzip");
                using var answer = await http.PostAsync("/import?project_id=1", content, TestContext.Current.CancellationToken);
                Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            }

            var most = File.ReadLines($"/proc/{server.Id}/status")
                .Where(line => line.StartsWith("VmHWM", StringComparison.Ordinal))
                .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024).Single();
            Assert.True(most < MostBytes, string.Create(CultureInfo.InvariantCulture, $"{most:N0}"));
            using var counted = JsonDocument.Parse(await http.GetByteArrayAsync(
                "/api/query/segmentation?project_id=1&event=Counted&from_date=2025-09-01&to_date=2025-09-30&on=properties%5B%22n%22%5D+%25+2",
                TestContext.Current.CancellationToken));
            foreach (var series in counted.RootElement.GetProperty("data").GetProperty("values").EnumerateObject())
                Assert.Equal(Requests * EventsPerRequest / 2, series.Value.EnumerateObject().Sum(day => day.Value.GetInt32()));
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync(CancellationToken.None);
        }
    }

    /// <summary>Events of 540 bytes that hardly compress.</summary>
    static byte[] Body(int request)
    {
        var random = new Random(request);
        var noise = new byte[210];
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
        {
            for (var i = 0; i < EventsPerRequest; i++)
            {
                random.NextBytes(noise);
                var n = (request * EventsPerRequest) + i;
                gzip.Write(Encoding.UTF8.GetBytes($$$"""{{{(i == 0 ? '[' : ',')}}}{"event":"Counted","properties":{"time":1757000000,"distinct_id":"u{{{n % 1000}}}","$insert_id":"n-{{{n}}}","n":{{{n}}},"noise":"{{{Convert.ToHexStringLower(noise)}}}"}}"""));
            }

            gzip.Write("]"u8);
        }

        return compressed.ToArray();
    }
}

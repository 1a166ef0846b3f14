using System.Net;
using System.Text;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Pipeline;
using MixpanelConnector.Testing;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Tests.Import;

/// <summary>The memory of an import is bounded, whatever its input.</summary>
public sealed class MemoryTests : IDisposable
{
    const long OneBatch = 11_000_000;

    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    [Theory]
    [InlineData(60_000, 2_500)]
    [InlineData(150, 1_000_000)]
    public async Task Batches_stay_within_their_budget_while_Mixpanel_is_slow(int events, int length)
    {
        var line = Encoding.UTF8.GetBytes(ImportRun.Event(1, $",\"x\":\"{new string('x', length)}\"") + "\n");
        var path = _run.Folder.File("input.ndjson");
        using (var file = File.Create(path))
            for (var i = 0; i < events; i++) file.Write(line);

        using var state = new InMemoryImportState();
        using var mixpanel = new SlowMixpanel(line.Length);
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        var pipeline = new ImportPipeline(_run.Request(path) with { Senders = 20 }, state, new MixpanelTransport(_run.Options, http));
        var report = await pipeline.RunAsync(CancellationToken.None);
        Assert.Equal((RunOutcome.Complete, events), (report.Outcome, report.Accepted));
        Assert.InRange(pipeline.Buffers.Peak, 1, ImportPipeline.MostBytesInFlight + (2 * OneBatch)); // the one that is filled, while it grows
    }

    [Fact]
    public void What_is_lent_and_what_is_kept_share_one_bound()
    {
        var pool = new BufferPool(1 << 20);
        var random = new Random(7);
        var lent = new Queue<byte[]>();
        for (var i = 0; i < 10_000; i++)
        {
            while (lent.Sum(buffer => (long)buffer.Length) > 700_000) pool.Return(lent.Dequeue());
            var needed = random.Next(1, 200_000);
            lent.Enqueue(pool.Rent(needed));
            Assert.True(lent.Last().Length >= needed);
        }

        Assert.InRange(pool.Peak, 1, 1 << 20);
    }

    [Fact]
    public void A_buffer_that_came_back_is_lent_again()
    {
        var pool = new BufferPool(1 << 20);
        var first = pool.Rent(100_000);
        pool.Return(first);
        Assert.Same(first, pool.Rent(90_000));
        Assert.NotSame(first, pool.Rent(90_000));
    }

    /// <summary>Answers once other requests are waiting too, or none arrive.</summary>
    sealed class SlowMixpanel(int eventLength) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            for (var i = 0; i < 1000; i++) await Task.Yield();
            var body = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
            var count = (BitConverter.ToUInt32(body.AsSpan()[^4..]) - 1) / (uint)eventLength; // gzip ends with the length
            return new(HttpStatusCode.OK) { Content = new StringContent($$"""{"code":200,"num_records_imported":{{count}},"status":"OK"}""") };
        }
    }
}

using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Net.Http.Headers;
using System.Text.Json;

namespace MixpanelConnector.Bench;

/// <summary>A simple importer: PipeReader, one Utf8JsonReader pass per event, fastest GZipStream, HttpClient. No state, no retries.</summary>
static class Naive
{
    const int BatchEvents = 2000;

    public static async Task RunAsync(string path, string endpoint, int senders)
    {
        using var client = new HttpClient { BaseAddress = new Uri(endpoint) };
        using var free = new SemaphoreSlim(senders);
        var sending = new List<Task>();
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
        var reader = PipeReader.Create(file, new StreamPipeReaderOptions(bufferSize: 256 << 10));
        var (batch, count, total) = (NewBatch(), 0, 0L);
        while (true)
        {
            var result = await reader.ReadAsync();
            var buffer = result.Buffer;
            while (TryReadLine(ref buffer, out var line))
            {
                Check(line);
                if (count++ > 0) batch.WriteByte((byte)',');
                foreach (var part in line) batch.Write(part.Span);
                if (count < BatchEvents) continue;
                await SendAsync();
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted) break;
        }

        if (count > 0) await SendAsync();
        await Task.WhenAll(sending);
        Console.WriteLine(total);

        async Task SendAsync()
        {
            batch.WriteByte((byte)']');
            total += count;
            var full = batch;
            (batch, count) = (NewBatch(), 0);
            await free.WaitAsync();
            sending.RemoveAll(task => task.IsCompletedSuccessfully);
            sending.Add(Task.Run(async () =>
            {
                using var packed = new MemoryStream();
                using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(full.GetBuffer(), 0, (int)full.Length);
                using var content = new ByteArrayContent(packed.GetBuffer(), 0, (int)packed.Length);
                content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                content.Headers.ContentEncoding.Add("gzip");
                using var response = await client.PostAsync(new Uri("/import?strict=1", UriKind.Relative), content);
                response.EnsureSuccessStatusCode();
                free.Release();
            }));
        }
    }

    static MemoryStream NewBatch()
    {
        var batch = new MemoryStream();
        batch.WriteByte((byte)'[');
        return batch;
    }

    static bool TryReadLine(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line)
    {
        line = default;
        if (buffer.PositionOf((byte)'\n') is not { } end) return false;
        line = buffer.Slice(0, end);
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        return true;
    }

    static void Check(ReadOnlySequence<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        var (hasEvent, hasTime, hasUser, hasId) = (false, false, false, false);
        while (reader.Read())
        {
            if (reader.TokenType is not JsonTokenType.PropertyName) continue;
            if (reader.CurrentDepth == 1) hasEvent |= reader.ValueTextEquals("event"u8);
            if (reader.CurrentDepth != 2) continue;
            hasTime |= reader.ValueTextEquals("time"u8);
            hasUser |= reader.ValueTextEquals("distinct_id"u8);
            hasId |= reader.ValueTextEquals("$insert_id"u8);
        }

        if (!(hasEvent && hasTime && hasUser && hasId)) throw new InvalidDataException("An event lacks what it needs.");
    }
}

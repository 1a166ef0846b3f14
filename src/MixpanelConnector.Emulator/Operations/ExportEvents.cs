using System.Buffers;
using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>GET /api/2.0/export</c>: events as they were stored, one a line, duplicates included.</summary>
sealed class ExportEvents(EventStore events, Access access, Quota quota, TimeProvider time)
{
    const int LargestLimit = 100_000;
    const int ChunkBytes = 64 * 1024;

    public async Task HandleAsync(HttpContext context)
    {
        var fields = await QueryFields.ReadAsync(context).ConfigureAwait(false);
        var project = await access.ReadableProjectAsync(context, fields.Text("project_id")).ConfigureAwait(false);
        var range = new EventRange(project.Id, fields.Date("from_date"), fields.Date("to_date"), fields.Texts("event"));
        if (range.To < range.From)
            throw new RefusedException(400, "invalid to_date: must not be before from_date");
        var limit = fields.Text("limit") is null ? int.MaxValue : fields.Integer("limit", otherwise: 0, least: 1, LargestLimit);
        var selector = fields.Text("where") is { } where ? Where.Parse(where, SelectorDialect.Export) : null;
        quota.TakeExport(project.Id);

        context.Response.ContentType = "text/plain; charset=utf-8";
        if (context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.ContentEncoding = "gzip";
            using var gzip = new GZipStream(context.Response.Body, CompressionLevel.Fastest, leaveOpen: true);
            await WriteAsync(gzip, range, selector, limit, fields.Boolean("time_in_ms"), context.RequestAborted).ConfigureAwait(false);
        }
        else
        {
            await WriteAsync(context.Response.Body, range, selector, limit, fields.Boolean("time_in_ms"), context.RequestAborted).ConfigureAwait(false);
        }
    }

    async Task WriteAsync(Stream body, EventRange range, Selector? selector, int limit, bool timeInMilliseconds, CancellationToken cancellationToken)
    {
        var chunk = new ArrayBufferWriter<byte>(ChunkBytes + 4096);
        foreach (var row in Matching(range, selector).Take(limit))
        {
            ExportLine.Write(chunk, row, timeInMilliseconds);
            if (chunk.WrittenCount < ChunkBytes)
                continue;
            await body.WriteAsync(chunk.WrittenMemory, cancellationToken).ConfigureAwait(false);
            chunk.ResetWrittenCount();
        }
        await body.WriteAsync(chunk.WrittenMemory, cancellationToken).ConfigureAwait(false);
    }

    IEnumerable<ExportRow> Matching(EventRange range, Selector? selector)
    {
        if (selector is null)
            return events.Read(range);
        var record = new EventRecord(selector);
        var context = new SelectorContext(time.GetUtcNow(), TimeZoneInfo.Utc);
        return events.Read(range).Where(row =>
        {
            record.Load(row);
            return Where.Holds(selector, record, context);
        });
    }

    /// <summary>An event's properties, and the event itself as <c>event["$time"]</c> and <c>event["$name"]</c>.</summary>
    sealed class EventRecord(Selector selector) : ISelectorRecord
    {
        readonly JsonSelectorRecord _properties = new(selector);
        ExportRow _row;

        public void Load(in ExportRow row)
        {
            _row = row;
            _properties.Load(row.Properties);
        }

        public SelectorValue Get(PropertyRoot root, string name) => (root, name) switch
        {
            (PropertyRoot.Event, "$time") => SelectorValue.FromDateTime(_row.Time),
            (PropertyRoot.Event, "$name") => SelectorValue.FromText(_row.Name),
            _ => _properties.Get(root, name),
        };
    }
}

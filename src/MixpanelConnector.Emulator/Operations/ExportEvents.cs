using System.Buffers;
using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>GET /api/2.0/export</c>: events as they were stored, one per line, including duplicates.</summary>
sealed class ExportEvents(EventStore events, IdentityStore identities, Access access, Quota quota, TimeProvider time)
{
    const int LargestLimit = 100_000;
    const int ChunkBytes = 64 * 1024;

    static readonly string[] Parameters = ["from_date", "to_date", "event", "where", "limit", "time_in_ms"];

    public async Task HandleAsync(HttpContext context)
    {
        var fields = await QueryFields.ReadAsync(context, Parameters).ConfigureAwait(false);
        if (await ProjectAsync(context, fields).ConfigureAwait(false) is not { } project)
        {
            await context.Response.BytesAsync(400, "text/plain",
                "Unable to authenticate request\n"u8.ToArray()).ConfigureAwait(false); // so the service answers, not as other queries are
            return;
        }
        var (from, to) = fields.Dates();
        if (to > DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime)) throw new RefusedException(400, "to_date cannot be later than today");
        // The days of an export are UTC days, whatever the time zone of the project.
        var utc = new Calendar(TimeZoneInfo.Utc);
        var range = new EventRange(project.Id, utc.StartOf(from), utc.EndOf(to), fields.Texts("event"));
        var limit = fields.Text("limit") is null ? int.MaxValue : fields.Integer("limit", otherwise: 0, least: 1, LargestLimit);
        var selector = Where.Parse(fields, "where", SelectorDialect.Export);
        using var running = quota.BeginExport(project.Id);
        QueryBudget.Begin(context.RequestAborted);

        var terminatedAfter = context.Features.Get<EmulatorFault>()?.TerminatedAfter;
        await WriteAsync(context, Matching(range, selector, project).Take(Math.Min(limit, terminatedAfter ?? limit)), fields.Boolean("time_in_ms"),
            terminatedAfter is null ? default : "terminated early\n"u8.ToArray()).ConfigureAwait(false);
    }

    /// <summary>The project to export; null if access is denied.</summary>
    async Task<Project?> ProjectAsync(HttpContext context, QueryFields fields)
    {
        try
        {
            return await access.ReadableProjectAsync(context, fields.Text("project_id")).ConfigureAwait(false);
        }
        catch (RefusedException e) when (e.Status is 401 or 403 && context.Request.Headers.Authorization.Count > 0)
        {
            return null;
        }
    }

    static async Task WriteAsync(HttpContext context, IEnumerable<ExportRow> rows, bool timeInMilliseconds, ReadOnlyMemory<byte> last)
    {
        var chunk = new ArrayBufferWriter<byte>(ChunkBytes + 4096);
        using var row = rows.GetEnumerator();
        // Before the response starts, so that an expression that fails on an event still results in 400.
        var isLast = !Fill(chunk, row, timeInMilliseconds);
        context.Response.ContentType = "text/plain; charset=utf-8";
        if (!AcceptsGzip(context.Request))
        {
            await WriteToAsync(context.Response.Body).ConfigureAwait(false);
            return;
        }
        context.Response.Headers.ContentEncoding = "gzip";
        var gzip = new GZipStream(context.Response.Body, CompressionLevel.Fastest, leaveOpen: true);
        await using (gzip.ConfigureAwait(false))
            await WriteToAsync(gzip).ConfigureAwait(false);

        async Task WriteToAsync(Stream body)
        {
            await body.WriteAsync(chunk.WrittenMemory, context.RequestAborted).ConfigureAwait(false);
            while (!isLast)
            {
                chunk.ResetWrittenCount();
                isLast = !Fill(chunk, row, timeInMilliseconds);
                await body.WriteAsync(chunk.WrittenMemory, context.RequestAborted).ConfigureAwait(false);
            }
            await body.WriteAsync(last, context.RequestAborted).ConfigureAwait(false);
        }
    }

    static bool AcceptsGzip(HttpRequest request) => request.GetTypedHeaders().AcceptEncoding.Any(coding =>
        (coding.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase) || coding.Value.Equals("x-gzip", StringComparison.OrdinalIgnoreCase))
            && coding.Quality is not 0);

    /// <summary>Fills the chunk; returns whether rows may be left.</summary>
    static bool Fill(ArrayBufferWriter<byte> chunk, IEnumerator<ExportRow> row, bool timeInMilliseconds)
    {
        while (chunk.WrittenCount < ChunkBytes)
        {
            if (!row.MoveNext()) return false;
            ExportLine.Write(chunk, row.Current, timeInMilliseconds);
        }
        return true;
    }

    IEnumerable<ExportRow> Matching(EventRange range, Selector? selector, Project project)
    {
        var rows = events.Read(range).Select(row => row with { DistinctId = identities.Resolve(project.Id, row.DistinctId) });
        if (selector is null) return rows;
        var record = new EventRecord(selector);
        var context = new SelectorContext(time.GetUtcNow(), project.Calendar.Zone, QueryBudget.Current);
        return rows.Where(row =>
        {
            record.Load(row);
            return Where.Holds(selector, record, context);
        });
    }

    /// <summary>An event's properties, with the event itself as <c>event["$time"]</c> and <c>event["$name"]</c>.</summary>
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
            (PropertyRoot.Properties, "distinct_id") => SelectorValue.FromText(_row.DistinctId),
            (PropertyRoot.Event or PropertyRoot.Properties, "$time") => SelectorValue.FromDateTime(_row.Time),
            (PropertyRoot.Event, "$name") => SelectorValue.FromText(_row.Name),
            _ => _properties.Get(root, name),
        };
    }
}

using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Live;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary>
/// <c>GET /emulator/projects/{project}/live</c>: streams what the project receives, a line of JSON for each quarter of a second in which something was
/// received. The counts include everything, the lists contain the latest. The first line contains the latest known events and rejections, the counts for each
/// second of the last two minutes, the names of the stored events, and the project's time zone; an empty line means that nothing was received for a while.
/// </summary>
sealed class LiveFeed(EventStore events, Feed feed, Access access, TimeProvider time)
{
    const int EventsAtFirst = 200;
    const int MostReasons = 50;
    const int MostNames = 1000;

    // The client is a real screen, so this uses the real clock, whatever clock the events use.
    static readonly TimeProvider Clock = TimeProvider.System;
    static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(250);
    static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(15);

    public async Task HandleAsync(HttpContext context)
    {
        var project = await access.ManagedProjectAsync(context).ConfigureAwait(false);
        var stopping = context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        using var watcher = feed.Watch(project.Id);
        context.Response.ContentType = "application/x-ndjson";
        try
        {
            var first = watcher.Take();
            foreach (var seen in await events.LatestAsync(project.Id, EventsAtFirst, end.Token).ConfigureAwait(false))
                first.Events.Enqueue(seen);
            (first.First, first.Last) = events.TimesOf(project.Id) ?? (first.First, first.Last);
            await WriteAsync(context.Response, project, watcher, first, isFirst: true, end.Token).ConfigureAwait(false);
            while (true)
            {
                if (!await watcher.WaitAsync(LongestSilence, end.Token).ConfigureAwait(false))
                {
                    await WriteAsync(context.Response, "\n"u8.ToArray(), end.Token).ConfigureAwait(false);
                    continue;
                }
                await Task.Delay(Moment, Clock, end.Token).ConfigureAwait(false);
                await WriteAsync(context.Response, project, watcher, watcher.Take(), isFirst: false, end.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody watches any more, or the server is stopping: the stream just ends.
        }
    }

    Task WriteAsync(HttpResponse response, Project project, Feed.Watcher watcher, Feed.Seen seen, bool isFirst, CancellationToken cancellationToken)
    {
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line, Replies.Readable))
        {
            json.WriteStartObject();
            json.WriteNumber("accepted", seen.Accepted);
            json.WriteNumber("rejected", seen.Rejected);
            json.WriteStartArray("events");
            foreach (var row in seen.Events)
                Write(json, row);
            json.WriteEndArray();
            json.WriteStartArray("rejections");
            foreach (var rejection in seen.Rejections)
                Write(json, rejection);
            json.WriteEndArray();
            if (seen.First <= seen.Last)
            {
                json.WriteString("first", Written(seen.First));
                json.WriteString("last", Written(seen.Last));
            }
            if (isFirst)
            {
                json.WriteString("time_zone", project.TimeZone);
                json.WriteStartArray("names");
                foreach (var name in events.NamesOf(project.Id, MostNames))
                    json.WriteStringValue(name);
                json.WriteEndArray();
                json.WriteStartArray("seconds");
                foreach (var (second, accepted, rejected) in watcher.Seconds())
                {
                    json.WriteStartArray();
                    json.WriteNumberValue(second);
                    json.WriteNumberValue(accepted);
                    json.WriteNumberValue(rejected);
                    json.WriteEndArray();
                }
                json.WriteEndArray();
            }
            if (isFirst || seen.Rejected > 0) WriteToday(json, project, watcher);
            json.WriteEndObject();
        }
        line.Write("\n"u8);
        return WriteAsync(response, line.WrittenMemory, cancellationToken);
    }

    /// <summary>All rejections on the project's current day, by reason.</summary>
    void WriteToday(Utf8JsonWriter json, Project project, Feed.Watcher watcher)
    {
        var day = project.Calendar.DayOf(time.GetUtcNow());
        var reasons = watcher.RefusalsSince(project.Calendar.StartOf(day));
        json.WriteStartObject("today");
        json.WriteString("day", day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        json.WriteNumber("rejected", reasons.Sum(reason => reason.Count));
        json.WriteStartArray("reasons");
        foreach (var reason in reasons.Take(MostReasons))
        {
            json.WriteStartObject();
            json.WriteString("field", reason.Field);
            json.WriteString("message", reason.Message);
            json.WriteNumber("count", reason.Count);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The properties remain a string, so that JavaScript clients see numbers exactly as they were written.</summary>
    static void Write(Utf8JsonWriter json, in SeenEvent seen)
    {
        json.WriteStartObject();
        json.WriteString("event", seen.Name);
        json.WriteString("time", Written(seen.Time));
        json.WriteString("distinct_id", seen.DistinctId);
        json.WriteString("insert_id", seen.InsertId);
        json.WriteString("properties", seen.Properties);
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, Rejection rejection)
    {
        json.WriteStartObject();
        json.WriteString("time", Written(rejection.At));
        json.WriteString("path", rejection.Path);
        json.WriteString("field", rejection.Fault.Where);
        json.WriteString("message", rejection.Fault.Message);
        json.WriteBoolean("told", rejection.IsTold);
        json.WriteString("record", rejection.Record);
        json.WriteEndObject();
    }

    static string Written(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    static async Task WriteAsync(HttpResponse response, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await response.Body.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        await response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
    }
}

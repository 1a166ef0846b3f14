using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Jql;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/query/jql</c>: a script over events and profiles, whose result is a JSON array, or CSV.</summary>
sealed class JqlQuery(ReportSource source, ProfileStore profiles, EmulatorOptions options)
{
    public static readonly string[] Parameters = ["script", "params", "format", "download_file"];

    /// <summary>The stack of a script's thread: enough for several thousand recursive calls.</summary>
    const int StackBytes = 8 * 1024 * 1024;

    const int SegmentBytes = 64 * 1024;

    /// <summary>Only one script at a time runs in a process, so that their memory does not add up.</summary>
    static readonly SemaphoreSlim Turn = new(1, 1);

    public async Task QueryAsync(HttpContext context, QueryFields fields, Project project)
    {
        var script = fields.Required("script");
        var format = fields.Choice("format", SeriesFormat.Json, SeriesFormat.Json, SeriesFormat.Csv);
        var parameters = ParametersOf(fields);
        var answer = new Pipe(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: SegmentBytes, useSynchronizationContext: false));
        var callerLeft = context.RequestAborted;
        await Turn.WaitAsync(callerLeft).ConfigureAwait(false);
        var length = await EndAsync(OnThreadOfItsOwnAsync(() => Write(answer.Writer, script, parameters, project, callerLeft), () => Turn.Release()),
            callerLeft).ConfigureAwait(false);
        if (format == SeriesFormat.Csv)
            await context.Response.BytesAsync(200, "text/csv; charset=utf-8",
                await JqlCsv.ReadAsync(answer.Reader, callerLeft).ConfigureAwait(false)).ConfigureAwait(false);
        else
            await context.Response.CopyAsync(200, "application/json", answer.Reader, length).ConfigureAwait(false);
    }

    /// <summary>
    /// Waits for a script, but not for a single step that exceeds its time: that script ends at its next step, and no other starts until then.
    /// </summary>
    async Task<long> EndAsync(Task<long> script, CancellationToken callerLeft)
    {
        try
        {
            return await script.WaitAsync(options.LongestScript + ScriptLimits.LongestStep, TimeProvider.System, callerLeft).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new RefusedException(JqlScript.Failed, ScriptLimits.TooMuchTime(options.LongestScript));
        }
    }

    static string ParametersOf(QueryFields fields)
    {
        var text = fields.Text("params") ?? "{}";
        try
        {
            if (JsonElement.Parse(text).ValueKind == JsonValueKind.Object) return text;
        }
        catch (JsonException)
        {
            // Reported by the refusal below.
        }
        throw new RefusedException(400, "invalid params: must be a JSON object");
    }

    long Write(PipeWriter answer, string script, string parameters, Project project, CancellationToken callerLeft)
    {
        using var heap = options.OwnsProcess ? new HeapLimit(ScriptLimits.MostOfTheProcess) : null;
        using var json = new Utf8JsonWriter(answer, Replies.Readable);
        json.WriteStartArray();
        JqlScript.Run(
            script, parameters, options.LongestScript, () => source.Now, (engine, limits) => new JqlReader(engine, limits, project, source, profiles),
            (item, limits) => new ResultWriter(json, limits).WriteItem(item), callerLeft);
        json.WriteEndArray();
        json.Flush();
        answer.Complete();
        return json.BytesCommitted;
    }

    /// <summary>Runs work that may recurse deeply, and for seconds, on its own thread, so that it blocks nothing else.</summary>
    static Task<T> OnThreadOfItsOwnAsync<T>(Func<T> work, Action ended)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(
            () =>
            {
                try
                {
                    var result = work();
                    ended();
                    done.SetResult(result);
                }
                catch (Exception e)
                {
                    ended();
                    done.SetException(e);
                }
            },
            StackBytes)
        {
            IsBackground = true,
            Name = "JQL",
        }.Start();
        return done.Task;
    }
}

using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using MixpanelConnector.Sqlite;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Lists the checkpoints with their progress, and writes the dead-letter files that a killed import could not write.</summary>
static class ImportStatusCommand
{
    public static string Folder(HostEnvironment host) => Path.Combine(new Folders(host.Environment).State, "imports");

    public static Command Of(HostEnvironment host)
    {
        var state = new Option<string>("--state") { Description = "One checkpoint folder. Default: all in the user's state folder.", HelpName = "DIR" };
        var command = new Command("status",
            "List the imports with their progress, the last changed first, and write the dead-letter file of each that was killed before writing it. "
            + "pending is null for an import that was killed, unless it is known how far it had read: its checkpoint counts only records with an outcome, "
                + "and the same command reads the others again.")
        {
            state,
        };
        command.SetAction(parsed =>
        {
            var one = parsed.GetValue(state) is { } path ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) : null;
            var summaries = SqliteImportState.List(one is null ? Folder(host) : Path.GetDirectoryName(one)!, CommandWords.Instance)
                .Where(summary => one is null || summary.Folder == one)
                .OrderByDescending(Changed).ToList();
            if (one is not null && summaries.Count == 0) throw Configuration.Invalid("state", $"{one} does not contain the state of an import.");

            var code = ExitCode.Success;
            var buffer = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            {
                json.WriteStartObject();
                json.WriteStartArray("imports");
                foreach (var summary in summaries)
                {
                    var (deadLetters, problem) = WriteDeadLetters(summary);
                    if (summary.Fault is ImportStateFault.Damaged || problem is not null) code = ExitCode.DiskFailed;
                    Write(json, summary, deadLetters, problem ?? summary.Message);
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            new Printer(host, CommonOptions.AsTable(parsed)).Json(buffer.WrittenMemory);
            return code;
        });
        return command;
    }

    static (string? Path, string? Problem) WriteDeadLetters(ImportStateSummary summary)
    {
        if (summary.Fault is not null || summary.Finished || summary.Totals.Rejected == 0) return (null, null); // an import that ended normally wrote it itself
        try
        {
            using var state = SqliteImportState.Open(summary.Folder, restart: false, CommandWords.Instance);
            var path = summary.DeadLetterPath ?? state.DeadLetterPath;
            ImportDeadLetters.Write(state, path);
            return (path, null);
        }
        catch (ImportStateException e)
        {
            return (null, e.Message);
        }
    }

    static void Write(Utf8JsonWriter json, ImportStateSummary summary, string? deadLetters, string? problem)
    {
        var running = summary.Fault is ImportStateFault.Busy ? ImportProgressFile.Read(summary.Folder) : null;
        json.WriteStartObject();
        json.WriteString("state", summary.Folder);
        json.WriteString("progress", summary.Fault switch
        {
            ImportStateFault.Busy => "running",
            not null => "damaged",
            _ => summary.Finished ? "finished" : "unfinished",
        });
        if (summary.Began is { } began) json.WriteString("began", Time(began));
        if (running is null && summary.LastSaved is { } saved) json.WriteString("last_saved", Time(saved));
        if (running is { } now)
        {
            foreach (var member in now.EnumerateObject()) member.WriteTo(json);
        }
        else if (summary.Fault is null)
        {
            json.WriteString("sources", string.Join(", ", summary.Sources.Select(source => source.Id)));
            var pending = ImportProgressFile.ReadPending(summary);
            json.WriteNumber("read", summary.Totals.Read + (pending ?? 0));
            json.WriteNumber("accepted", summary.Totals.Accepted);
            json.WriteNumber("rejected", summary.Totals.Rejected);
            if (pending is { } count) json.WriteNumber("pending", count);
            else json.WriteNull("pending");
            json.WriteNumber("blank", summary.Totals.Blank);
            if (summary.Totals.LeftOut is { } leftOut) json.WriteNumber("left_out", leftOut.Values.Sum());
            json.WriteNumber("bytes", summary.Totals.Bytes);
            json.WriteNumber("elapsed_seconds", Math.Round(summary.Totals.Elapsed.TotalSeconds, 1));
        }

        if (deadLetters is not null) json.WriteString("dead_letter", deadLetters);
        if (problem is not null) json.WriteString("problem", problem);
        json.WriteEndObject();
    }

    /// <summary>When an import last changed: a running one is changing now.</summary>
    static DateTimeOffset Changed(ImportStateSummary summary) =>
        summary.Fault is ImportStateFault.Busy ? DateTimeOffset.MaxValue : summary.LastSaved ?? summary.Began ?? DateTimeOffset.MinValue;

    static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

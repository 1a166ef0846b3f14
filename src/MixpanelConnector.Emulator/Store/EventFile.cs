using System.Buffers;
using System.Globalization;
using MixpanelConnector.Emulator.Operations;
using MixpanelConnector.Files;

namespace MixpanelConnector.Emulator.Store;

/// <summary>Writes events to a file, with the ids of merged users resolved.</summary>
static class EventFile
{
    const int ChunkBytes = 1024 * 1024;

    /// <summary>Writes the complete file, or none.</summary>
    /// <returns>The number of events written.</returns>
    public static long Write(Database database, EmulatorExport export, string file)
    {
        if (FileStatus.Of(file).Kind is not FileKind.None) throw new IOException($"The file '{file}' already exists.");
        CheckProject(database, export.ProjectId);
        using var written = NewFile.Create(file);
        var count = export.Format == EmulatorExportFormat.Parquet
            ? WriteParquet(database, export, written.Draft)
            : WriteLines(database, export, written.Content);
        written.Keep(replaces: false);
        return count;
    }

    static void CheckProject(Database database, int projectId)
    {
        using var connection = database.Connect();
        using var query = connection.Command("SELECT project_id, name FROM projects ORDER BY 1");
        using var row = query.ExecuteReader();
        var known = new List<string>();
        while (row.Read())
        {
            if (row.GetInt32(0) == projectId) return;
            known.Add($"{row.GetInt32(0).ToString(CultureInfo.InvariantCulture)} ({row.GetString(1)})");
        }
        throw new KeyNotFoundException($"There is no project {projectId.ToString(CultureInfo.InvariantCulture)} here, only {string.Join(", ", known)}.");
    }

    static string Query(EmulatorExport export) =>
        $"""
        SELECT e.project_id, e.event_name, e.time, coalesce(i.canonical_distinct_id, e.distinct_id) AS distinct_id, e.insert_id, e.properties, e.received_at
        FROM {(export.Deduplicated ? "deduplicated_events" : "events")} e
        LEFT JOIN identities i ON i.project_id = e.project_id AND i.distinct_id = e.distinct_id
        WHERE e.project_id = {export.ProjectId.ToString(CultureInfo.InvariantCulture)}
        ORDER BY e.sequence
        """;

    static long WriteParquet(Database database, EmulatorExport export, string file)
    {
        using var connection = database.Connect();
        return connection.Execute($"COPY (SELECT * REPLACE (properties::JSON AS "
            + $"properties) FROM ({Query(export)})) TO '{file.Replace("'", "''", StringComparison.Ordinal)}' (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)");
    }

    static long WriteLines(Database database, EmulatorExport export, FileStream output)
    {
        using var connection = database.Connect();
        using var query = connection.Command(Query(export));
        query.UseStreamingMode = true;
        using var row = query.ExecuteReader();
        var chunk = new ArrayBufferWriter<byte>(ChunkBytes + 4096);
        var count = 0L;
        while (row.Read())
        {
            ExportLine.Write(chunk, new ExportRow(row.GetString(1), row.GetTime(2), row.GetString(3), row.GetString(4), row.GetString(5)),
                timeInMilliseconds: true);
            count++;
            if (chunk.WrittenCount >= ChunkBytes)
            {
                output.Write(chunk.WrittenSpan);
                chunk.ResetWrittenCount();
            }
        }
        output.Write(chunk.WrittenSpan);
        return count;
    }
}

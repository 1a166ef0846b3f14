namespace MixpanelConnector.Emulator;

/// <summary>The file formats in which the events of a data folder can be exported.</summary>
public enum EmulatorExportFormat
{
    /// <summary>One event per line, in the format of Mixpanel's raw export, which an import accepts.</summary>
    Ndjson,

    /// <summary>
    /// Parquet with the columns of the table <c>events</c>; the type of <c>properties</c> is JSON. <c>mixpanel import FILE --map event=event_name --drop
    /// project_id --drop insert_id --drop received_at</c> reads it.
    /// </summary>
    Parquet,
}

/// <summary>What to export from a data folder.</summary>
public sealed record EmulatorExport
{
    /// <summary>The file format. Default: NDJSON.</summary>
    public EmulatorExportFormat Format { get; init; }

    /// <summary>The project. Default: 1, the initial project of every embedded Mixpanel.</summary>
    public int ProjectId { get; init; } = DevelopmentCredentials.ProjectId;

    /// <summary>Whether to export only the latest of the events with the same name, time, <c>distinct_id</c> and <c>$insert_id</c>. Default: all.</summary>
    public bool Deduplicated { get; init; }
}

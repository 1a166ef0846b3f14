namespace MixpanelConnector.Emulator;

/// <summary>The forms in which a data folder's events can be written to a file.</summary>
public enum EmulatorExportFormat
{
    /// <summary>One event a line, as Mixpanel's raw export gives them, and as an import takes them.</summary>
    Ndjson,

    /// <summary>Parquet with the columns of the table <c>events</c>; <c>properties</c> are of its type JSON. <c>mixpanel import FILE --map event=event_name --drop project_id --drop insert_id --drop received_at</c> reads it.</summary>
    Parquet,
}

/// <summary>What to write from a data folder.</summary>
public sealed record EmulatorExport
{
    /// <summary>In which form. Default: NDJSON.</summary>
    public EmulatorExportFormat Format { get; init; }

    /// <summary>The project. Default: 1, the one that every embedded Mixpanel starts with.</summary>
    public int ProjectId { get; init; } = DevelopmentCredentials.ProjectId;

    /// <summary>Only the latest of events that agree in name, time, <c>distinct_id</c> and <c>$insert_id</c>. Default: all.</summary>
    public bool Deduplicated { get; init; }
}

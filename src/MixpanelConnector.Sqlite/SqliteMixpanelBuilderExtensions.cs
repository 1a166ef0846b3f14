namespace MixpanelConnector.Sqlite;

/// <summary>Adds an outbox on SQLite to an application's tracker.</summary>
public static class SqliteMixpanelBuilderExtensions
{
    /// <summary>Keeps what is tracked in a folder until Mixpanel has it: what <c>TrackAsync</c> has completed survives the end of the process and of the machine.</summary>
    /// <param name="builder">What <c>AddMixpanel</c> gave.</param>
    /// <param name="folder">A folder for the outbox alone, on a disk of this machine; processes of one application may share it.</param>
    /// <param name="mostBytes">How many bytes this process's part may take; beyond, records are refused until some are sent. Default: 1 GB.</param>
    public static MixpanelBuilder UseSqliteOutbox(this MixpanelBuilder builder, string folder, long mostBytes = SqliteOutbox.DefaultMostBytes)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseOutbox(_ => SqliteOutbox.Open(folder, mostBytes));
    }
}

namespace MixpanelConnector.Sqlite;

/// <summary>Adds a SQLite outbox to an application's tracker.</summary>
public static class SqliteMixpanelBuilderExtensions
{
    /// <summary>
    /// Stores tracked records in a folder until Mixpanel has accepted them: once <c>TrackAsync</c> completes, they survive a process crash and a power loss.
    /// </summary>
    /// <param name="builder">The result of <c>AddMixpanel</c>.</param>
    /// <param name="folder">A folder used only for the outbox, on a local disk; processes of the same application may share it.</param>
    /// <param name="maxBytes">The maximum size of this process's part in bytes; beyond that, records are rejected until some are sent. At least
    /// 2 MB. Default: 1 GB.</param>
    /// <returns>The builder.</returns>
    public static MixpanelBuilder UseSqliteOutbox(this MixpanelBuilder builder, string folder, long maxBytes = SqliteOutbox.DefaultMaxBytes)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseOutbox(_ => SqliteOutbox.Open(folder, maxBytes));
    }
}

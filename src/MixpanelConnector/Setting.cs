namespace MixpanelConnector;

/// <summary>
/// A setting that a message refers to; <see cref="MessageWords"/> names it. As a ref struct, it cannot be put into a text that nobody has words for: that does
/// not compile.
/// </summary>
/// <param name="owner">The type that has it.</param>
/// <param name="property">The property, or the method for what only a method does.</param>
/// <param name="value">The value that is meant; null for the setting as such.</param>
readonly ref struct Setting(string owner, string property, string? value = null)
{
    public string Owner => owner;

    public string Property => property;

    public string? Value => value;

    public static Setting AllowEmpty => OfImport(nameof(ImportRequest.AllowEmpty));

    public static Setting ColumnNames => OfImport(nameof(ImportRequest.ColumnNames));

    public static Setting Columns => OfImport(nameof(ImportRequest.Columns));

    public static Setting ColumnTypes => OfImport(nameof(ImportRequest.ColumnTypes));

    public static Setting Delimiter => OfImport(nameof(ImportRequest.Delimiter));

    public static Setting Drop => OfImport(nameof(ImportRequest.Drop));

    public static Setting Encoding => OfImport(nameof(ImportRequest.Encoding));

    public static Setting FixIds => OfImport(nameof(ImportRequest.Fix)).With("ids");

    public static Setting FixTime => OfImport(nameof(ImportRequest.Fix)).With("time");

    public static Setting GroupKey => OfImport(nameof(ImportRequest.GroupKey));

    public static Setting NewIds => OfImport(nameof(ImportRequest.NewIds));

    public static Setting NoHeader => OfImport(nameof(ImportRequest.NoHeader));

    public static Setting Rename => OfImport(nameof(ImportRequest.Rename));

    public static Setting Replay => OfImport(nameof(ImportRequest.Replay));

    public static Setting Restart => OfImport(nameof(ImportRequest.Restart));

    public static Setting SkipLines => OfImport(nameof(ImportRequest.SkipLines));

    public static Setting SourceId => OfImport(nameof(ImportRequest.SourceId));

    public static Setting TimeFormat => OfImport(nameof(ImportRequest.TimeFormat));

    public static Setting TimeZone => OfImport(nameof(ImportRequest.TimeZone));

    /// <summary>The folder of a state, of MixpanelConnector.Sqlite.</summary>
    public static Setting State => new("SqliteImportState", "Open");

    public static Setting Type => OfImport(nameof(ImportRequest.Type));

    public static Setting ShowMapping => new(nameof(MixpanelClient), nameof(MixpanelClient.ShowMappingAsync));

    public static Setting StreamEvents => new(nameof(MixpanelClient), nameof(MixpanelClient.ExportAllEventsAsync));

    public override string ToString() => MessageWords.Default[this];

    public Setting With(string value) => new(Owner, Property, value);

    public static Setting OfImport(string property) => new(nameof(ImportRequest), property);

    public static Setting OfMigration(string property) => new(nameof(MigrationRequest), property);

    public static Setting OfExport(string property) => new(nameof(ExportRequest), property);

    public static Setting OfConsumer(string property) => new(nameof(ConsumeRequest), property);

    public static Setting OfQueue(string property) => new(nameof(QueueOptions), property);
}

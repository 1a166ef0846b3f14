using System.Text.Json;
using MixpanelConnector.Sqlite;

namespace MixpanelConnector.Tool;

/// <summary>The words of the command line: the settings of the library are its options.</summary>
sealed class CommandWords : MessageWords
{
    public static CommandWords Instance { get; } = new();

    public override string RunAgain => "run the same command again";

    public override string Run => "run the command";

    public override string SameRun => "the same command";

    public override string Place => "on the command line";

    public override string QueueCredentials => "MIXPANEL_QUEUE_USERNAME and MIXPANEL_QUEUE_PASSWORD, or with --queue-username and --queue-secret-file";

    public override string EmptyTable => "On the command line, --csv @FILE reads a file; importing the file with --allow-empty empties the table.";

    public override string NameOf(string type, string property, string? value = null) =>
        $"--{OptionOf(type, property)}{(value is null ? "" : IsFreeText(property) ? $" '{value}'" : $" {value}")}";

    /// <summary>The command that has a setting, with its option.</summary>
    public string Command(string type, string property, string? value = null) =>
        $"mixpanel {CommandOf(type, property)} {NameOf(type, property, value)}";

    /// <summary>The option for a setting, without its hyphens: the property's name, unless it is listed here.</summary>
    public static string OptionOf(string type, string property) => (type, property) switch
    {
        (nameof(ImportRequest), nameof(ImportRequest.Columns)) => "map",
        (nameof(ImportRequest), nameof(ImportRequest.ColumnTypes)) => "column-type",
        (nameof(MigrationRequest), nameof(MigrationRequest.Groups)) => "group",
        (nameof(MigrationRequest), nameof(MigrationRequest.TargetGroups)) => "target-group",
        (nameof(ConsumeRequest), nameof(ConsumeRequest.DeadLetterPath)) => "dead-letter",
        (nameof(QueueOptions), nameof(QueueOptions.CaFile)) => "queue-ca",
        (nameof(SqliteImportState), nameof(SqliteImportState.Open)) => "state",
        (nameof(MixpanelClient), nameof(MixpanelClient.ShowMappingAsync)) => "show-mapping N",
        (nameof(MixpanelClient), nameof(MixpanelClient.ExportAllEventsAsync)) => "all",
        _ => JsonNamingPolicy.KebabCaseLower.ConvertName(property),
    };

    static string CommandOf(string type, string property) => (type, property) switch
    {
        (nameof(ExportRequest), _) => "export",
        (nameof(MigrationRequest), _) => "migrate",
        (nameof(ConsumeRequest) or nameof(QueueOptions), _) => "consume",
        (nameof(MixpanelClient), nameof(MixpanelClient.ExportAllEventsAsync)) => "export-events",
        _ => "import",
    };

    static bool IsFreeText(string property) => property is nameof(ImportRequest.ColumnTypes) or nameof(ImportRequest.Delimiter);
}

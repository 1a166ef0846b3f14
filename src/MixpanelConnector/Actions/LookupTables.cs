using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Serialization;
using MixpanelConnector.Import.Delimited;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions for lookup tables.</summary>
static class LookupTableActions
{
    public static readonly ActionGroup Group = new("lookup-tables", "Manage the tables that map ids in events to details.", Api.Ingestion, "/lookup-tables",
        options => new LookupTablesJson(options))
    { HasEnvelope = true, Cost = RateCost.None, Keywords = "csv mapping dimension" };

    public static readonly ActionSpec<NoInput, ResultList<LookupTableInfo>> List = new(Group, "list_lookup_tables", "list-lookup-tables", Endpoint.Get());

    public static readonly ActionSpec<ReplaceLookupTableInput, ReplaceLookupTableOutput> Replace = new(Group, "replace_lookup_table", "replace-lookup-table",
        Endpoint.Put("/{table_id}") with { Fields = FieldPlace.Csv })
    {
        Does = ActionEffect.Delete,
        SafeToRepeat = "the whole table is replaced",
        Costs = RateCost.LookupTables,
        CheckInWords = static (input, words) =>
        {
            if (!HasRows(input.Csv))
                throw MixpanelException.Invalid("csv", $"csv has a header but no rows, which would empty the table. {words.EmptyTable}");
        },
        OnRefusal = RefusedRows,
        Refused = static output => output.FailedRecords is not null,
    };

    /// <summary>Whether there are rows after the header.</summary>
    static bool HasRows(string csv)
    {
        var text = Encoding.UTF8.GetBytes(csv);
        var header = new RowSplitter(new Dialect((byte)',', EndsWithReturn: true)).LengthOfRow(text, ended: true);
        return header >= 0 && !csv.AsSpan(Encoding.UTF8.GetCharCount(text.AsSpan(0, header))).IsWhiteSpace();
    }

    /// <summary>Refused rows are a result: Mixpanel left the table unchanged.</summary>
    static ReplaceLookupTableOutput? RefusedRows(Reply reply, MixpanelOptions options) =>
        ReplyClassifier.ReadLookupTable(reply, int.MaxValue, options) is { Kind: VerdictKind.Partial, Failed: { Count: > 0 } failed } verdict
            ? new() { Status = "Bad Request", Error = verdict.Error!.Message, FailedRecords = failed }
            : null;
}

/// <summary>The table, and its new contents.</summary>
public sealed record ReplaceLookupTableInput
{
    /// <summary>The id of the table.</summary>
    [RegularExpression(TextForms.Uuid)]
    public required string TableId { get; init; }

    /// <summary>The complete table as CSV (RFC 4180): names in the first row, unique ids in the first column.</summary>
    [Size(1)]
    public required string Csv { get; init; }
}

/// <summary>The outcome for the table.</summary>
public sealed record ReplaceLookupTableOutput
{
    /// <summary>"OK" when the table was replaced, else Mixpanel's word; then the table is unchanged.</summary>
    public required string Status { get; init; }

    /// <summary>Why it was refused.</summary>
    public string? Error { get; init; }

    /// <summary>The refused rows, by their position after the first row; at most ten are listed.</summary>
    public IReadOnlyList<FailedRecord>? FailedRecords { get; init; }
}

/// <summary>A lookup table, as Mixpanel lists it.</summary>
public sealed record LookupTableInfo : MixpanelObject
{
    /// <summary>The id of the table.</summary>
    public required string Id { get; init; }

    /// <summary>The name of the table.</summary>
    public required string Name { get; init; }
}

[JsonSerializable(typeof(NoInput))]
[JsonSerializable(typeof(ResultList<LookupTableInfo>))]
[JsonSerializable(typeof(ReplaceLookupTableInput))]
[JsonSerializable(typeof(ReplaceLookupTableOutput))]
sealed partial class LookupTablesJson : JsonSerializerContext;

public sealed partial class MixpanelClient
{
    /// <summary>Lists the lookup tables of the project.</summary>
    /// <example>{}</example>
    public ValueTask<ResultList<LookupTableInfo>> ListLookupTablesAsync(NoInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(LookupTableActions.List, input ?? new(), cancellationToken);

    /// <summary>Replaces all rows of a lookup table, or none of them.</summary>
    /// <remarks>Tables are created in Mixpanel's web pages. To send a file, import it as a lookup table.</remarks>
    /// <example>{"table_id":"00000000-0000-4000-8000-000000000001","csv":"id,name\nsku-1,Chair\nsku-2,Table\n"}</example>
    public ValueTask<ReplaceLookupTableOutput> ReplaceLookupTableAsync(ReplaceLookupTableInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(LookupTableActions.Replace, input, cancellationToken);
}

using System.Text.Json;

namespace MixpanelConnector.Tests.Import;

/// <summary>What tests of mappings need: imports of single records, and what becomes of these.</summary>
public abstract class MappedImport : IDisposable
{
    private protected ImportRun Run { get; } = new();

    private protected List<ImportDiagnostic> Said { get; } = [];

    public void Dispose()
    {
        Run.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static ImportMapping MappingOf(string name) => name.StartsWith('{') ? ImportMapping.Parse(name) : ImportMapping.OfVendor(name);

    private protected async Task<ImportReport> RunAsync(string mapping, ImportType type, params string[] records)
    {
        File.Delete(Run.DeadLetterPath);
        return await Run.RunAsync(Run.Request(Run.Folder.Write("input.ndjson", string.Concat(records.Select(record => record + "\n")))) with
        {
            Type = type,
            GroupKey = type is ImportType.Groups ? "company" : null,
            Mapping = MappingOf(mapping),
            Diagnostics = new Receiver(Said),
        });
    }

    /// <summary>The properties of the event that a record becomes.</summary>
    private protected async Task<JsonElement> EventAsync(string mapping, string record)
    {
        var report = await RunAsync(mapping, ImportType.Events, record);
        Assert.True(report.Accepted == 1, string.Join('\n', report.Problems));
        return JsonDocument.Parse(Run.Mixpanel.Stored[^1]).RootElement.GetProperty("properties");
    }

    private protected async Task<(string Code, string? Field, string Message)> RejectedAsync(string mapping, ImportType type, string record)
    {
        var report = await RunAsync(mapping, type, record);
        Assert.True((report.Accepted, report.Rejected) == (0, 1), record);
        var letter = Assert.Single(Run.DeadLetters());
        return (letter.GetProperty("code").GetString()!, letter.TryGetProperty("field", out var field) ? field.GetString() : null,
            letter.GetProperty("message").GetString()!);
    }

    private protected sealed class Receiver(List<ImportDiagnostic> said) : IProgress<ImportDiagnostic>
    {
        public void Report(ImportDiagnostic value)
        {
            lock (said) said.Add(value);
        }
    }
}

using MixpanelConnector.Sqlite;

namespace MixpanelConnector.Bench;

/// <summary>The import as a library: the same run with durable state and without.</summary>
static class Library
{
    public static async Task<int> RunAsync(string path, string endpoint, string? stateFolder)
    {
        using var client = new MixpanelClient(new MixpanelOptions { Endpoint = new Uri(endpoint), Token = "bench" });
        using var state = stateFolder is null ? null : SqliteImportState.Open(stateFolder);
        var report = await client.ImportAsync(new ImportRequest { Inputs = [path] }, state);
        Console.WriteLine(report.ToJson());
        foreach (var problem in report.Problems) Console.Error.WriteLine(problem);
        return (int)report.Outcome;
    }
}

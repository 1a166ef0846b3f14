using System.Text.Json;
using MixpanelConnector.Exported;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Export;

/// <summary>Fetches the list of lookup tables: names and ids, because Mixpanel does not return their rows.</summary>
/// <param name="request">The request.</param>
/// <param name="target">The target of the file.</param>
/// <param name="keeper">The manifest.</param>
/// <param name="calls">Sends the requests.</param>
/// <param name="counts">The counts of the run.</param>
/// <param name="failed">Notes a failure.</param>
sealed class LookupTableList(ExportRequest request, ExportTarget target, ManifestKeeper keeper, ExportCalls calls, ExportCounts counts,
    Func<Exception, bool> failed)
{
    /// <summary>Fetches the list; returns the number of files that already existed.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        counts.Total = 1;
        if (keeper.Manifest is { Complete: true, Files: [var there] } && await keeper.IsThereAsync(there, cancellationToken).ConfigureAwait(false))
        {
            counts.FinishedAre(1);
            return 1;
        }

        try
        {
            await keeper.RemoveAsync(keeper.Manifest.Files, cancellationToken).ConfigureAwait(false);
            await FetchAsync(cancellationToken).ConfigureAwait(false);
            await keeper.CompleteAsync(cancellationToken).ConfigureAwait(false);
            counts.Finish(1);
        }
        catch (Exception e) when (e is MixpanelException or IOException or UnauthorizedAccessException)
        {
            failed(e);
        }

        return 0;
    }

    async Task FetchAsync(CancellationToken cancellationToken)
    {
        var lines = await calls.UntilWholeAsync(
            new MixpanelRequest(HttpMethod.Get, Api.Ingestion, "/lookup-tables", AuthScheme.ServiceAccountOfProject), "The list of lookup tables",
            (reply, _) => Task.FromResult(Read(reply.Body)), reply => ReplyClassifier.ErrorOf(reply, calls.Options), cancellationToken).ConfigureAwait(false);
        counts.Read(lines.Count);
        var file = new HashedFile(await target.CreateAsync(ExportNames.LookupTables, cancellationToken).ConfigureAwait(false), ExportNames.LookupTables);
        await using (file.ConfigureAwait(false))
        {
            using (var writer = request.Format.Open(file.Content, request))
            {
                foreach (var line in lines) writer.TryWrite(line, new RecordScanner(ofEvents: false, withColumns: false));
                writer.Complete();
            }

            var isEmpty = lines.Count == 0;
            var entry = new ExportEntry
            {
                Name = isEmpty ? null : file.Name,
                Records = lines.Count,
                Joined = 0,
                Unreadable = 0,
                Bytes = isEmpty ? 0 : file.Length,
                Sha256 = isEmpty ? null : file.Hash(),
                FetchedAt = ExportCalls.Seconds(calls.Options.TimeProvider.GetUtcNow()),
            };
            if (isEmpty) await target.DeleteAsync(ExportNames.LookupTables, CancellationToken.None).ConfigureAwait(false);
            else await file.CommitAsync(CancellationToken.None).ConfigureAwait(false);
            await keeper.SetAsync(entry, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Returns a line for each table. When there is none, Mixpanel may return null instead of a list.</summary>
    /// <exception cref="NotWholeException">It is not a complete list.</exception>
    static List<byte[]> Read(ReadOnlyMemory<byte> answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            var lines = new List<byte[]>();
            if (!document.RootElement.TryGetProperty("results", out var tables)) throw new JsonException("There are no results.");
            if (tables.ValueKind is JsonValueKind.Null) return lines;
            foreach (var table in tables.EnumerateArray())
            {
                using var line = new MemoryStream();
                using (var json = new Utf8JsonWriter(line, JsonDefaults.WriterOptions))
                {
                    json.WriteStartObject();
                    foreach (var name in (string[])["id", "name"])
                    {
                        json.WritePropertyName(name);
                        table.GetProperty(name).WriteTo(json);
                    }

                    json.WriteEndObject();
                }

                lines.Add(line.ToArray());
            }

            return lines;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new NotWholeException("it is not the documented list", e);
        }
    }
}

using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace MixpanelConnector.Tool.Surfaces.Http.Imports;

/// <summary>The routes of bulk imports.</summary>
static class ImportRoutes
{
    public const string Path = "/v1/imports";

    /// <summary>Records may be long, and are shown before and after: beyond this total no more are shown.</summary>
    const int MostShownCharacters = 4 << 20;

    public static IEnumerable<Route> All()
    {
        yield return new Route(HttpMethods.Post, Path, Scope.Write, OpenApi.StartImport, StartAsync) { HasStreamedBody = true };
        yield return new Route(HttpMethods.Post, $"{Path}/inspect", Scope.Read, OpenApi.InspectImport, InspectAsync) { HasStreamedBody = true };
        yield return new Route(HttpMethods.Post, $"{Path}/show-mapping", Scope.Read, OpenApi.ShowMapping, ShowMappingAsync) { HasStreamedBody = true };
        yield return new Route(HttpMethods.Get, Path, Scope.Read, OpenApi.ListOfImports, ListAsync);
        yield return new Route(HttpMethods.Get, $"{Path}/{{id}}", Scope.Read, OpenApi.GetImport, GetAsync);
        yield return new Route(HttpMethods.Delete, $"{Path}/{{id}}", Scope.Write, OpenApi.DeleteImport, DeleteAsync);
        yield return new Route(HttpMethods.Post, $"{Path}/{{id}}/cancel", Scope.Write, OpenApi.CancelImport, CancelAsync);
        yield return new Route(HttpMethods.Post, $"{Path}/{{id}}/resume", Scope.Write, OpenApi.ResumeImport, ResumeAsync);
        yield return new Route(HttpMethods.Get, $"{Path}/{{id}}/dead-letters", Scope.Read, OpenApi.DeadLetters, DeadLettersAsync) { HasStreamedAnswer = true };
    }

    static async Task StartAsync(Services services, HttpContext context)
    {
        var request = context.Request;
        var options = OptionsOf(request);
        var caller = context.Features.GetRequiredFeature<Caller>();
        var key = Idempotency.KeyOf(request);
        // The keys of different callers are independent: equal lines from two callers are two records.
        var sourceId = key is null || services.Options.Keys.Open ? key : $"{caller.Name}:{key}";
        var (job, replayed) = await services.Imports.TakeAsync(request.Body, request.ContentLength, options, sourceId,
            key is null ? null : services.Idempotency.Name(caller, Path, key), caller, context.RequestAborted);
        if (replayed) context.Response.Headers[Idempotency.ReplayedHeader] = "true";
        context.Response.Headers.Location = $"{Path}/{job.Id}";
        await AnswerAsync(context, 202, job.ToJson());
    }

    /// <summary>Inspects a body as an import would read it; nothing of it is kept.</summary>
    static async Task InspectAsync(Services services, HttpContext context)
    {
        var options = OptionsOf(context.Request);
        var inspection = await services.Imports.LookAsync(context.Request.Body, context.Request.ContentLength, options,
            async (request, cancellationToken) => (await services.Client.InspectAsync(request, cancellationToken)).ToJson(),
            context.Features.GetRequiredFeature<Caller>(), context.RequestAborted);
        await context.Response.WriteAsync(200, Answers.Json, Encoding.UTF8.GetBytes(inspection));
    }

    /// <summary>Shows the first records of a body before and after its mapping; nothing of it is kept.</summary>
    static async Task ShowMappingAsync(Services services, HttpContext context)
    {
        var options = OptionsOf(context.Request, ImportParameters.ShowMapping);
        var count = ImportParameters.ShownOf(options, ImportParameters.ToRequest(options, ImportParameters.ShowMapping.Name));
        var shown = await services.Imports.LookAsync(context.Request.Body, context.Request.ContentLength, options, ShowAsync,
            context.Features.GetRequiredFeature<Caller>(), context.RequestAborted);
        await context.Response.WriteAsync(200, Answers.Json, Encoding.UTF8.GetBytes(shown));

        async Task<string> ShowAsync(ImportRequest request, CancellationToken cancellationToken)
        {
            string? problem = null;
            var text = new StringBuilder("""{"records":[""");
            await foreach (var record in services.Client.ShowMappingAsync(request, count, said => problem = said, cancellationToken))
            {
                if (text.Length > MostShownCharacters)
                {
                    problem = "Further records are not shown: the response would be too long. Request fewer.";
                    break;
                }

                text.Append(text[^1] == '[' ? "" : ",").Append(record.ToJson());
            }

            text.Append(']');
            if (problem is not null) text.Append(",\"problem\":").Append(JsonValue.Create(problem).ToJsonString());
            return text.Append('}').ToString();
        }
    }

    /// <summary>The options in the query, with the format from the content type.</summary>
    static JsonObject OptionsOf(HttpRequest request, params (string Name, JsonObject Schema, string Description)[] also)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !ImportParameters.ContentTypes.TryGetValue(type.MediaType.ToString(), out var format))
            throw new RefusedException(Refusal.WrongType(string.Join(", ", ImportParameters.ContentTypes.Keys)));
        if (request.Headers.ContentEncoding.ToString().ToLowerInvariant() is not ("" or "identity" or "gzip" or "zstd"))
            throw new RefusedException(Refusal.WrongType("the body uncompressed, or compressed with gzip or zstd") with { Field = "Content-Encoding" });

        var options = ImportParameters.Read(request.Query, [.. ImportParameters.All, .. also]);
        if (format is not null && !options.ContainsKey("format")) options["format"] = new JsonArray(format);
        if (ImportParameters.ArchiveExtensions.TryGetValue(type.MediaType.ToString(), out var extensions))
        {
            var name = (string?)options["name"]?[0] ?? "body";
            if (!extensions.Any(extension => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase)))
                options["name"] = new JsonArray(name + extensions[0]);
        }

        return options;
    }

    static Task ListAsync(Services services, HttpContext context) =>
        AnswerAsync(context, 200, new JsonObject { ["imports"] = new JsonArray([.. services.Imports.All.Select(job => job.ToJson())]) });

    static Task GetAsync(Services services, HttpContext context) => AnswerAsync(context, 200, Find(services, context).ToJson());

    static Task DeleteAsync(Services services, HttpContext context)
    {
        var job = Find(services, context);
        if (services.Imports.Cancel(job)) return AnswerAsync(context, 202, job.ToJson());
        if (job.Run is not null)
            throw new RefusedException(new(409, "still_running", "The import is still stopping", "Try again in a moment.") { RetryAfter = 1 });
        services.Imports.Forget(job);
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    static Task CancelAsync(Services services, HttpContext context)
    {
        Bodies.RequireJsonOrNone(context.Request);
        var job = Find(services, context);
        return services.Imports.Cancel(job)
            ? AnswerAsync(context, 202, job.ToJson())
            : throw new RefusedException(new(409, "not_running", "The import has ended", "Nothing is left to cancel. DELETE removes it."));
    }

    static Task ResumeAsync(Services services, HttpContext context)
    {
        Bodies.RequireJsonOrNone(context.Request);
        var job = Find(services, context);
        if (!services.Imports.Resume(job))
            throw new RefusedException(new(409, "not_stopped", "The import is not stopped",
                "Only an import whose status is stopped, cancelled or failed can be resumed."));
        return AnswerAsync(context, 202, job.ToJson());
    }

    static async Task DeadLettersAsync(Services services, HttpContext context)
    {
        var job = Find(services, context);
        if (!job.HasEnded)
            throw new RefusedException(new(409, "still_running", "The import is still running", "Its dead letters are available once it has ended.")
            {
                RetryAfter = 5,
            });
        // This reads a separate file handle: however slowly it is read, nobody waits for it.
        await using var letters = services.Imports.ReadDeadLetters(job);
        context.Response.ContentType = "application/x-ndjson";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"dead-letters-{job.Id}.ndjson\"";
        if (letters is null) return;
        var lines = PipeReader.Create(letters);
        while (true)
        {
            var read = await lines.ReadAsync(context.RequestAborted);
            var rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                await context.Response.Body.WriteAsync(WithoutPath(rest.Slice(0, rest.GetPosition(1, end)).ToArray(), job.Id), context.RequestAborted);
                rest = rest.Slice(rest.GetPosition(1, end));
            }

            if (read.IsCompleted) return;
            lines.AdvanceTo(rest.Start, rest.End);
            if (services.Imports.Find(job.Id) is null) context.Abort(); // it was removed: its disk space must be freed
        }
    }

    /// <summary>
    /// Removes the local path of the body, which must not be disclosed. The name of a file within an archive is the sender's own, and is kept.
    /// </summary>
    static ReadOnlyMemory<byte> WithoutPath(ReadOnlyMemory<byte> line, string import)
    {
        var start = """{"source":"""u8;
        var end = line.Span.IndexOf(","u8 + "\"line\":"u8);
        if (!line.Span.StartsWith(start) || end < 0) return line;
        var folder = Encoding.UTF8.GetBytes($"/{import}/");
        var place = line.Span[..end].IndexOf(folder);
        return (byte[])[.. start, .. "\""u8, .. place < 0 ? "body\""u8 : line.Span[(place + folder.Length)..end], .. line.Span[end..]];
    }

    static ImportJob Find(Services services, HttpContext context) =>
        services.Imports.Find((string)context.Request.RouteValues["id"]!)
            ?? throw new RefusedException(new(404, "no_such_import", "There is no such import", "GET /v1/imports lists the existing ones."));

    static Task AnswerAsync(HttpContext context, int status, JsonObject json) => context.Response.WriteAsync(status, Answers.Json, JsonText.Utf8(json));
}

using System.Buffers;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/app/data-retrievals</c> and <c>/api/app/data-deletions</c>: gives out, or really deletes, what is known about users.</summary>
sealed class GdprRequests(PersonalData data, DocumentStore documents, Accounts accounts, Quota quota, EmulatorOptions options)
{
    const string Retrieval = "data retrieval", Deletion = "data deletion";
    const int MostRetrieved = 2000, MostDeleted = 1999;
    const string Pending = "PENDING", Success = "SUCCESS", Revoked = "REVOKED";

    public async Task CreateRetrievalAsync(HttpContext context)
    {
        var project = ProjectOf(context);
        quota.TakeDeletionRequest(project.Id);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        var (ids, compliance) = (IdsOf(body, MostRetrieved), ComplianceOf(body));
        var disclosure = Enum.Parse<Disclosure>(body.OneOf("disclosure_type", nameof(Disclosure.Data), Enum.GetNames<Disclosure>()));
        if (disclosure != Disclosure.Data && compliance != "CCPA")
            throw body.Invalid("disclosure_type", "must be Data with GDPR");
        await CreateAsync(context, project, Retrieval, ids, compliance, Success, disclosure).ConfigureAwait(false);
    }

    public async Task CreateDeletionAsync(HttpContext context)
    {
        var project = ProjectOf(context);
        quota.TakeDeletionRequest(project.Id);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        var (ids, compliance) = (IdsOf(body, MostDeleted), ComplianceOf(body));
        await CreateAsync(context, project, Deletion, ids, compliance, Pending).ConfigureAwait(false);
    }

    public async Task GetRetrievalAsync(HttpContext context)
    {
        var (_, request) = Find(context, Retrieval);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteString("status", (string)request.Content["status"]!);
            json.WriteString("results", $"{context.Request.Scheme}://{context.Request.Host}/emulator/data-retrievals/{request.Id}");
            json.WritePropertyName("distinct_ids");
            request.Content["distinct_ids"]!.WriteTo(json);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    /// <summary>What a retrieval found, one record a line. Who has the link may read it, as with Mixpanel's.</summary>
    public async Task DownloadAsync(HttpContext context)
    {
        var id = (string)context.Request.RouteValues["id"]!;
        foreach (var project in accounts.Projects)
        {
            if (documents.Find(project.Id, Retrieval, id) is not { } request)
                continue;
            var lines = new ArrayBufferWriter<byte>();
            data.Write(project.Id, TextsOf(request), DisclosureOf(request), lines);
            await context.Response.BytesAsync(200, "application/x-ndjson", lines.WrittenMemory).ConfigureAwait(false);
            return;
        }
        throw new RefusedException(404, "retrieval not found");
    }

    public async Task GetDeletionAsync(HttpContext context)
    {
        var (project, request) = Find(context, Deletion);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteString("tracking_id", request.Id);
            json.WriteString("status", (string)request.Content["status"]!);
            json.WriteString("requesting_user", (string)request.Content["requesting_user"]!);
            json.WriteString("compliance_type", (string)request.Content["compliance_type"]!);
            json.WriteNumber("project_id", project.Id);
            json.WriteString("date_requested", (string)request.Content["date_requested"]!);
            json.WritePropertyName("distinct_ids");
            request.Content["distinct_ids"]!.WriteTo(json);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    /// <summary>Takes a deletion back, as long as it has not begun.</summary>
    public async Task CancelAsync(HttpContext context)
    {
        var (project, request) = Find(context, Deletion);
        if (!await SetStatusAsync(project.Id, request.Id, Revoked, context.RequestAborted).ConfigureAwait(false))
            throw new RefusedException(405, "the deletion has begun");
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Goes on with the deletions that were asked for before this process.</summary>
    public void Resume()
    {
        foreach (var project in accounts.Projects)
        {
            foreach (var request in documents.List(project.Id, Deletion).Where(request => (string?)request.Content["status"] == Pending))
                Schedule(project.Id, request);
        }
    }

    static IReadOnlyList<string> TextsOf(Document request) => [.. request.Content["distinct_ids"]!.AsArray().Select(id => (string)id!)];

    static Disclosure DisclosureOf(Document request) =>
        Enum.TryParse<Disclosure>((string?)request.Content["disclosure_type"], out var disclosure) ? disclosure : Disclosure.Data;

    static IReadOnlyList<string> IdsOf(JsonBody body, int most)
    {
        var ids = body.Texts("distinct_ids");
        return ids.Count >= 1 && ids.Count <= most ? ids : throw body.Invalid("distinct_ids", $"must have 1 to {most} ids");
    }

    static string ComplianceOf(JsonBody body) => body.OneOf("compliance_type", "GDPR", "GDPR", "CCPA");

    Project ProjectOf(HttpContext context)
    {
        if (!Access.IsBearer(context))
            throw RefusedException.BadCredentials();
        return accounts.ProjectOfToken(context.Request.Query["token"].ToString()) ?? throw new RefusedException(403, "no project with this token");
    }

    (Project Project, Document Request) Find(HttpContext context, string kind)
    {
        var project = ProjectOf(context);
        quota.TakeDeletionRequest(project.Id);
        return (project, documents.Find(project.Id, kind, (string)context.Request.RouteValues["id"]!) ?? throw new RefusedException(404, "request not found"));
    }

    async Task CreateAsync(HttpContext context, Project project, string kind, IReadOnlyList<string> ids, string compliance, string status, Disclosure? disclosure = null)
    {
        var request = new Document(Guid.NewGuid().ToString(), new JsonObject
        {
            ["status"] = status,
            ["compliance_type"] = compliance,
            ["requesting_user"] = DevelopmentCredentials.ServiceAccountUsername,
            ["date_requested"] = options.TimeProvider.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            ["disclosure_type"] = disclosure?.ToString(),
            ["distinct_ids"] = new JsonArray([.. ids.Select(id => JsonValue.Create(id))]),
        });
        await documents.ChangeAsync(
            project.Id, kind,
            all =>
            {
                all.Add(request.Id, request.Content);
                return true;
            },
            context.RequestAborted).ConfigureAwait(false);
        if (kind == Deletion && options.DeletionDelay > TimeSpan.Zero)
            Schedule(project.Id, request);
        else if (kind == Deletion)
            await DeleteAsync(project.Id, request).ConfigureAwait(false);
        await context.Response.ResultsAsync(201, json =>
        {
            json.WriteStartObject();
            json.WriteString("task_id", request.Id);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    void Schedule(int projectId, Document request)
    {
        ITimer? timer = null;
        timer = options.TimeProvider.CreateTimer(
            _ =>
            {
                timer?.Dispose();
                // Nobody waits: the state of the request tells what became of it.
                _ = DeleteAsync(projectId, request);
            },
            null, options.DeletionDelay, Timeout.InfiniteTimeSpan);
    }

    async Task DeleteAsync(int projectId, Document request)
    {
        if (await SetStatusAsync(projectId, request.Id, "STARTED", CancellationToken.None).ConfigureAwait(false))
        {
            await data.DeleteAsync(projectId, TextsOf(request), CancellationToken.None).ConfigureAwait(false);
            await SetStatusAsync(projectId, request.Id, Success, CancellationToken.None, from: "STARTED").ConfigureAwait(false);
        }
    }

    Task<bool> SetStatusAsync(int projectId, string id, string status, CancellationToken cancellationToken, string from = Pending) => documents.ChangeAsync(
        projectId, Deletion,
        all =>
        {
            if (!all.TryGetValue(id, out var content) || (string?)content["status"] != from)
                return false;
            content["status"] = status;
            return true;
        },
        cancellationToken);
}

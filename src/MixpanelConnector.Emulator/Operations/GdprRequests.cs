using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/app/data-retrievals</c> and <c>/api/app/data-deletions</c>: retrieves or actually deletes the data about users.</summary>
sealed class GdprRequests(PersonalData data, DocumentStore documents, Accounts accounts, Quota quota, EmulatorOptions options)
{
    const string Retrieval = "data retrieval", Deletion = "data deletion";
    const int MostRetrieved = 2000, MostDeleted = 1999;
    const string Pending = "PENDING", Started = "STARTED", Success = "SUCCESS", Failure = "FAILURE", Revoked = "REVOKED";

    /// <summary>The maximum duration of a timer, which is then set again.</summary>
    static readonly TimeSpan LongestWait = TimeSpan.FromDays(30);

    readonly ConcurrentDictionary<string, ITimer> _waiting = new(StringComparer.Ordinal);

    /// <summary>Deletions that failed in this process, in case the store cannot record that either.</summary>
    readonly ConcurrentDictionary<string, bool> _failed = new(StringComparer.Ordinal);

    public async Task CreateRetrievalAsync(HttpContext context)
    {
        var project = ProjectOf(context);
        quota.TakeDeletionRequest(project.Id);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        var (ids, compliance) = (IdsOf(body, MostRetrieved), ComplianceOf(body));
        var disclosure = Enum.Parse<Disclosure>(body.OneOf("disclosure_type", nameof(Disclosure.Data), Enum.GetNames<Disclosure>()));
        if (disclosure != Disclosure.Data && compliance != "CCPA") throw body.Invalid("disclosure_type", "must be Data with GDPR");
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

    /// <summary>The result of a retrieval, one record per line. Anybody who has the link may read it, as with Mixpanel's.</summary>
    public async Task DownloadAsync(HttpContext context)
    {
        var id = (string)context.Request.RouteValues["id"]!;
        foreach (var project in accounts.Projects)
        {
            if (documents.Find(project.Id, Retrieval, id) is not { } request) continue;
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
            json.WriteString("status", _failed.ContainsKey(request.Id) ? Failure : (string)request.Content["status"]!);
            json.WriteString("requesting_user", (string)request.Content["requesting_user"]!);
            json.WriteString("compliance_type", (string)request.Content["compliance_type"]!);
            json.WriteNumber("project_id", project.Id);
            json.WriteString("date_requested", (string)request.Content["date_requested"]!);
            json.WritePropertyName("distinct_ids");
            request.Content["distinct_ids"]!.WriteTo(json);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    /// <summary>Cancels a deletion that has not started.</summary>
    public async Task CancelAsync(HttpContext context)
    {
        var (project, request) = Find(context, Deletion);
        if ((string?)request.Content["status"] == Revoked) throw new RefusedException(405, "the deletion was cancelled before");
        if (DueOf(request) <= options.TimeProvider.GetUtcNow()
            || !await SetStatusAsync(project.Id, request.Id, Revoked, context.RequestAborted).ConfigureAwait(false))
            throw new RefusedException(405, "the deletion has begun");
        Forget(request.Id);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>
    /// Continues deletions that were requested before this process: pending ones after the rest of their delay, and those that were interrupted.
    /// </summary>
    public void Resume()
    {
        foreach (var project in accounts.Projects)
        {
            foreach (var request in documents.List(project.Id, Deletion).Where(request => (string?)request.Content["status"] is Pending or Started))
                Schedule(project.Id, request);
        }
    }

    /// <summary>Restarts the timers of pending deletions after the clock was changed.</summary>
    public void Rearm()
    {
        foreach (var project in accounts.Projects)
        {
            foreach (var request in documents.List(project.Id, Deletion).Where(request => _waiting.ContainsKey(request.Id)))
                Wake(project.Id, request);
        }
    }

    /// <summary>Leaves pending deletions to the next process.</summary>
    public void Stop()
    {
        foreach (var id in _waiting.Keys)
            Forget(id);
    }

    static IReadOnlyList<string> TextsOf(Document request) => [.. request.Content["distinct_ids"]!.AsArray().Select(id => (string)id!)];

    static Disclosure DisclosureOf(Document request) =>
        Enum.TryParse<Disclosure>((string?)request.Content["disclosure_type"], out var disclosure) ? disclosure : Disclosure.Data;

    static IReadOnlyList<string> IdsOf(JsonBody body, int most)
    {
        var ids = body.Texts("distinct_ids");
        if (ids.Contains("", StringComparer.Ordinal)) throw body.Invalid("distinct_ids", "must not hold an empty id");
        return ids.Count >= 1 && ids.Count <= most ? ids : throw body.Invalid("distinct_ids", $"must have 1 to {most} ids");
    }

    static string ComplianceOf(JsonBody body) => body.OneOf("compliance_type", "GDPR", "GDPR", "CCPA");

    Project ProjectOf(HttpContext context)
    {
        if (!Access.IsBearer(context)) throw RefusedException.BadCredentials();
        return accounts.ProjectOfToken(context.Request.Query["token"].ToString(), context.Region())
            ?? throw new RefusedException(403, "no project with this token");
    }

    (Project Project, Document Request) Find(HttpContext context, string kind)
    {
        var project = ProjectOf(context);
        quota.TakeDeletionRequest(project.Id);
        return (project, documents.Find(project.Id, kind, (string)context.Request.RouteValues["id"]!) ?? throw new RefusedException(404, "request not found"));
    }

    async Task CreateAsync(HttpContext context, Project project, string kind, IReadOnlyList<string> ids, string compliance, string status,
        Disclosure? disclosure = null)
    {
        var request = new Document(Guid.NewGuid().ToString(), new JsonObject
        {
            ["status"] = status,
            ["compliance_type"] = compliance,
            ["requesting_user"] = DevelopmentCredentials.ServiceAccountUsername,
            ["date_requested"] = options.TimeProvider.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            ["disclosure_type"] = disclosure?.ToString(),
            ["due"] = kind == Deletion ? (options.TimeProvider.GetUtcNow() + options.DeletionDelay).ToString("O", CultureInfo.InvariantCulture) : null,
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
        if (kind == Deletion && options.DeletionDelay > TimeSpan.Zero) Schedule(project.Id, request);
        else if (kind == Deletion) await DeleteAsync(project.Id, request).ConfigureAwait(false);
        await context.Response.ResultsAsync(201, json =>
        {
            json.WriteStartObject();
            json.WriteString("task_id", request.Id);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    void Schedule(int projectId, Document request)
    {
        var timer = options.TimeProvider.CreateTimer(_ => Wake(projectId, request), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _waiting[request.Id] = timer;
        timer.Change(WaitOf(request), Timeout.InfiniteTimeSpan);
    }

    void Wake(int projectId, Document request)
    {
        if (!_waiting.TryGetValue(request.Id, out var timer)) return;
        if (WaitOf(request) is var wait && wait > TimeSpan.Zero)
        {
            timer.Change(wait, Timeout.InfiniteTimeSpan);
            return;
        }
        Forget(request.Id);
        _ = DeleteInBackgroundAsync(projectId, request);
    }

    void Forget(string id)
    {
        if (_waiting.TryRemove(id, out var timer)) timer.Dispose();
    }

    TimeSpan WaitOf(Document request)
    {
        var wait = DueOf(request) - options.TimeProvider.GetUtcNow();
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait < LongestWait ? wait : LongestWait;
    }

    /// <summary>The time of a deletion: as reported when it was requested, whatever the delay is now.</summary>
    DateTimeOffset DueOf(Document request) =>
        (string?)request.Content["due"] is { } due ? DateTimeOffset.Parse(due, CultureInfo.InvariantCulture)
        : DateTimeOffset.Parse((string)request.Content["date_requested"]!, CultureInfo.InvariantCulture) + options.DeletionDelay;

    /// <summary>Nobody awaits this: the outcome is reported by the status of the request.</summary>
    async Task DeleteInBackgroundAsync(int projectId, Document request)
    {
        try
        {
            await DeleteAsync(projectId, request).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // DeleteAsync has stored it as the request's status.
        }
    }

    async Task DeleteAsync(int projectId, Document request)
    {
        try
        {
            if (!await SetStatusAsync(projectId, request.Id, Started, CancellationToken.None).ConfigureAwait(false)
                && (string?)documents.Find(projectId, Deletion, request.Id)?.Content["status"] != Started)
                return;
            await data.DeleteAsync(projectId, TextsOf(request), CancellationToken.None).ConfigureAwait(false);
            await SetStatusAsync(projectId, request.Id, Success, CancellationToken.None, from: Started).ConfigureAwait(false);
        }
        catch (Exception)
        {
            _failed[request.Id] = true;
            await SetStatusAsync(projectId, request.Id, Failure, CancellationToken.None, from: Started).ConfigureAwait(false);
            throw;
        }
    }

    Task<bool> SetStatusAsync(int projectId, string id, string status, CancellationToken cancellationToken, string from = Pending) => documents.ChangeAsync(
        projectId, Deletion,
        all =>
        {
            if (!all.TryGetValue(id, out var content) || (string?)content["status"] != from) return false;
            content["status"] = status;
            return true;
        },
        cancellationToken);
}

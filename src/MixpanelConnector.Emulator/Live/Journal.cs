using System.Globalization;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Operations.Control;

namespace MixpanelConnector.Emulator.Live;

/// <summary>The latest requests, their responses, and the outcome of their records. Requests about the emulator itself are not included.</summary>
/// <param name="time">The clock.</param>
/// <param name="instance">The id of this instance, which identifies its own requests.</param>
sealed class Journal(TimeProvider time, string instance)
{
    const int MostRequests = 10_000;
    const int MostNotKept = 100;

    /// <summary>The maximum size of records that were not stored; those of older requests are discarded.</summary>
    const long MostCharacters = 16 << 20;

    static readonly object Ended = new(), Own = new();

    readonly Lock _lock = new();
    readonly LinkedList<ReceivedRequest> _requests = new();
    LinkedListNode<ReceivedRequest>? _oldestWithRecords;
    long _characters;
    long _last;

    public IReadOnlyList<ReceivedRequest> All
    {
        get
        {
            lock (_lock)
                return [.. _requests];
        }
    }

    /// <summary>Whether the server sent the request to itself.</summary>
    public static bool IsOurs(HttpContext context) => context.Items.ContainsKey(Own);

    /// <summary>Notes that the connection was closed without a response.</summary>
    public static void MarkEnded(HttpContext context) => context.Items[Ended] = true;

    /// <summary>Notes that the whole request was rejected.</summary>
    public static void MarkRefused(HttpContext context, string error) => NoteOf(context).Error = error;

    /// <summary>Notes the project of a request that does not name it in its address.</summary>
    public static void MarkProject(HttpContext context, int project) => NoteOf(context).Projects = [project];

    /// <summary>Notes the outcome of the request's records.</summary>
    /// <param name="context">The request.</param>
    /// <param name="received">The number of records received.</param>
    /// <param name="projects">The projects that they went to.</param>
    /// <param name="notKept">The records that were not stored.</param>
    public static void MarkJudged(HttpContext context, int received, IEnumerable<int> projects, IReadOnlyList<Rejection> notKept)
    {
        var note = NoteOf(context);
        note.Records = new ReceivedRecords(
            received, received - notKept.Count,
            [.. notKept.OrderBy(rejection => rejection.Index)
                .Take(MostNotKept)
                .Select(rejection => new RecordNotKept(rejection.Index, rejection.Fault.Where, rejection.Fault.Message, rejection.IsTold, rejection.Record))]);
        note.Projects = [.. projects.Concat(notKept.Select(rejection => rejection.ProjectId).OfType<int>()).Distinct().Order()];
    }

    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        var at = time.GetUtcNow();
        if (context.Request.Headers[Seeding.Header] == instance) context.Items[Own] = true;
        if (IsOurs(context) || context.Request.Path.StartsWithSegments("/emulator", StringComparison.Ordinal) || context.Request.Path == "/healthz")
        {
            await next(context).ConfigureAwait(false);
            return;
        }

        // Added before the first byte of the response, so that a client that has its response finds the request here.
        LinkedListNode<ReceivedRequest>? added = null;
        context.Response.OnStarting(() =>
        {
            added ??= Add(context, at);
            return Task.CompletedTask;
        });
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            if (added is null) added = Add(context, at);
            else if (HasEnded(context)) NoteNoResponse(added);
        }
    }

    /// <summary>Discards all requests, or those that concern only one project.</summary>
    public void Forget(int? projectId = null)
    {
        lock (_lock)
        {
            for (var node = _requests.First; node is not null;)
            {
                var next = node.Next;
                if (projectId is null || (node.Value.ProjectIds is [var only] && only == projectId)) Remove(node);
                node = next;
            }
            if (projectId is null) _last = 0;
        }
    }

    static Note NoteOf(HttpContext context)
    {
        if (context.Items.TryGetValue(typeof(Note), out var there)) return (Note)there!;
        var note = new Note();
        context.Items[typeof(Note)] = note;
        return note;
    }

    static int[] ProjectsOf(HttpContext context) =>
        int.TryParse((string?)(context.Request.RouteValues["project"] ?? context.Request.RouteValues["workspace"]) ?? context.Request.Query["project_id"],
            NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? [id]
            : [];

    static long SizeOf(ReceivedRequest request) =>
        request.Records?.NotKept.Sum(record => 64L + record.Record.Length + record.Reason.Length + record.Field.Length) ?? 0;

    static bool HasEnded(HttpContext context) => context.Items.ContainsKey(Ended) || context.RequestAborted.IsCancellationRequested;

    void NoteNoResponse(LinkedListNode<ReceivedRequest> node)
    {
        lock (_lock) node.Value = node.Value with { Status = null };
    }

    LinkedListNode<ReceivedRequest> Add(HttpContext context, DateTimeOffset at)
    {
        var note = context.Items.TryGetValue(typeof(Note), out var there) ? (Note)there! : null;
        var request = new ReceivedRequest(context.Request.Method, context.Request.Path, context.Request.QueryString.ToString(),
            HasEnded(context) ? null : context.Response.StatusCode, at)
        {
            Host = context.Request.Host.Value ?? "",
            ProjectIds = note?.Projects ?? ProjectsOf(context),
            Records = note?.Records,
            Error = note?.Error,
        };
        lock (_lock)
        {
            if (_requests.Count == MostRequests) Remove(_requests.First!);
            var node = _requests.AddLast(request with { Number = ++_last });
            _characters += SizeOf(request);
            if (request.Records is not null) _oldestWithRecords ??= node;
            while (_characters > MostCharacters && _oldestWithRecords is { } oldest && oldest != node)
                ForgetRecords(oldest);
            return node;
        }
    }

    void Remove(LinkedListNode<ReceivedRequest> node)
    {
        if (node == _oldestWithRecords) _oldestWithRecords = NextWithRecords(node);
        _characters -= SizeOf(node.Value);
        _requests.Remove(node);
    }

    void ForgetRecords(LinkedListNode<ReceivedRequest> node)
    {
        _oldestWithRecords = NextWithRecords(node);
        _characters -= SizeOf(node.Value);
        node.Value = node.Value with { Records = node.Value.Records! with { NotKept = [] } };
    }

    static LinkedListNode<ReceivedRequest>? NextWithRecords(LinkedListNode<ReceivedRequest> node)
    {
        var next = node.Next;
        while (next is not null && next.Value.Records is null)
            next = next.Next;
        return next;
    }

    sealed class Note
    {
        public ReceivedRecords? Records { get; set; }

        public IReadOnlyList<int>? Projects { get; set; }

        public string? Error { get; set; }
    }
}

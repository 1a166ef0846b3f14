using System.Globalization;
using System.IO.Hashing;
using System.Text;
using MixpanelConnector.Exported;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Export;

/// <summary>
/// Fetches user or group profiles, page after page of one session. They are complete when their number is the one on the first page,
/// and each id occurred once. Otherwise, and when the session has expired, it starts over at page 0, in new files.
/// </summary>
/// <param name="request">The request.</param>
/// <param name="target">The target of the files.</param>
/// <param name="keeper">The manifest.</param>
/// <param name="calls">Sends the requests.</param>
/// <param name="counts">The counts of the run.</param>
/// <param name="failed">Notes a failure.</param>
sealed class ProfilePages(ExportRequest request, ExportTarget target, ManifestKeeper keeper, ExportCalls calls, ExportCounts counts,
    Func<Exception, bool> failed)
{
    const int PagesPerFile = 50, MostStarts = 5;

    /// <summary>The maximum size of an answer.</summary>
    const int LargestPage = 20 << 20;

    readonly RecordScanner _scanner = new(ofEvents: false, request.Format.HasColumns);

    /// <summary>Fetches the profiles; returns the number of files that already existed.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        counts.Begin();
        try
        {
            return await RunToEndAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is MixpanelException or IOException or UnauthorizedAccessException)
        {
            failed(e);
            return 0;
        }
        finally
        {
            counts.End();
        }
    }

    async Task<int> RunToEndAsync(CancellationToken cancellationToken)
    {
        var isSound = true;
        foreach (var entry in keeper.Manifest.Files) isSound &= await keeper.IsThereAsync(entry, cancellationToken).ConfigureAwait(false);
        var session = ProfileSession.Open(request.State, target.PathOf(""), keeper.Manifest.Records);
        if (isSound && keeper.Manifest.Complete)
        {
            session.End();
            return keeper.Manifest.Files.Count;
        }

        if (!isSound || session.Pages == 0) await ForgetAsync(session, cancellationToken).ConfigureAwait(false);
        var resumed = keeper.Manifest.Files.Count;
        for (var starts = 1; ; starts++)
        {
            try
            {
                await FetchAsync(session, cancellationToken).ConfigureAwait(false);
                await keeper.CompleteAsync(cancellationToken).ConfigureAwait(false);
                session.End();
                return resumed;
            }
            catch (SessionException e)
            {
                resumed = 0;
                await ForgetAsync(session, cancellationToken).ConfigureAwait(false);
                if (starts == MostStarts)
                    throw new MixpanelException(
                        new(ErrorKind.Unavailable,
                            $"The export of profiles was started {MostStarts} times and never completed: {e.Message}. {calls.Options.Words.RunAgainAtStart}."),
                        e);
                var wait = Backoff.Delay(starts, calls.Options.BackoffMin, calls.Options.BackoffMax, null, calls.Options.Randomizer());
                request.Notices?.Report(string.Create(CultureInfo.InvariantCulture,
                    $"The export of profiles restarts at the first page in {wait.TotalSeconds:0.#} s: {e.Message}."));
                await counts.WaitAsync(wait, calls.Options.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    async Task ForgetAsync(ProfileSession session, CancellationToken cancellationToken)
    {
        var files = keeper.Manifest.Files;
        await keeper.RemoveAsync(files, cancellationToken).ConfigureAwait(false);
        await keeper.DeleteAsync(files, cancellationToken).ConfigureAwait(false);
        session.End();
    }

    /// <summary>Fetches the missing pages of a session, or of a new one.</summary>
    async Task FetchAsync(ProfileSession session, CancellationToken cancellationToken)
    {
        var next = keeper.Manifest.Files.Sum(file => file.Pages ?? 0);
        if (session.Pages == 0) await calls.TellNeedAsync(1, CallKind.Query, cancellationToken, " at least (the first returns how many)").ConfigureAwait(false);
        else if (next < session.Pages) await calls.TellNeedAsync(session.Pages - next, CallKind.Query, cancellationToken).ConfigureAwait(false);
        counts.FinishedAre(next);
        while (next == 0 || next < session.Pages) next = await FetchFileAsync(session, next, cancellationToken).ConfigureAwait(false);
        if (keeper.Manifest.Records != session.Total)
            throw new SessionException(string.Create(CultureInfo.InvariantCulture, $"{keeper.Manifest.Records} of {session.Total} were received"));
    }

    /// <summary>Fetches the pages of one file; returns the number of the page after them.</summary>
    async Task<int> FetchFileAsync(ProfileSession session, int first, CancellationToken cancellationToken)
    {
        var name = ExportNames.OfPages(first, request);
        var file = new HashedFile(await target.CreateAsync(name, cancellationToken).ConfigureAwait(false), name);
        await using (file.ConfigureAwait(false))
        {
            var now = calls.Options.TimeProvider.GetUtcNow();
            var (page, records, ids) = (first, 0L, new List<ulong>());
            using (var writer = request.Format.Open(file.Content, request))
            {
                do
                {
                    records += await FetchPageAsync(session, page++, writer, ids, cancellationToken).ConfigureAwait(false);
                    counts.Finish(1);
                }
                while (page < session.Pages && page < first + PagesPerFile);
                writer.Complete();
            }

            var isEmpty = records == 0;
            var entry = new ExportEntry
            {
                Name = isEmpty ? null : name,
                FirstPage = first,
                Pages = page - first,
                Records = records,
                Joined = 0,
                Unreadable = 0,
                Bytes = isEmpty ? 0 : file.Length,
                Sha256 = isEmpty ? null : file.Hash(),
                FetchedAt = ExportCalls.Seconds(now),
            };
            session.Keep(ids);
            if (!isEmpty) await file.CommitAsync(CancellationToken.None).ConfigureAwait(false);
            await keeper.SetAsync(entry, CancellationToken.None).ConfigureAwait(false);
            return page;
        }
    }

    /// <summary>Writes a page; returns its number of profiles.</summary>
    async Task<int> FetchPageAsync(ProfileSession session, int number, ExportWriter writer, List<ulong> ids, CancellationToken cancellationToken)
    {
        var body = default(ReadOnlyMemory<byte>);
        var page = await calls.UntilWholeAsync(
            RequestOf(session, number), string.Create(CultureInfo.InvariantCulture, $"Page {number} of the profiles"),
            async (reply, token) =>
            {
                body = await UnpackedAsync(reply.Body, token).ConfigureAwait(false);
                var read = ProfilePage.Read(body.Span);
                EnsureWhole(read, number, body.Span);
                return read;
            },
            reply => number > 0 && reply is { Status: 400, IsUnavailable: false }
                ? throw new SessionException("the session has expired")
                : ReplyClassifier.ErrorOf(reply, calls.Options),
            cancellationToken).ConfigureAwait(false);
        if (number == 0)
        {
            if (page is not { PageSize: > 0 and var size, Total: >= 0 and var total })
                throw new MixpanelException(new(ErrorKind.Protocol, "Mixpanel's first page of profiles lacks the total or the page size."));
            session.Begin(page.SessionId, size, total);
            counts.Total = Math.Max(1, session.Pages);
            if (session.Pages > 1 && string.IsNullOrEmpty(session.Id))
                throw new MixpanelException(new(ErrorKind.Protocol,
                    "Mixpanel returned the first of several pages without the session_id that the next one requires."));
            if (session.Pages > 1) await calls.TellNeedAsync(session.Pages - 1, CallKind.Query, cancellationToken, " more").ConfigureAwait(false);
        }
        else
        {
            counts.Total = session.Pages;
            if (page.Total is { } total && total != session.Total)
                throw new SessionException(string.Create(CultureInfo.InvariantCulture,
                    $"page {number} has a total of {total}, and the first page had {session.Total}"));
            session.Continue(page.SessionId);
        }

        var expected = Math.Min(session.PageSize, session.Total - ((long)number * session.PageSize));
        if (page.Profiles.Count != expected)
            throw new SessionException(string.Create(CultureInfo.InvariantCulture,
                $"page {number} has {Counted.Of(page.Profiles.Count, "profile")} instead of {expected}"));
        foreach (var place in page.Profiles) Write(place.In(body.Span), number, session, writer, ids);
        counts.Read(page.Profiles.Count);
        counts.Received(body.Length);
        return page.Profiles.Count;
    }

    /// <summary>Returns the answer decompressed; the compressed data must be complete.</summary>
    static async ValueTask<ReadOnlyMemory<byte>> UnpackedAsync(ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        if (body.Span is not [0x1f, 0x8b, ..]) return body;
        using var packed = new MemoryStream(body.ToArray());
        using var source = new GzipByteSource(new StreamByteSource(packed));
        using var unpacked = new MemoryStream();
        var block = new byte[64 << 10];
        try
        {
            while (await source.ReadAsync(block, cancellationToken).ConfigureAwait(false) is var read and > 0)
            {
                unpacked.Write(block, 0, read);
                if (unpacked.Length > LargestPage)
                    throw new MixpanelException(new(ErrorKind.Protocol,
                        $"A page of profiles has more than {LargestPage >> 20} MB. Check the endpoint and the region."));
            }
        }
        catch (InputException e)
        {
            throw new NotWholeException(e.Message, e);
        }

        return unpacked.GetBuffer().AsMemory(0, (int)unpacked.Length);
    }

    /// <exception cref="NotWholeException">It is another page, or something on it is not a profile.</exception>
    void EnsureWhole(ProfilePage page, int number, ReadOnlySpan<byte> body)
    {
        if (page.Number is { } said && said != number) throw new NotWholeException(string.Create(CultureInfo.InvariantCulture, $"it is page {said}"));
        for (var i = 0; i < page.Profiles.Count; i++)
            if (!_scanner.TryRead(page.Profiles[i].In(body)))
                throw new NotWholeException(string.Create(CultureInfo.InvariantCulture, $"item {i + 1} of it is not a profile with an id and properties"));
    }

    void Write(ReadOnlySpan<byte> profile, int page, ProfileSession session, ExportWriter writer, List<ulong> ids)
    {
        if (profile.Contains((byte)'\n')) profile = profile.ToArray().Where(text => text != '\n').ToArray(); // between the members: no JSON string contains one
        _scanner.TryRead(profile);
        var id = XxHash64.HashToUInt64(RecordScanner.TextOf(_scanner.Id.In(profile)));
        if (!session.Ids.Add(id)) throw new SessionException(string.Create(CultureInfo.InvariantCulture, $"page {page} repeats an earlier profile"));
        ids.Add(id);
        if (!writer.TryWrite(profile, _scanner))
            throw new MixpanelException(new(ErrorKind.Protocol,
                string.Create(CultureInfo.InvariantCulture,
                    $"Page {page} has a profile with more than its id and properties, for which {request.Format} has no columns: export NDJSON.")));
    }

    MixpanelRequest RequestOf(ProfileSession session, int page)
    {
        var form = new StringBuilder();
        Add("where", request.Where);
        Add("data_group_id", request.DataGroupId);
        if (page > 0) Add("session_id", session.Id);
        Add("page", page.ToString(CultureInfo.InvariantCulture));
        var asked = new MixpanelRequest(HttpMethod.Post, Api.Query, "/api/query/engage", AuthScheme.ServiceAccountOfProject)
        {
            IsRepeatable = true,
            IsUndecoded = true,
            Counts = CallKind.Query,
            Body = new RequestBody(Encoding.UTF8.GetBytes(form.ToString()), "application/x-www-form-urlencoded"),
        };
        return request.WorkspaceId is { } view ? asked.With("workspace_id", view) : asked;

        void Add(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value)) form.Append(form.Length > 0 ? "&" : "").Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }
    }

    /// <summary>The session does not return a complete set of profiles.</summary>
    sealed class SessionException(string message) : Exception(message);
}

using System.Text;
using System.Text.Json;
using MixpanelConnector.Exported;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Export;

/// <summary>A completely downloaded day, in files that are not in their final places yet.</summary>
sealed record FetchedDay(ExportEntry Entry, HashedFile? File, HashedFile? Unreadable) : IAsyncDisposable
{
    /// <summary>Moves its files to their final places. Its manifest entry must be written afterwards, not before.</summary>
    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        if (Unreadable is not null) await Unreadable.CommitAsync(cancellationToken).ConfigureAwait(false);
        if (File is not null) await File.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (File is not null) await File.DisposeAsync().ConfigureAwait(false);
        if (Unreadable is not null) await Unreadable.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>
/// Downloads a day of events into a file, and verifies that it is complete: status 200, the end of the answer, the gzip trailer, each line a record, and each
/// record of this day. Only one line and the writer's buffers are in memory.
/// </summary>
/// <param name="request">The request.</param>
/// <param name="target">The target of the files.</param>
/// <param name="calls">Sends the requests.</param>
/// <param name="counts">The counts of the run.</param>
sealed class DayDownload(ExportRequest request, ExportTarget target, ExportCalls calls, ExportCounts counts)
{
    const int FirstBuffer = 256 << 10;

    /// <summary>Mixpanel accepts events of less than 1 MB.</summary>
    const int LongestLine = 4 << 20;

    /// <summary>The longest time without data before a connection counts as broken.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <exception cref="MixpanelException">Mixpanel refuses it, or it was incomplete after all attempts.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public Task<FetchedDay> FetchAsync(DateOnly day, CancellationToken cancellationToken)
    {
        var known = new HashSet<ulong>();
        return calls.UntilWholeAsync(
            RequestOf(day), ExportNames.Of(day),
            (reply, token) => ReadAsync(reply.Opened!, day, known, token),
            reply => ReplyClassifier.ExportError(reply, calls.Options), cancellationToken);
    }

    MixpanelRequest RequestOf(DateOnly day)
    {
        var asked = new MixpanelRequest(HttpMethod.Get, Api.Export, "/api/2.0/export", AuthScheme.ServiceAccountOfProject)
        {
            IsStreamed = true,
            IsUndecoded = true,
            Counts = CallKind.Export,
        }
            .With("from_date", ExportNames.Of(day)).With("to_date", ExportNames.Of(day)).With("time_in_ms", "true");
        if (request.Event.Count > 0) asked = asked.With("event", Encoding.UTF8.GetString(EventNames(request.Event)));
        return string.IsNullOrEmpty(request.Where) ? asked : asked.With("where", request.Where);
    }

    static byte[] EventNames(IReadOnlyList<string> names)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartArray();
            foreach (var name in names) json.WriteStringValue(name);
            json.WriteEndArray();
        }

        return text.ToArray();
    }

    async Task<FetchedDay> ReadAsync(HttpResponseMessage response, DateOnly day, HashSet<ulong> known, CancellationToken cancellationToken)
    {
        using var answer = response;
        var now = calls.Options.TimeProvider.GetUtcNow();
        using var source = await OpenAsync(response, cancellationToken).ConfigureAwait(false);
        var file =
            new HashedFile(await target.CreateAsync(ExportNames.OfDay(day, request), cancellationToken).ConfigureAwait(false), ExportNames.OfDay(day, request));
        HashedFile? unreadable = null;
        var isKept = false;
        try
        {
            DayLines lines;
            using (var writer = request.Format.Open(file.Content, request))
            {
                lines = new DayLines(day, new RecordScanner(ofEvents: true, request.Format.HasColumns), writer);
                await ReadLinesAsync(source, lines, KeepUnreadableAsync, cancellationToken).ConfigureAwait(false);
                writer.Complete();
            }

            if (!known.IsSupersetOf(lines.Hashes))
            {
                known.UnionWith(lines.Hashes);
                throw new NotWholeException($"{Counted.Of(lines.Unreadable, "line is not a record", "lines are not records")}");
            }

            isKept = true;
            var isEmpty = lines.Records == 0;
            var entry = new ExportEntry
            {
                Name = isEmpty ? null : file.Name,
                Day = day,
                Records = lines.Records,
                Joined = lines.Joined,
                Unreadable = lines.Unreadable,
                Bytes = isEmpty ? 0 : file.Length,
                Sha256 = isEmpty ? null : file.Hash(),
                FetchedAt = ExportCalls.Seconds(now),
                Open = day >= DateOnly.FromDateTime(now.UtcDateTime),
            };
            if (isEmpty) await file.DisposeAsync().ConfigureAwait(false);
            return new FetchedDay(entry, isEmpty ? null : file, unreadable);
        }
        catch (Exception e) when (e is not NotWholeException and not OperationCanceledException && file.Failure is { } failure && failure != e)
        {
            throw new IOException(failure.Message, failure); // a package replaced the exception
        }
        catch (InputException e)
        {
            throw new NotWholeException(e.Message, e);
        }
        finally
        {
            if (!isKept)
            {
                await file.DisposeAsync().ConfigureAwait(false);
                if (unreadable is not null) await unreadable.DisposeAsync().ConfigureAwait(false);
            }
        }

        async ValueTask KeepUnreadableAsync(ReadOnlyMemory<byte> lines)
        {
            if (lines.IsEmpty) return;
            unreadable ??=
                new HashedFile(await target.CreateAsync(ExportNames.Unreadable(day), cancellationToken).ConfigureAwait(false), ExportNames.Unreadable(day));
            unreadable.Content.Write(lines.Span);
        }
    }

    /// <exception cref="NotWholeException">It cannot be determined whether the answer is complete.</exception>
    async Task<ByteSource> OpenAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var headers = response.Content.Headers;
        var isGzip = headers.ContentEncoding.Count > 0 && headers.ContentLength != 0;
        if (isGzip && !(headers.ContentEncoding.Count == 1 && headers.ContentEncoding.Contains("gzip", StringComparer.OrdinalIgnoreCase)))
            throw new NotWholeException("it has a compression that was not requested");
        if (!isGzip && response.Version.Major < 2 && headers.ContentLength is null && response.Headers.TransferEncodingChunked != true)
            throw new NotWholeException("the response does not indicate where it ends");
        var body = new ResponseByteSource(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false),
            calls.Options.AttemptTimeout ?? Patience, calls.Options.TimeProvider, counts);
        return isGzip ? new GzipByteSource(body) : body;
    }

    async Task ReadLinesAsync(ByteSource source, DayLines lines, Func<ReadOnlyMemory<byte>, ValueTask> keepUnreadable, CancellationToken cancellationToken)
    {
        var buffer = new byte[FirstBuffer];
        var (end, scanned, isInParts) = (0, 0, false);
        while (await source.ReadAsync(buffer.AsMemory(end), cancellationToken).ConfigureAwait(false) is var read and > 0)
        {
            end += read;
            var before = lines.Records;
            var start = TakeLines(buffer.AsSpan(0, end), scanned, ref isInParts, lines);
            counts.Read(lines.Records - before);
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            if (isInParts || end > LongestLine)
            {
                isInParts = true;
                lines.TakePart(buffer.AsSpan(0, end));
                end = 0;
            }

            scanned = end;
            if (end == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
            await keepUnreadable(lines.TakeUnreadable()).ConfigureAwait(false);
        }

        if (isInParts) throw new NotWholeException("it was truncated within its last line");
        var last = lines.Records;
        lines.End(buffer.AsSpan(0, end));
        counts.Read(lines.Records - last);
        await keepUnreadable(lines.TakeUnreadable()).ConfigureAwait(false);
    }

    /// <summary>Processes the complete lines; returns where the next one starts.</summary>
    static int TakeLines(ReadOnlySpan<byte> text, int scanned, ref bool isInParts, DayLines lines)
    {
        var start = 0;
        while (text[scanned..].IndexOf((byte)'\n') is var feed and >= 0)
        {
            var line = text[start..(scanned + feed)];
            if (isInParts)
            {
                lines.TakePart(line);
                lines.EndParts();
                isInParts = false;
            }
            else
            {
                lines.Take(line);
            }

            start = scanned += feed + 1;
        }

        return start;
    }
}

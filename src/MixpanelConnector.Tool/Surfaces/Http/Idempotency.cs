using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>The outcome of a request, without its secrets: those are delivered once, and never stored.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Json">The output, or the problem object.</param>
/// <param name="Unknown">Whether it is unknown if the request took effect.</param>
/// <param name="Kept">Whether the same request returns this answer again, rather than another attempt.</param>
sealed record Outcome(int Status, ReadOnlyMemory<byte> Json, bool Unknown, bool Kept);

/// <summary>
/// Requests with an <c>Idempotency-Key</c> are executed once, and get the same answer for a day, even after a restart:
/// <list type="bullet">
/// <item>the start is stored on disk before anything is sent, and the answer before it is returned;</item>
/// <item>the same key with another body is rejected; the same body while the first request runs waits for its answer;</item>
/// <item>a failure without effect is forgotten, so that the same key can be used to try again;</item>
/// <item>an interrupted request is executed again if it is idempotent, and rejected if something could be created twice.</item>
/// </list>
/// </summary>
sealed class Idempotency(ServeDatabase database, string destination, AuditLog log, TimeProvider time)
{
    public const string Header = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotency-Replayed";
    const int LongestKey = 255;

    /// <summary>The maximum number of stored answers per caller.</summary>
    public const int MostAnswers = 100_000;

    /// <summary>Old and surplus answers are deleted after this many new ones, or after an hour.</summary>
    const int AnswersBetweenCleanings = 10_000;

    static readonly TimeSpan Kept = TimeSpan.FromHours(24);
    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    readonly ConcurrentDictionary<string, Running> _running = new(StringComparer.Ordinal);
    long _cleaned = long.MinValue;
    int _sinceCleaning;

    /// <exception cref="RefusedException">There are several keys, or the key is not valid.</exception>
    public static string? KeyOf(Microsoft.AspNetCore.Http.HttpRequest request)
    {
        var values = request.Headers[Header];
        if (values.Count == 0) return null;
        var key = values.ToString();
        return values.Count == 1 && key.Length is > 0 and <= LongestKey && key.All(c => c is >= ' ' and <= '~')
            ? key
            : throw new RefusedException(Refusal.Malformed("Send one Idempotency-Key of 1 to 255 visible ASCII characters.", Header));
    }

    /// <summary>The stored name of a key, which is separate for each caller and each project.</summary>
    public byte[] Name(Caller caller, string operation, string key) =>
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', destination, caller.Name, operation, key)));

    /// <summary>Executes a request, or returns the answer it got before.</summary>
    /// <param name="caller">The sender of the request.</param>
    /// <param name="name">The name of the key.</param>
    /// <param name="body">The request body.</param>
    /// <param name="repeatable">Whether the request is idempotent.</param>
    /// <param name="work">Executes it; does not throw.</param>
    /// <param name="cancellationToken">Cancels waiting, not the work.</param>
    public async Task<(Outcome Outcome, bool Replayed)> RunAsync(Caller caller, byte[] name, ReadOnlyMemory<byte> body, bool repeatable,
        Func<Task<Outcome>> work, CancellationToken cancellationToken)
    {
        Clean();
        var (id, hash) = (Convert.ToHexString(name), SHA256.HashData(body.Span));
        while (true)
        {
            var mine = new Running(hash);
            var running = _running.GetOrAdd(id, mine);
            if (ReferenceEquals(running, mine))
            {
                try
                {
                    return await RunFirstAsync(caller, name, mine, repeatable, work);
                }
                finally
                {
                    _running.TryRemove(id, out _);
                    mine.Ended.TrySetResult(null);
                }
            }

            if (!running.Body.AsSpan().SequenceEqual(hash)) throw OtherBody();
            try
            {
                if (await running.Ended.Task.WaitAsync(LongestWait, time, cancellationToken) is { } outcome) return (outcome, Replayed: true);
            }
            catch (TimeoutException)
            {
                throw new RefusedException(Refusal.Conflict("still_running", 409,
                    "The first request with this key is still running. Try again later with the same key.") with
                {
                    RetryAfter = 5,
                });
            }
        }
    }

    public static RefusedException OtherBody() =>
        new(Refusal.Conflict("key_used", 422, "This key was used with a different request. Use a new key for each new request."));

    async Task<(Outcome, bool)> RunFirstAsync(Caller caller, byte[] name, Running running, bool repeatable, Func<Task<Outcome>> work)
    {
        var rows = database.Query("SELECT body, status, answer FROM answers WHERE key = $key",
            row => (Body: row.GetFieldValue<byte[]>(0), Status: row.IsDBNull(1) ? 0 : row.GetInt32(1),
                Answer: row.IsDBNull(2) ? null : row.GetFieldValue<byte[]>(2)),
            ("$key", name));
        if (rows is [var row])
        {
            if (!row.Body.AsSpan().SequenceEqual(running.Body)) throw OtherBody();
            if (row.Answer is not null) return (new Outcome(row.Status, row.Answer, Unknown: false, Kept: true), true);
            if (!repeatable)
                throw new RefusedException(Refusal.Conflict("outcome_unknown", 409,
                    "The first request with this key was interrupted, and may have taken effect. Check whether it did; if it did not, use a new key."));
        }
        else
        {
            database.Execute("INSERT INTO answers (key, caller, body, created) VALUES ($key, $caller, $body, $created)", ("$key", name),
                ("$caller", caller.Name), ("$body", running.Body), ("$created", time.GetUtcNow().ToUnixTimeSeconds()));
        }

        var outcome = await work();
        try
        {
            if (outcome.Kept)
                database.Execute("UPDATE answers SET status = $status, answer = $answer WHERE key = $key", ("$key", name), ("$status", outcome.Status),
                    ("$answer", outcome.Json.ToArray()));
            else if (repeatable || !outcome.Unknown) database.Execute("DELETE FROM answers WHERE key = $key", ("$key", name));
        }
        catch (IOException e)
        {
            // The work is done and the answer is true; only a repetition will not find it.
            log.Write("answer_not_kept", ("reason", e.Message));
        }

        if (outcome.Kept) running.Ended.TrySetResult(outcome);
        return (outcome, false);
    }

    /// <summary>
    /// Deletes answers that are older than a day, and the oldest ones of a caller that has too many. If the disk fails, requests continue, and the next attempt
    /// is soon enough.
    /// </summary>
    void Clean()
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var hour = now / 3600;
        if (Interlocked.Exchange(ref _cleaned, hour) == hour && Interlocked.Increment(ref _sinceCleaning) < AnswersBetweenCleanings) return;
        Interlocked.Exchange(ref _sinceCleaning, 0);
        try
        {
            database.Execute("DELETE FROM answers WHERE created < $before", ("$before", now - (long)Kept.TotalSeconds));
            database.Execute(
                "DELETE FROM answers WHERE key IN (SELECT key FROM (SELECT key, row_number() OVER (PARTITION BY caller ORDER BY created DESC) AS place FROM "
                + "answers) WHERE place > $most)",
                ("$most", MostAnswers));
        }
        catch (IOException e)
        {
            log.Write("answers_not_cleaned", ("reason", e.Message));
        }
    }

    sealed class Running(byte[] body)
    {
        public byte[] Body { get; } = body;

        /// <summary>The answer, once it is stored; null if there is none to share.</summary>
        public TaskCompletionSource<Outcome?> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

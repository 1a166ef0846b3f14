using MixpanelConnector.Import.Admission;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Compress;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Ending;
using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Send;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Undelivered;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Import.Lookup;

/// <summary>
/// Imports a lookup table: one CSV file is checked, then uploaded as a whole until Mixpanel has accepted or rejected it. Either all rows
/// are accepted or none is. In the latter case, the invalid rows are dead letters and the others are pending; if Mixpanel names no row, all are dead letters.
/// </summary>
sealed class LookupTableImport(ImportRequest request, IImportState state, MixpanelTransport transport)
{
    /// <summary>100 MB by the largest definition of a megabyte; anything below is left to Mixpanel to judge.</summary>
    const int LargestTable = 100 << 20;

    /// <summary>Above this size, a buffer is as large as the largest table, since enlarging it again would leave its predecessors behind.</summary>
    const int LargestGrowing = 16 << 20;

    /// <summary>The number of dead letters saved per checkpoint, regardless of how many rows are rejected.</summary>
    const int MostDeadLetters = 1000;

    /// <summary>The number of bytes of dead letters after which they are saved.</summary>
    const int MostDeadLetterBytes = 4 << 20;

    readonly string _mendAdvice = $"fix them in the table and {request.InWords.RunAgain}; nothing was imported";

    readonly MixpanelRequest _put = new(HttpMethod.Put, Api.Ingestion, $"/lookup-tables/{request.TableId:D}", AuthScheme.ServiceAccountOfProject)
    {
        IsRepeatable = true,
    };
    readonly ImportOptions _options = new(request, transport.Options);
    readonly DeadLetterOutput _output = new(request, state);
    readonly TimeProvider _time = transport.Options.TimeProvider;
    readonly ImportCounts _counts = new();
    IEnumerable<(LookupRow Row, Refusal Refusal)> _refused = [];
    ImportTotals _saved = new(); // what the state contains for certain
    bool _discards; // whether what it contains is of an earlier import, and is to be discarded
    long _read; // the rows of the table, blank lines included

    /// <exception cref="MixpanelException">An option or a setting is invalid. Nothing was sent.</exception>
    public async Task<ImportReport> RunAsync(CancellationToken cancellationToken)
    {
        if (!request.DryRun) transport.EnsureAccess(_put.Auth);
        var inputs = InputList.Find(request, new ExcludedFiles(request, state), request.Diagnostics.Warn);
        if (inputs is not [var input]) throw MixpanelException.Invalid("input", "A lookup table must be one file.");
        Outputs.EnsureNoInputs(request, inputs);
        using var cancellation = new ImportCancellation(_time, cancellationToken, request.Grace) { Resumption = Resumption.Of(request) };
        var began = _time.GetTimestamp();
        try
        {
            Outputs.EnsureWritable(request);
            (var loaded, _discards) = LastCheckpoint.Load(state, request, _options, []);
            _saved = loaded?.Totals ?? _saved;
            if (await ReadAsync(input, cancellation).ConfigureAwait(false) is not { } csv) return Report(cancellation);

            var progress = new ImportSourceProgress
            {
                Id = input.Id,
                Offset = csv.Length,
                Line = 0,
                Ended = true,
                Fingerprint = Hash128.Of(csv.Span).ToString(),
            };
            if (loaded is { Finished: true } && loaded.Sources.Contains(progress))
            {
                request.Diagnostics.Warn(input.Name,
                    $"The table was imported before and is unchanged, and nothing was sent now. To send it again, add {request.InWords[Setting.Restart]}.");
                cancellation.LeavesNothing();
                return Report(cancellation);
            }

            if (Read(input, csv, cancellation) is not { } table) return Report(cancellation);

            // Results of an earlier run for this file are recomputed; the costs it reported are kept.
            var before = loaded is { Finished: false }
                ? new ImportTotals { Requests = loaded.Totals.Requests, Retries = loaded.Totals.Retries, Elapsed = loaded.Totals.Elapsed }
                : new ImportTotals();
            (_saved, _read) = (before, table.Count + table.Blank);
            var accepted = await DecideAsync(input, table, cancellation).ConfigureAwait(false);
            if (cancellation.Problems.Outcome is RunOutcome.Invalid) return Report(cancellation); // the state stays as it was
            if (accepted is false && FirstAlike(input, table) is { } alike)
                return new ImportEnding(request, state, cancellation).StopAtFirst(alike, _read, hasSaved: false, inspection: null);
            var totals = before with
            {
                Accepted = accepted is true ? table.Count : 0,
                Blank = table.Blank,
                Bytes = accepted is true ? csv.Length : 0,
                Requests = before.Requests + _counts.Requests,
                Retries = before.Retries + _counts.Retries,
                Elapsed = before.Elapsed + _time.GetElapsedTime(began),
            };
            _saved = before with { Requests = totals.Requests, Retries = totals.Retries, Elapsed = totals.Elapsed };
            _discards = false;
            state.Clear(); // a crash between this and the last save below only means that the table is sent again
            var checkpoint = new ImportCheckpoint
            {
                OptionsFingerprint = _options.Fingerprint,
                Totals = totals,
                Finished = accepted is true,
                DeadLetterPath = Outputs.LastingDeadLetters(request),
                Sources = [progress],
            };
            if (SaveRefused(input, table, checkpoint, cancellation) && accepted is not null) cancellation.LeavesNothing();
            request.Progress?.Report(new ImportProgress
            {
                Read = _saved.Read,
                Accepted = _saved.Accepted,
                Rejected = _saved.Rejected,
                Requests = _counts.Requests,
                Retries = _counts.Retries,
                InputBytes = input.Length ?? csv.Length,
                TotalInputBytes = input.Length,
            });
            return Report(cancellation);
        }
        catch (ImportStateException e)
        {
            cancellation.Note(e.Outcome, e.Message);
            return ImportReports.Of(cancellation, _saved, Pending, deadLetterPath: null, _mendAdvice);
        }
    }

    /// <summary>Saves the checkpoint with a dead letter for each rejected row. False when that was stopped before the last; the others are pending.</summary>
    bool SaveRefused(InputFile input, LookupTable table, ImportCheckpoint checkpoint, ImportCancellation cancellation)
    {
        var totals = checkpoint.Totals;
        var deadLetters = new List<ReadOnlyMemory<byte>>(MostDeadLetters);
        var deadLetterBytes = 0L;
        var isWhole = true;
        foreach (var (row, refusal) in _refused)
        {
            isWhole = !cancellation.Stop.IsCancellationRequested;
            if (!isWhole) break;
            var letter = Refuse(input, table, row, refusal);
            deadLetters.Add(letter);
            deadLetterBytes += letter.Length;
            totals = totals with { Rejected = totals.Rejected + 1 };
            if (deadLetters.Count < MostDeadLetters && deadLetterBytes < MostDeadLetterBytes) continue;
            Save([.. deadLetters]);
            deadLetters.Clear();
            deadLetterBytes = 0;
        }

        Save(deadLetters);
        return isWhole;

        void Save(IReadOnlyList<ReadOnlyMemory<byte>> letters)
        {
            state.Save(checkpoint with { Totals = totals, DeadLetters = letters });
            _saved = totals;
        }
    }

    /// <summary>Reads the whole file, without a byte order mark; returns null when it cannot be read.</summary>
    async Task<ReadOnlyMemory<byte>?> ReadAsync(InputFile input, ImportCancellation cancellation)
    {
        try
        {
            var (opened, _) = await Decompression.OpenAsync(input, request, cancellation.Stop).ConfigureAwait(false);
            var (text, _) = await TranscodingByteSource.OpenAsync(opened, request, cancellation.Stop).ConfigureAwait(false);
            using var source = text;
            var bytes = new byte[input.Length is < LargestTable and var known ? (int)known + 1 : 64 << 10];
            var length = 0;
            while (await source.ReadAsync(bytes.AsMemory(length), cancellation.Stop).ConfigureAwait(false) is var read and > 0)
            {
                length += read;
                if (length > LargestTable)
                {
                    NoteTooLarge(input, cancellation);
                    return null;
                }

                if (length < bytes.Length) continue;
                var larger = GC.AllocateUninitializedArray<byte>(length < LargestGrowing ? length * 2 : LargestTable + 1);
                bytes.CopyTo(larger, 0);
                bytes = larger;
            }

            var csv = bytes.AsMemory(0, length);
            return csv.Span.StartsWith(InputText.ByteOrderMark) ? csv[InputText.ByteOrderMark.Length..] : csv;
        }
        catch (InputException e)
        {
            cancellation.Note(e.Outcome,
                $"{input.Name} {e.Message}. {(e.Outcome is RunOutcome.Damaged ? $"Fix the input and {request.InWords.RunAgain}" : request.InWords.RunAgainAtStart)}.");
        }
        catch (OperationCanceledException) when (cancellation.Stop.IsCancellationRequested)
        {
            // The report says so.
        }

        return null;
    }

    /// <summary>Parses the table; returns null when it is not one, which is reported as the reason to stop.</summary>
    LookupTable? Read(InputFile input, ReadOnlyMemory<byte> csv, ImportCancellation cancellation)
    {
        try
        {
            InputText.EnsureText(csv.Span, request.InWords);
            return LookupTable.Read(csv, request, cancellation.Stop);
        }
        catch (OperationCanceledException) when (cancellation.Stop.IsCancellationRequested)
        {
            return null;
        }
        catch (InputException e)
        {
            cancellation.Note(RunOutcome.Damaged, $"{input.Name} {e.Message}. Nothing was sent; fix the input and {request.InWords.RunAgain}.");
            return null;
        }
    }

    /// <summary>
    /// Whether the table was accepted; if not, its invalid rows are to become dead letters. Null when that is unknown, or there is nothing to decide, which is
    /// reported as the reason to stop.
    /// </summary>
    async Task<bool?> DecideAsync(InputFile input, LookupTable table, ImportCancellation cancellation)
    {
        if (table.Count == 0 && !request.AllowEmpty)
        {
            cancellation.Note(RunOutcome.Damaged, ImportReports.Empty(request));
            return null;
        }

        if (!table.HasHeader)
        {
            request.Diagnostics.Warn(input.Name, "It has no header: nothing was sent, and the table is unchanged.");
            return true;
        }

        _refused = table.Rejected().Select(rejected => (rejected.Row, Refusal(rejected.Rejection)));
        if (table.RejectedCount > 0) return false;
        var length = table.LengthWithCommas();
        if (length > LargestTable)
        {
            NoteTooLarge(input, cancellation);
            return null;
        }

        if (request.DryRun) return true;

        using var body = CompressedBody.Gzip(table.WithCommas(length), new BufferPool(mostBytes: 0)); // one body, used once
        try
        {
            var (verdict, status) = await SendAsync(body, table.Count, cancellation).ConfigureAwait(false);
            switch (verdict.Kind)
            {
                case VerdictKind.Accepted:
                    return true;
                case VerdictKind.Partial:
                    if (verdict.Failed.Count == 0) goto case VerdictKind.TooLarge;
                    var failures = verdict.Failed.ToDictionary(failed => failed.Index);
                    _refused = table.Rows().Where(row => failures.ContainsKey(row.Index))
                        .Select(row => (row,
                            new Refusal("rejected", failures[row.Index].Field, failures[row.Index].Message)
                            {
                                HttpStatus = status,
                                Attempts = (int)_counts.Requests,
                            }));
                    return false;
                case VerdictKind.TooLarge: // and what is refused without a word about rows: all of them are
                    var whole = new Refusal(verdict.Kind is VerdictKind.TooLarge ? "table_too_large" : "rejected", null, verdict.Error!.Message)
                    {
                        HttpStatus = status,
                        Attempts = (int)_counts.Requests,
                    };
                    _refused = table.Rows().Select(row => (row, whole));
                    if (table.Count == 0)
                        cancellation.Note(RunOutcome.Damaged,
                            $"Mixpanel rejected {input.Name} (HTTP {status}), which has no rows. The table is unchanged; "
                            + $"fix the input and {request.InWords.RunAgain}.");
                    return false;
                case VerdictKind.Unauthorized:
                    cancellation.Note(RunOutcome.NotAllowed, $"{verdict.Error!.Shown} {request.InWords.RunAgainAtStart} once this is fixed.");
                    return null;
                case VerdictKind.Miscounted:
                    cancellation.Note(RunOutcome.Unavailable,
                        $"{verdict.Error!.Shown} This happened twice in a row: the table may have been replaced only in part, "
                        + $"or another server responds in Mixpanel's place. Check the table in Mixpanel, the endpoint and any proxies, and {request.InWords.RunAgain}, which sends all of it.");
                    return null;
                default:
                    cancellation.Note(RunOutcome.Unavailable, $"{verdict.Error!.Shown} {request.InWords.RunAgainAtStart} later.");
                    return null;
            }
        }
        catch (OperationCanceledException) when (cancellation.Stop.IsCancellationRequested)
        {
            return null; // the reply did not arrive within the grace
        }
    }

    /// <summary>The first rows, if all of them break a rule, nearly all the same one.</summary>
    FirstRefusals? FirstAlike(InputFile input, LookupTable table)
    {
        if (!request.StopWhenRefusedAlike || table.RejectedCount < FirstRefusals.Enough) return null;
        var first = new FirstRefusals(() => { });
        foreach (var (row, rejection) in table.Rejected().Take(FirstRefusals.Enough))
        {
            if (row.Index >= FirstRefusals.Enough) return null;
            var refusal = Refusal(rejection);
            first.Take(Letter(input, table, row, in refusal), in refusal);
        }

        return first.AreAlike ? first : null;
    }

    Refusal Refusal(Rejection rejection) => new(rejection.Code, rejection.Field, rejection.Message.In(request.InWords));

    /// <summary>Sends until the answer is final. Safe, since uploading the same table is idempotent.</summary>
    async Task<(ImportVerdict Verdict, int Status)> SendAsync(CompressedBody body, int rows, ImportCancellation cancellation)
    {
        var limiter = new ConcurrencyLimiter(most: 1, begin: 1, transport.Options, request.MaxOutage);
        var sender = new PacedSender(limiter, new SendLimits(LargestTable), _counts, probesQuota: false); // the number of table calls per day is limited
        var put = _put with { Body = new RequestBody(body.Bytes, "text/csv", "gzip") };
        SendAttempt attempt;
        var miscounts = 0;
        do attempt = await sender.TryAsync(isRetry: _counts.Requests > 0, records: 1, bytes: 0, () => transport.SendOnceAsync(put, cancellation.Abandon),
            response => ReplyClassifier.ReadLookupTable(response, rows, transport.Options), cancellation.Stop).ConfigureAwait(false);
        while (attempt.IsOpen || (attempt.Verdict.Kind is VerdictKind.Miscounted && ++miscounts < PacedSender.MiscountConfirmations));
        return (attempt.Verdict, attempt.Reply.Status);
    }

    static void NoteTooLarge(InputFile input, ImportCancellation cancellation) =>
        cancellation.Note(RunOutcome.Invalid,
            $"{input.Name} has more than the 100 MB of a lookup table, uncompressed and with commas. Nothing was sent; "
            + $"drop columns or rows that are not needed.");

    byte[] Refuse(InputFile input, LookupTable table, LookupRow row, Refusal refusal)
    {
        var letter = Letter(input, table, row, in refusal);
        request.Diagnostics.Refused(in letter, in refusal);
        return letter.Json;
    }

    DeadLetter Letter(InputFile input, LookupTable table, LookupRow row, in Refusal refusal) =>
        DeadLetters.Of(input.Name, row.Line, row.Start, table.TextOf(row), oversized: null, ReplayOptions.Of(request), in refusal);

    long Pending => Math.Max(0, _read - _saved.Read);

    ImportReport Report(ImportCancellation cancellation)
    {
        var path = _discards ? null : _output.Write(cancellation);
        return ImportReports.Of(cancellation, _saved, Pending, path, _mendAdvice, _saved.Rejected > 0 ? _output.CountReasons() : null);
    }
}

using System.Globalization;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using MixpanelConnector.Import.Admission;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Clean;
using MixpanelConnector.Import.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Map;
using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Send;
using MixpanelConnector.Import.Settle;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Undelivered;
using MixpanelConnector.Import.Validate;

namespace MixpanelConnector.Import.Pipeline;

/// <summary>Steps 1 to 5 on one thread: reads the inputs, splits, maps, cleans and checks their records, and fills batches.</summary>
/// <param name="request">The options of the import.</param>
/// <param name="lookedUp">A hash of the lookups of its mapping in other files; null for none.</param>
/// <param name="feed">Supplies the inputs.</param>
/// <param name="mapper">Converts another tool's records to Mixpanel records; null for none.</param>
/// <param name="cleaner">Makes the requested repairs; null for none.</param>
/// <param name="preparer">Checks records.</param>
/// <param name="checkpoints">The progress of an earlier run.</param>
/// <param name="budget">The memory budget of batches.</param>
/// <param name="buffers">The buffers of batches.</param>
/// <param name="limits">The size limits of batches.</param>
/// <param name="counts">The progress of this run.</param>
/// <param name="cancellation">Stops reading.</param>
/// <param name="refused">Receives records rejected here.</param>
/// <param name="first">Collects the first records as long as all are rejected; null when that is not needed.</param>
/// <param name="stops">Decides whether to end the import when the first records, or all if there are fewer, were rejected for the same reason.</param>
/// <param name="batches">Receives the batches.</param>
/// <param name="time">The clock.</param>
sealed partial class ReadStage(
    ImportRequest request,
    string? lookedUp,
    InputFeed feed,
    IRecordMapper? mapper,
    RecordCleaner? cleaner,
    RecordPreparer preparer,
    CheckpointTracker checkpoints,
    MemoryBudget budget,
    BufferPool buffers,
    SendLimits limits,
    ImportCounts counts,
    ImportCancellation cancellation,
    Action<DeadLetter, Refusal> refused,
    FirstRefusals? first,
    Func<FirstRefusals, Task<bool>> stops,
    ChannelWriter<RecordBatch> batches,
    TimeProvider time)
{
    /// <summary>
    /// How long a record may wait for others while the input has no more data: a second
    /// is short for someone watching a stream, and long for a pipe that keeps up.
    /// </summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    // The first batch starts small and grows, since most stay far below the limit; each other starts with the size of the last one.
    const int FirstCapacity = 256 << 10;

    // Bounds the memory for a range without a sendable record, and how far the state can lag behind.
    const long MostRejectedBytes = 4 << 20;
    const long MostRecords = 40_000;

    // The originals of mapped records are kept in memory with them.
    const long MostOriginalBytes = 8 << 20;

    static readonly Rejection InAnotherEncoding =
        JsonScanner.InvalidUtf8 with { Message = $"{JsonScanner.InvalidUtf8.Message}; {Setting.Encoding} sets the encoding of the file, such as windows-1252" };

    readonly FlatRecords _flatRecords = new(request);
    bool _isFlat;
    bool _mayBeInAnotherEncoding;
    RecordBatch? _batch;
    int _capacity = FirstCapacity;
    long _batchNumber;
    long _batchBegan;
    long _offset;
    long _inputBytesBefore;
    string _name = "";
    FirstRefusals? _first = first;
    readonly byte[] _options = ReplayOptions.Of(request, lookedUp);
    ReadPosition _beforeRecord; // of the record being mapped
    int _parts; // the number of its results processed
    bool _isEnough;
    bool _isMapped; // whether results of mapping the record remain
    long _mappedBytes;
    long _left = request.Look?.Records ?? long.MaxValue;

    /// <summary>Whether the end of the last input was reached, and the last batch passed on.</summary>
    public bool HasReadAll { get; private set; }

    /// <summary>The number of batches.</summary>
    public long Batches => _batchNumber;

    public async Task RunAsync()
    {
        try
        {
            while (await NextAsync().ConfigureAwait(false) is { } input)
            {
                await ReadAsync(input).ConfigureAwait(false);
                if (_isEnough) break;
                _inputBytesBefore += input.Length ?? 0;
            }

            if (cleaner is not null && counts.Read > 0 && checkpoints.ReadBefore == 0)
                foreach (var name in cleaner.Names.Unseen) request.Diagnostics.Warn($"{request.InWords[Setting.Drop]} and {request.InWords[Setting.Rename]}", $"No record has {RecordFields.Shown(name)}.");
            if (_first is { Count: > 0, AreAlike: true } alike && await stops(alike).ConfigureAwait(false)) return;
            _first?.Tell(refused);
            if (_batch is not null) await SendAsync(Close()).ConfigureAwait(false);
            HasReadAll = true;
        }
        catch (OperationCanceledException) when (cancellation.Stop.IsCancellationRequested)
        {
            // What was not sent stays pending.
        }
        finally
        {
            batches.Complete();
        }
    }

    /// <summary>Returns the next input. While that takes long, the open batch is sent.</summary>
    async ValueTask<InputFile?> NextAsync()
    {
        var next = feed.NextAsync(cancellation.Stop);
        if (_batch is null || next.IsCompleted) return await next.ConfigureAwait(false);
        var more = next.AsTask();
        await SendWhileAsync(more, feed.WaitsForSettling ? TimeSpan.Zero : LongestWait - time.GetElapsedTime(_batchBegan)).ConfigureAwait(false);
        return await more.ConfigureAwait(false);
    }

    /// <summary>Sends the open batch if a task does not complete within a given time.</summary>
    async ValueTask SendWhileAsync(Task more, TimeSpan patience)
    {
        if (more.IsCompleted || (patience > TimeSpan.Zero && await Waits.EndsWithinAsync(more, patience, time).ConfigureAwait(false)) || more.IsCompleted)
            return;
        _first?.Tell(refused); // someone may be watching the stream
        try
        {
            await SendAsync(Close()).ConfigureAwait(false);
        }
        finally
        {
            await more.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // nothing else may touch its source before
        }
    }

    /// <summary>Rejects an input as a whole.</summary>
    async ValueTask RefuseAsync(InputFile input, RefusedInput whole)
    {
        counts.RecordsRead(1);
        _batch ??= NewBatch();
        var refusal = new Refusal(whole.Code, null, whole.Message);
        var deadLetter = DeadLetters.Of(input.Name, line: 0, offset: 0, whole.Raw.Span, oversized: null, _options, in refusal);
        _batch.Reject(deadLetter);
        _batch.Bytes += whole.Raw.Length;
        _batch.Reached.Add(new ImportSourceProgress
        {
            Id = input.Id,
            Offset = whole.Raw.Length,
            Line = 0,
            Fingerprint = ImportSourceProgress.NothingRead,
            Ended = true,
        });
        refused(deadLetter, refusal);
        if (IsFull()) await SendAsync(Close()).ConfigureAwait(false);
    }

    async Task ReadAsync(InputFile input)
    {
        if (input.Refused is { } whole)
        {
            await RefuseAsync(input, whole).ConfigureAwait(false);
            return;
        }

        var reached = checkpoints.ProgressOf(input.Id);
        if (input.MaybeSent)
            reached ??= new ImportSourceProgress
            {
                Id = input.Id,
                Offset = 0,
                Line = 0,
                Fingerprint = ImportSourceProgress.NothingRead,
                ComputedIds = ImportIds.None,
                SentTo = long.MaxValue,
            };
        _name = input.Name;
        RecordReader? reader = null;
        var twiceBefore = cleaner?.TimesTwice ?? 0;
        _offset = reached?.Offset ?? 0;
        _flatRecords.Begin();
        mapper?.Begin(input.IdsFrom, RecordMapper.TableOf(input), input.LacksLookups);
        _isFlat = mapper is null; // until its first record shows otherwise
        try
        {
            if (input.Object is { } found && reached?.Pinned is { } pinned)
            {
                if (!pinned.IsSameAs(found.Pin)) throw InputException.Changed("is not the object that was listed first: its tag or its length differs");
                if (reached.Ended && mapper is not { RecallsAll: true }) return; // it is unchanged to its last byte
            }

            reader = await OpenAsync(input, reached).ConfigureAwait(false);
            cleaner?.Names.See(reader.Columns);
            _mayBeInAnotherEncoding = request is { Encoding: null, Replay: null } && reader.OffsetsAreBytes && !input.IsPlain;
            do
            {
                await ReadBufferedAsync(input, reader, reached).ConfigureAwait(false);
                counts.InputBytes(_inputBytesBefore + reader.RawPosition);
                if (reader.RawPosition > request.Look?.Bytes) _isEnough = true;
            }
            while (!_isEnough && await FillAsync(input, reader).ConfigureAwait(false));

            if (_isEnough) return;

            // The reader may need to reach the end before it returns the last record.
            await ReadBufferedAsync(input, reader, reached).ConfigureAwait(false);
            if (_isEnough) return;
            if (reader.HasPartialRecord)
            {
                counts.RecordsRead(1);
                cancellation.Note(RunOutcome.Damaged,
                    $"{input.Name}, line {reader.PartialLine}: the last record is incomplete{(reader.PartialReason is { } reason ? $" ({reason})" : "")} and "
                    + $"was left pending. When the input is complete, {request.InWords.RunAgain}.");
            }

            MarkReached(input, reader, reader.Position, reader.Fingerprint(reader.Position), ended: !reader.HasPartialRecord);
            if (cleaner is not null && cleaner.TimesTwice > twiceBefore)
                request.Diagnostics.Warn(input.Name,
                    $"{Counted.Of(cleaner.TimesTwice - twiceBefore, "time exists", "times exist")} twice in {request.TimeZone}, "
                    + $"because clocks were set back: the first was used.");
            foreach (var column in _flatRecords.Unseen)
                request.Diagnostics.Warn(input.Name, $"No record has {RecordFields.Shown(column)}, which is mapped or typed.");
        }
        catch (InputException e)
        {
            if (reader?.HasPartialRecord == true) counts.RecordsRead(1);
            if (reader is not null) MarkReached(input, reader, reader.Position, reader.Fingerprint(reader.Position), ended: false);
            if (e.Option is not null && _batchNumber == 0 && _batch?.Records is null or 0)
            {
                // For a stream this is detected only now, and nothing was read yet.
                cancellation.Note(e.Outcome, $"{input.Name} {e.Message}.");
                _isEnough = true;
                return;
            }

            cancellation.Note(e.Option is null ? e.Outcome : RunOutcome.Damaged,
                $"{input.Name} {e.Message}{(reader?.LastLine > 0 ? $"; everything up to line {reader.LastLine} was read" : "")}. {(e.HasChanged ? WhenChanged(reached) : e.Outcome is RunOutcome.NotAllowed or RunOutcome.Unavailable ? cancellation.Resumption.Again() : cancellation.Resumption.Again(first: "Fix the input and"))}");
            _isEnough |= e.Outcome is RunOutcome.Unavailable; // the other inputs would fail as well, after waiting for each
        }
        finally
        {
            reader?.Dispose();
        }
    }

    /// <summary>Reads more. While the input does not deliver, the open batch is sent.</summary>
    async ValueTask<bool> FillAsync(InputFile input, RecordReader reader)
    {
        if (reader.HoldsBack && input.Place is null) return await reader.FillWithinAsync(LongestWait, time, cancellation.Stop).ConfigureAwait(false);
        if (_batch is null) return await reader.FillAsync(cancellation.Stop).ConfigureAwait(false);
        var (position, fingerprint) = (reader.Position, reader.Fingerprint(reader.Position)); // while the reader is idle
        var filling = reader.FillAsync(cancellation.Stop);
        if (filling.IsCompleted) return await filling.ConfigureAwait(false);

        var more = filling.AsTask();
        var patience = LongestWait - time.GetElapsedTime(_batchBegan);
        if (more.IsCompleted || (patience > TimeSpan.Zero && await Waits.EndsWithinAsync(more, patience, time).ConfigureAwait(false)) || more.IsCompleted)
            return await more.ConfigureAwait(false);
        MarkReached(input, reader, position, fingerprint, ended: false);
        await SendWhileAsync(more, TimeSpan.Zero).ConfigureAwait(false);
        return await more.ConfigureAwait(false);
    }

    async ValueTask ReadBufferedAsync(InputFile input, RecordReader reader, ImportSourceProgress? reached)
    {
        preparer.ReadClock();
        while ((mapper is null ? ReadBuffered(input, reader, reached) : ReadMapped(input, reader, reached)) is { } closed)
            await SendAsync(closed).ConfigureAwait(false);
    }

    /// <summary>Reads records until a batch must be sent; returns null when nothing more is buffered.</summary>
    /// <remarks>Each call processes many records, so there are too few calls for tiered compilation: it is fully optimized at once.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    RecordBatch? ReadBuffered(InputFile input, RecordReader reader, ImportSourceProgress? reached)
    {
        while (true)
        {
            var before = reader.Position;
            if (_left == 0) _isEnough = true;
            if (_isEnough) return null;
            if (IsFull()) return CloseAt(input, reader, before);
            if (!reader.TryRead(out var read)) return null;
            _left--;
            counts.RecordsRead(1);
            preparer.Next();
            var maybeSent = reader.Position.Offset <= reached?.SentTo;
            var record = _isFlat || cleaner is not null ? Prepare(in read) : read;
            var closed = Fits(record.Bytes.Length) ? null : CloseAt(input, reader, before);
            var rejection = Take(in record, maybeSent);
            if (rejection is not null && !_isFlat && _flatRecords.TryRead(in read, out _))
            {
                _isFlat = true;
                record = Prepare(in read);
                if (closed is null && !Fits(record.Bytes.Length)) closed = CloseAt(input, reader, before);
                rejection = Take(in record, maybeSent);
            }

            if (cleaner is not null) _batch!.Cleaned.Add(cleaner.Made);
            if (rejection is not null) Reject(in record, rejection == JsonScanner.InvalidUtf8 && _mayBeInAnotherEncoding ? InAnotherEncoding : rejection);
            else if (_first is not null && _batch!.Count > 0) EndFirst();
            _batch!.Bytes += reader.OffsetsAreBytes ? reader.Position.Offset - _offset : record.Bytes.Length;
            _offset = reader.Position.Offset;
            if (closed is not null) return closed;
        }
    }

    /// <summary>Like <see cref="ReadBuffered"/>, but with a mapping: each record yields several, or is left out.</summary>
    RecordBatch? ReadMapped(InputFile input, RecordReader reader, ImportSourceProgress? reached)
    {
        while (true)
        {
            if (_isEnough) return null;
            if (_isMapped)
            {
                while (mapper!.TryNext(out var record, out var output))
                    if (TakePart(input, reader, reached, in record, in output) is { } full) return full;
                _isMapped = false;
                (_batch ??= NewBatch()).Bytes += reader.OffsetsAreBytes ? reader.Position.Offset - _offset : _mappedBytes;
                _offset = reader.Position.Offset;
            }

            _beforeRecord = reader.Position;
            if (_left == 0) _isEnough = true;
            if (_isEnough) return null;
            if (IsFull()) return CloseAt(input, reader, _beforeRecord);
            if (!reader.TryRead(out var read)) return null;
            _left--;
            if (mapper!.Begin(in read))
            {
                (_isMapped, _parts, _mappedBytes) = (true, 0, read.Raw.Length);
                if (_beforeRecord.Offset != reached?.Offset) continue;
                for (; _parts < reached.Parts && RecallPart(); _parts++) { }
                continue;
            }

            counts.RecordsRead(1);
            preparer.Next();
            if (Take(in read, reader.Position.Offset <= reached?.SentTo) is { } rejection)
                Reject(in read, rejection == JsonScanner.InvalidUtf8 && _mayBeInAnotherEncoding ? InAnotherEncoding : rejection);
            _batch!.Bytes += reader.OffsetsAreBytes ? reader.Position.Offset - _offset : read.Bytes.Length;
            _offset = reader.Position.Offset;
        }
    }

    /// <summary>
    /// Adds one result of mapping a record. If the open batch has no room for it, returns that batch, to be sent; it may contain earlier results of the record.
    /// </summary>
    RecordBatch? TakePart(InputFile input, RecordReader reader, ImportSourceProgress? reached, scoped in Record mapped, in MapOutput output)
    {
        var record = cleaner is null || output.LeftOut is not null ? mapped : cleaner.Clean(in mapped);
        var closed = IsFull() || !Fits(record.Bytes.Length) ? CloseWithin(input, reader) : null;
        _parts++;
        counts.RecordsRead(1);
        _batch ??= NewBatch();
        _batch.AddMapped("unconverted", output.Unconverted);
        if (output.FirstUnconverted is { } field)
            request.Diagnostics.Warn(_name,
                string.Create(CultureInfo.InvariantCulture,
                    $"In line {mapped.Line}, {field} has a value that the mapping can neither convert nor look up, and that becomes nothing. "
                    + $"The report counts such values as mapped.unconverted."));
        if (output.LeftOut is { } reason)
        {
            _batch.LeaveOut(reason);
            return closed;
        }

        preparer.Next();
        _batch.AddMapped("prefixed", output.Prefixed);
        _batch.AddMapped("without_user", output.IsNobodys ? 1 : 0);
        _batch.AddMapped("ambiguous_time", output.IsAmbiguous ? 1 : 0);
        var rejection = Take(in record, maybeSent: reader.Position.Offset <= reached?.SentTo);
        if (cleaner is not null) _batch.Cleaned.Add(cleaner.Made);
        if (rejection is not null) Reject(in record, rejection == JsonScanner.InvalidUtf8 && _mayBeInAnotherEncoding ? InAnotherEncoding : rejection);
        else if (_first is not null) EndFirst();
        return closed;
    }

    /// <summary>Prepares a record for checking: builds it from columns if it has some, and cleans it.</summary>
    Record Prepare(scoped in Record read)
    {
        var record = read;
        if (_isFlat && !_flatRecords.TryRead(in read, out record) && read is { Kind: RecordKind.Json, Rejection: null })
        {
            if (!_flatRecords.AreAsked) _isFlat = false;
            else if (!read.IsBuilt && _flatRecords.HadProperties && request.Replay is null) record = FlatRecords.NotFlat(in read);
        }

        return cleaner is null ? record : cleaner.Clean(in record);
    }

    /// <summary>Adds a record to the open batch, or returns why not.</summary>
    Rejection? Take(in Record record, bool maybeSent)
    {
        _batch ??= NewBatch();
        switch (record)
        {
            case { Kind: RecordKind.Blank }:
                _batch.Blank++;
                return null;
            case { Rejection: { } known }:
                return known;
            case { Oversized: { } oversized }:
                return new("record_too_large", null,
                    string.Create(CultureInfo.InvariantCulture, $"the record has {oversized.Length} bytes; Mixpanel accepts less than 1 MB"));
            default:
                if (preparer.TryAdd(in record, record.Origin ?? _name, maybeSent, _batch) is { } rejection) return rejection;
                if (maybeSent) _batch.MarkMaybeDelivered(from: _batch.Count - 1);
                return null;
        }
    }

    void Reject(in Record record, Rejection rejection)
    {
        var wasTried = record is { Kind: RecordKind.Json, Rejection: null, Oversized: null };
        var refusal = new Refusal(rejection.Code, rejection.Field, rejection.Message.In(request.InWords))
        {
            InsertId = preparer.InsertIdOf(in record, wasTried),
            MaybeDelivered = rejection.MaybeDelivered,
        };
        var deadLetter = DeadLetters.Of(record.Origin ?? _name, record.Line, record.Offset, record.Raw, record.Oversized, _options, in refusal, record.Layout,
            record.Misfits);
        _batch!.Reject(deadLetter);
        if (_first is null)
        {
            refused(deadLetter, refusal);
        }
        else
        {
            _first.Take(in deadLetter, in refusal);
            if (_first.Count < FirstRefusals.Enough) return;
            if (_first.AreAlike && cancellation.Problems.IsEmpty) _isEnough = true;
            else EndFirst(); // also when an earlier input had a problem: that is reported, and the others are read
        }
    }

    /// <summary>Ends the special treatment of the first records: one of them is valid, or they are rejected for various reasons.</summary>
    void EndFirst()
    {
        _first!.End(refused);
        _first = null;
    }

    bool Fits(int record) =>
        _batch is null || _batch.Count == 0 || _batch.Length + record + preparer.LargestAddition + 2 <= Math.Min(request.BatchBytes, limits.BatchBytes);

    bool IsFull() =>
        _batch is not null
            && (_batch.Count >= request.BatchEvents || _batch.RejectedBytes > MostRejectedBytes || _batch.Records >= MostRecords
                || (mapper is not null && _batch.OriginalBytes > MostOriginalBytes));

    RecordBatch CloseAt(InputFile input, RecordReader reader, ReadPosition position)
    {
        MarkReached(input, reader, position, reader.Fingerprint(position), ended: false);
        return Close();
    }

    /// <summary>Closes the open batch in the middle of the results of a record.</summary>
    RecordBatch CloseWithin(InputFile input, RecordReader reader)
    {
        MarkReached(input, reader, _beforeRecord, reader.Fingerprint(_beforeRecord), ended: false, _parts);
        return Close();
    }

    RecordBatch Close()
    {
        var batch = _batch!;
        preparer.Complete(batch);
        _batch = null;
        batch.Close();
        _capacity = Math.Max(FirstCapacity, batch.Length + (batch.Length / 32));
        return batch;
    }

    RecordBatch NewBatch()
    {
        _batchBegan = time.GetTimestamp();
        return new(_batchNumber++, request.BatchEvents, Math.Min(_capacity, request.BatchBytes), buffers);
    }

    /// <summary>Records the progress of a source in the open batch, if it has changed.</summary>
    void MarkReached(InputFile input, RecordReader reader, ReadPosition position, Hash128 fingerprint, bool ended, int parts = 0)
    {
        var progress = new ImportSourceProgress
        {
            Id = input.Id,
            Offset = position.Offset,
            Line = position.Line,
            OpenLine = position.OpenLine,
            Parts = parts,
            Fingerprint = fingerprint.ToString(),
            Ended = ended,
            ColumnTypes = reader.ColumnTypes,
            Pinned = input.Object?.Pin,
            ComputedIds = preparer.ComputedIds,
        };
        if (progress == checkpoints.ProgressOf(input.Id)) return;
        _batch ??= NewBatch();
        if (_batch.Reached is [.., var last] && last.Id == input.Id) _batch.Reached.RemoveAt(_batch.Reached.Count - 1); // inputs are read one after the other
        _batch.Reached.Add(progress);
    }

    async ValueTask SendAsync(RecordBatch batch)
    {
        batch.Lease = await budget.TakeAsync(batch.Memory, cancellation.Stop).ConfigureAwait(false);
        await batches.WriteAsync(batch, cancellation.Stop).ConfigureAwait(false);
    }
}

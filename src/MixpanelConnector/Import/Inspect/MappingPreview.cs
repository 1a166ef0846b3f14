using System.Runtime.CompilerServices;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Clean;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Map;
using MixpanelConnector.Import.Readers;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.State;
using MixpanelConnector.Import.Validate;

namespace MixpanelConnector.Import.Inspect;

/// <summary>Shows the first records of an import before and after its mapping.</summary>
/// <param name="request">The import.</param>
/// <param name="time">The clock.</param>
sealed class MappingPreview(ImportRequest request, TimeProvider time)
{
    RecordMapper _mapper = new(request);
    ImportRequest? _withColumns; // named in another file
    readonly RecordCleaner? _cleaner = RecordCleaner.For(request);
    readonly RecordPreparer _preparer = request.Type is ImportType.Events
        ? new EventPreparer(time, SharedProperties.Parse(request.Properties), asked: request.Fixes, predicts: true, words: request.InWords)
        : new ProfilePreparer("", request.GroupKey, request.Fix);
    readonly BufferPool _buffers = new(2 * OptionRanges.LargestBatch);

    /// <summary>The request with which the input is read.</summary>
    ImportRequest Reading => _withColumns ?? request;

    public async IAsyncEnumerable<MappedRecord> ShowAsync(int count, Action<string> problem, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var state = new DryRunState(keepsDeadLetters: false);
        var inputs = await InputList.UnpackedAsync(InputList.Find(request, new ExcludedFiles(request, state), (_, _) => { }), request,
            cancellationToken).ConfigureAwait(false);
        (_withColumns, inputs, var lookups) = await MappingInputs.ReadAsync(request, inputs, (_, _) => { }, cancellationToken).ConfigureAwait(false);
        _mapper = new RecordMapper(request, lookups);
        foreach (var input in inputs)
        {
            if (count == 0) yield break;
            var shown = new Queue<MappedRecord>();
            RecordReader? reader = null;
            try
            {
                for (var more = true; more && count > 0;)
                {
                    try
                    {
                        reader ??= await OpenAsync(input, cancellationToken).ConfigureAwait(false);
                        Read(input, reader, shown, count);
                        more = shown.Count < count && await reader.FillAsync(cancellationToken).ConfigureAwait(false);
                        if (!more) Read(input, reader, shown, count);
                    }
                    catch (InputException e)
                    {
                        problem($"{input.Name} {e.Message}.");
                        more = false;
                    }

                    for (; shown.TryDequeue(out var record); count--) yield return record;
                }
            }
            finally
            {
                reader?.Dispose();
            }
        }
    }

    async ValueTask<RecordReader> OpenAsync(InputFile input, CancellationToken cancellationToken)
    {
        var reader = await RecordReaders.OpenAsync(input, reached: null, Reading, cancellationToken).ConfigureAwait(false);
        _mapper.Begin(input.Id, RecordMapper.TableOf(input), input.LacksLookups);
        _preparer.Begin(input.Id, ImportIds.None);
        _preparer.ReadClock();
        return reader;
    }

    void Read(InputFile input, RecordReader reader, Queue<MappedRecord> shown, int count)
    {
        while (shown.Count < count && reader.TryRead(out var read))
        {
            if (read.Kind is RecordKind.Blank) continue;
            var outcomes = new List<MappedOutcome>();
            var before = read.Oversized is null ? MappedRecord.TextOf(read.Raw) : "";
            if (read.Oversized is not null) outcomes.Add(new MappedOutcome { Code = "record_too_large", Message = "the record has 1 MiB or more" });
            else if (!_mapper.Begin(in read)) outcomes.Add(Refused(read.Rejection!));
            else while (_mapper.TryNext(out var record, out var output)) outcomes.Add(Outcome(input, in record, in output));
            shown.Enqueue(new MappedRecord { Source = input.Name, Line = read.Line, Before = before, After = outcomes });
        }
    }

    MappedOutcome Outcome(InputFile input, scoped in Record mapped, in MapOutput output)
    {
        if (output.LeftOut is { } reason) return new MappedOutcome { LeftOut = reason };
        var record = _cleaner is null ? mapped : _cleaner.Clean(in mapped);
        _preparer.Next();
        if (record.Rejection is { } known) return Refused(known);
        var batch = new RecordBatch(0, 1, record.Bytes.Length + _preparer.LargestAddition + 2, _buffers);
        try
        {
            var rejection = _preparer.TryAdd(in record, input.Name, maybeSent: false, batch);
            return (rejection is null ? new MappedOutcome() : Refused(rejection)) with { Record = MappedRecord.TextOf(record.Bytes) };
        }
        finally
        {
            batch.Release();
        }
    }

    MappedOutcome Refused(Rejection rejection) => new() { Code = rejection.Code, Message = rejection.Message.In(request.InWords) };
}

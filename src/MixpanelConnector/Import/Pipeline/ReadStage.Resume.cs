using System.Globalization;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Readers;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Pipeline;

/// <content>Resuming where an earlier run stopped.</content>
sealed partial class ReadStage
{
    /// <summary>
    /// Opens an input where an earlier run stopped. What that run read is read again if the ids of later records, or a count that continues,
    /// depend on it. While a pipe has no writer yet, records of earlier inputs are sent.
    /// </summary>
    async ValueTask<RecordReader> OpenAsync(InputFile input, ImportSourceProgress? reached)
    {
        preparer.Begin(input.IdsFrom, reached is null ? ImportIds.None : reached.ComputedIds);
        var recalls = reached is { Offset: > 0 }
            && (preparer.Recalls(reached) || mapper is { RecallsAll: true } || (mapper is { Recalls: true } && !reached.Ended));
        var opening = RecordReaders.OpenAsync(input, reached, request, cancellation.Stop, fromBeginning: recalls).AsTask();
        if (_batch is not null && !opening.IsCompleted && !await Waits.EndsWithinAsync(opening, LongestWait, time).ConfigureAwait(false))
            await SendAsync(Close()).ConfigureAwait(false);
        var reader = await opening.ConfigureAwait(false);
        if (!recalls) return reader;
        try
        {
            do RecallBuffered(reader, reached!);
            while (reader.Position.Offset < reached!.Offset && await reader.FillAsync(cancellation.Stop).ConfigureAwait(false));
            RecallBuffered(reader, reached); // the reader may need to reach the end before it returns the last record
            var fingerprint = reader.Fingerprint(reader.Position);
            if (reader.Position.Offset < reached.Offset)
                throw InputException.Changed(string.Create(CultureInfo.InvariantCulture,
                    $"is shorter than when it was imported: {reader.Position.Offset} of {reached.Offset} {(reader.OffsetsAreBytes ? "bytes" : "records")} are left"));
            if (!reader.OffsetsAreBytes && fingerprint.ToString() != reached.Fingerprint)
                throw InputException.Changed("has changed since a part of it was imported");
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Takes records into account as <see cref="ReadBufferedAsync"/> would.</summary>
    void RecallBuffered(RecordReader reader, ImportSourceProgress reached)
    {
        preparer.ReadClock();
        while (reader.Position.Offset < reached.Offset && reader.TryRead(out var read))
        {
            if (reader.OffsetsAreBytes && reader.Position.Offset > reached.Offset && read.Offset + read.LengthInInput > reached.Offset)
                throw InputException.Changed("has changed: its last record, which was already imported, is longer now");
            if (mapper?.Begin(in read) == true)
            {
                while (RecallPart()) { }
                continue;
            }

            preparer.Next();
            var record = _isFlat || cleaner is not null ? Prepare(in read) : read;
            if (record is not { Kind: RecordKind.Json, Oversized: null } || preparer.Recall(in record) is null || _isFlat
                || !_flatRecords.TryRead(in read, out _))
                continue;
            _isFlat = true;
            record = Prepare(in read);
            preparer.Recall(in record);
        }
    }

    /// <summary>Takes one result of mapping a record into account; false when there are no more.</summary>
    bool RecallPart()
    {
        if (!mapper!.TryNext(out var record, out var output)) return false;
        if (output.LeftOut is not null) return true;
        preparer.Next();
        if (cleaner is not null) record = cleaner.Clean(in record);
        preparer.Recall(in record);
        return true;
    }

    /// <summary>The advice for a source that differs from what an earlier run has read.</summary>
    string WhenChanged(ImportSourceProgress? reached) => (request.Type, reached?.ComputedIds) switch
    {
        (not ImportType.Events, _) =>
            $"Restore it, and {request.InWords.RunAgain}; or send everything again with {request.InWords[Setting.Restart]}: updates that add or append would then be applied twice.",
        (_, null or ImportIds.OfPlaces) =>
            $"Restore it, and {request.InWords.RunAgain}; or send everything again with {request.InWords[Setting.Restart]} "
                + $"and {request.InWords[Setting.NewIds]}: events without an $insert_id of their own would then count twice.",
        _ => $"Restore it, and {request.InWords.RunAgain}; or, if it was corrected, send everything again with {request.InWords[Setting.Restart]}: "
            + "unchanged events keep their ids, so Mixpanel counts them once.",
    };
}

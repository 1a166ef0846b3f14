using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Formats.Avro;

/// <summary>Avro object container files, read record by record as they arrive.</summary>
sealed class AvroFormat() : ImportFormat("avro")
{
    internal override bool IsText => false;

    internal override bool HasColumns => true;

    internal override bool Recognizes(in ImportHead head) => AvroBlocks.Begins(head.Text);

    internal override async ValueTask<RecordReader> OpenAsync(FormatInput input, CancellationToken cancellationToken)
    {
        var blocks = await AvroBlocks.OpenAsync(input.Window, input.File.LimitOf(input.Request), cancellationToken).ConfigureAwait(false);
        var reader = new AvroRecordReader(blocks, input.Request);
        if (input.Reached is { Offset: > 0 } reached) await reader.ResumeAsync(reached.Offset, input.Fingerprint, cancellationToken).ConfigureAwait(false);
        return reader;
    }
}

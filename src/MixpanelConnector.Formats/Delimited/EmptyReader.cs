using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Formats.Delimited;

/// <summary>An input without rows. Once it has some, it is read from its beginning.</summary>
sealed class EmptyReader(InputWindow window) : RecordReader
{
    public override ReadPosition Position => default;

    public override long RawPosition => window.RawPosition;

    public override bool HasPartialRecord => false;

    public override Hash128 Fingerprint(ReadPosition position) => Hash128.Parse(ImportSourceProgress.NothingRead);

    public override bool TryRead(out Record record)
    {
        record = default;
        return false;
    }

    public override ValueTask<bool> FillAsync(CancellationToken cancellationToken) => new(false);

    public override void Dispose() => window.Dispose();
}

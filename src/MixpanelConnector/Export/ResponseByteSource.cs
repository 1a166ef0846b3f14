using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Export;

/// <summary>Streams the body of an answer. It distinguishes a broken or stalled connection from a failing disk.</summary>
sealed class ResponseByteSource(Stream body, TimeSpan patience, TimeProvider time, ExportCounts counts) : ByteSource
{
    long _position;

    public override long RawPosition => _position;

    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        using var idle = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, idle.Token);
        try
        {
            var read = await body.ReadAsync(target, either.Token).ConfigureAwait(false);
            _position += read;
            counts.Received(read);
            return read;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new NotWholeException($"nothing was received for {patience.TotalSeconds:0} seconds", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new NotWholeException("the connection was lost before the end", e);
        }
        catch (InvalidDataException e)
        {
            throw new NotWholeException("the received data is damaged", e);
        }
    }

    public override void Dispose() => body.Dispose();
}

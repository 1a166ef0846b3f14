using System.Globalization;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Queues;

namespace MixpanelConnector.Consume;

/// <summary>Reads the lines of a message.</summary>
static class MessageBody
{
    const int FirstLength = 64 << 10;

    /// <summary>Returns the lines, decompressed, the last with its line end.</summary>
    /// <exception cref="InputException">The message cannot be read; the exception's message is a clause.</exception>
    public static async ValueTask<byte[]> ReadAsync(QueueMessage message, ConsumeRequest request, CancellationToken cancellationToken)
    {
        if (message.Version is not (null or QueueBody.CurrentVersion))
            throw new InputException(
                $"the message has a {QueueBody.VersionName} other than {QueueBody.CurrentVersion}: it was published by a later version, or by another program");
        if (message.ContentEncoding is null or "" or "identity")
        {
            var body = message.Body.Span;
            if (body.Length > request.MaxMessageBytes) throw TooLarge(request);
            if (body.StartsWith(InputText.ByteOrderMark)) body = body[InputText.ByteOrderMark.Length..];
            return body is [] or [.., (byte)'\n'] ? body.ToArray() : [.. body, (byte)'\n'];
        }

        var compression = request.Records.Compressions.FirstOrDefault(known => known.Name == message.ContentEncoding)
            ?? throw new InputException($"the message has a content-encoding other than {string.Join(", ", request.Records.Compressions)}");
        if (!compression.Recognizes(message.Body.Span))
            throw new InputException($"the message is not compressed with {compression.Name}, although its content-encoding says so");
        using var compressed = new MemoryStream(message.Body.ToArray(), writable: false);
        using var source = compression.Open(new StreamByteSource(compressed));
        var lines = new byte[FirstLength];
        for (var length = 0; ;)
        {
            if (length + 1 >= lines.Length) Array.Resize(ref lines, (int)Math.Min(lines.Length * 2L, request.MaxMessageBytes + 2L));
            var read = await source.ReadAsync(lines.AsMemory(length, lines.Length - 1 - length), cancellationToken).ConfigureAwait(false);
            length += read;
            if (length > request.MaxMessageBytes) throw TooLarge(request);
            if (read > 0) continue;
            if (length > 0 && lines[length - 1] != '\n') lines[length++] = (byte)'\n';
            return lines[..length];
        }
    }

    static InputException TooLarge(ConsumeRequest request) =>
        new(string.Create(CultureInfo.InvariantCulture,
            $"the message has more than {request.MaxMessageBytes} bytes after decompression ({request.Records.InWords[Setting.OfConsumer(nameof(ConsumeRequest.MaxMessageBytes))]})"));
}

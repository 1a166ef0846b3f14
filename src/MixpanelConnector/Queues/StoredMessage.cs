using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;

namespace MixpanelConnector.Queues;

/// <summary>The format of a message in an outbox: a magic number, a hash of the queue's name, and its parts.</summary>
static class StoredMessage
{
    static readonly byte[] Mark = "MXQ1"u8.ToArray();

    /// <summary>Returns the prefix of the messages of a queue.</summary>
    public static byte[] HeadOf(string queue) => [.. Mark, .. XxHash128.Hash(Encoding.UTF8.GetBytes(queue))];

    public static byte[] Write(QueueBody body, ReadOnlySpan<byte> head)
    {
        using var stream = new MemoryStream();
        stream.Write(head);
        using (var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true))
        {
            Write(writer, body.ContentEncoding);
            Write(writer, body.Id);
            Write(writer, body.Key);
        }

        stream.Write(body.Body.Span);
        return stream.ToArray();
    }

    /// <exception cref="InvalidDataException">The content is not output of <see cref="Write(QueueBody, ReadOnlySpan{byte})"/>.</exception>
    public static QueueBody Read(ReadOnlyMemory<byte> content, ReadOnlySpan<byte> head)
    {
        if (!content.Span.StartsWith(head)) throw Damaged(null);
        var array = MemoryMarshal.TryGetArray(content, out var segment) ? segment : content.ToArray();
        using var stream = new MemoryStream(array.Array!, array.Offset + head.Length, array.Count - head.Length, writable: false);
        using var reader = new BinaryReader(stream, Encoding.UTF8);
        try
        {
            var (encoding, id, key) = (Read(reader), Read(reader), Read(reader));
            return new QueueBody(content[(head.Length + (int)stream.Position)..], encoding, id) { Key = key };
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException or ArgumentException)
        {
            throw Damaged(e);
        }
    }

    static void Write(BinaryWriter writer, string? text)
    {
        writer.Write(text is not null);
        if (text is not null) writer.Write(text);
    }

    static string? Read(BinaryReader reader) => reader.ReadBoolean() ? reader.ReadString() : null;

    static InvalidDataException Damaged(Exception? e) => new("The message in the outbox is damaged.", e);
}

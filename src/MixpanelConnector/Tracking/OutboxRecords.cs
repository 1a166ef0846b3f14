using System.Buffers.Binary;
using MixpanelConnector.Import.Batch;

namespace MixpanelConnector.Tracking;

/// <summary>How the records of a batch lie in an outbox: each with its length, the place of its id, and whether it may be sent twice.</summary>
static class OutboxRecords
{
    const int Head = 9;

    public static byte[] Write(RecordBatch batch)
    {
        using var records = batch.Open();
        var length = 0;
        for (var i = 0; i < batch.Count; i++) length += Head + batch[i].Length;
        var content = new byte[length];
        var rest = content.AsSpan();
        for (var i = 0; i < batch.Count; i++)
        {
            ref readonly var entry = ref batch[i];
            BinaryPrimitives.WriteInt32LittleEndian(rest, entry.Length);
            BinaryPrimitives.WriteUInt16LittleEndian(rest[4..], entry.IdAt <= ushort.MaxValue ? (ushort)entry.IdAt : (ushort)0);
            BinaryPrimitives.WriteUInt16LittleEndian(rest[6..], entry.IdAt <= ushort.MaxValue ? (ushort)entry.IdLength : (ushort)0);
            rest[8] = entry.Repeatable ? (byte)1 : (byte)0;
            records.BytesOf(in entry).CopyTo(rest[Head..]);
            rest = rest[(Head + entry.Length)..];
        }

        return content;
    }

    /// <summary>Adds the records to a batch.</summary>
    /// <exception cref="InvalidDataException">The content is not what <see cref="Write"/> made.</exception>
    public static void Read(ReadOnlySpan<byte> content, RecordBatch batch)
    {
        while (content.Length > 0)
        {
            if (content.Length < Head) throw new InvalidDataException();
            var length = BinaryPrimitives.ReadInt32LittleEndian(content);
            if (length < 2 || length > content.Length - Head) throw new InvalidDataException();
            var entry = new Entry
            {
                Source = "",
                IdAt = BinaryPrimitives.ReadUInt16LittleEndian(content[4..]),
                IdLength = BinaryPrimitives.ReadUInt16LittleEndian(content[6..]),
                Repeatable = content[8] == 1,
            };
            if (entry.IdAt + entry.IdLength > length) throw new InvalidDataException();
            batch.Add(entry, content.Slice(Head, length), [], []);
            content = content[(Head + length)..];
        }
    }
}

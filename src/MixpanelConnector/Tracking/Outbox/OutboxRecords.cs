using System.Buffers.Binary;
using MixpanelConnector.Import.Batch;

namespace MixpanelConnector.Tracking.Outbox;

/// <summary>
/// The format of a batch in an outbox: the owner, and then each record with its length, the position of its id, and whether it may be sent twice.
/// </summary>
static class OutboxRecords
{
    const int Head = 9;

    /// <summary>Precedes an owner. No record has this length; an earlier version began with the first record.</summary>
    const int OwnerMark = -1;
    const int OwnerHead = 4 + OutboxOwner.Length;

    public delegate void Visitor(Entry entry, ReadOnlySpan<byte> record);

    public static byte[] Write(RecordBatch batch, ReadOnlySpan<byte> owner)
    {
        using var records = batch.Open();
        var length = OwnerHead;
        for (var i = 0; i < batch.Count; i++) length += Head + batch[i].Length;
        var content = new byte[length];
        BinaryPrimitives.WriteInt32LittleEndian(content, OwnerMark);
        owner.CopyTo(content.AsSpan(4));
        var rest = content.AsSpan(OwnerHead);
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

    /// <summary>Returns the owner of the records; empty where an earlier version did not store it.</summary>
    public static ReadOnlySpan<byte> OwnerOf(ReadOnlySpan<byte> content) =>
        content.Length >= OwnerHead && BinaryPrimitives.ReadInt32LittleEndian(content) == OwnerMark ? content[4..OwnerHead] : [];

    /// <summary>Whether the content is well-formed output of <see cref="Write"/>.</summary>
    public static bool AreWhole(ReadOnlySpan<byte> content)
    {
        try
        {
            ForEach(content, static (_, _) => { });
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>Adds the records to a batch.</summary>
    /// <exception cref="InvalidDataException">The content is not output of <see cref="Write"/>.</exception>
    public static void Read(ReadOnlySpan<byte> content, RecordBatch batch) =>
        ForEach(content, (entry, record) => batch.Add(entry with { Offset = batch.Count }, record, [], []));

    /// <exception cref="InvalidDataException">The content is not output of <see cref="Write"/>.</exception>
    public static void ForEach(ReadOnlySpan<byte> content, Visitor visit)
    {
        if (!OwnerOf(content).IsEmpty) content = content[OwnerHead..];
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
            visit(entry, content.Slice(Head, length));
            content = content[(Head + length)..];
        }
    }
}

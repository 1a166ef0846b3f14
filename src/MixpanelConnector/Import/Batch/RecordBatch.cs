using System.Buffers;
using System.Runtime.CompilerServices;
using MixpanelConnector.Import.Clean;
using MixpanelConnector.Import.Compress;
using MixpanelConnector.Import.Settle;

namespace MixpanelConnector.Import.Batch;

/// <summary>
/// A stretch of the input: the records to send, as the JSON array that is the body of a request, and the account of everything
/// else on that stretch. Batches are numbered in the order of the input, without gaps. Owns its buffers until they are released.
/// </summary>
sealed class RecordBatch
{
    // What the largest batch takes: a buffer is not doubled beyond it.
    const int LargestBuffer = ImportRequest.LargestBatch + 2;

    readonly BufferPool _buffers;
    byte[] _buffer;
    Entry[] _entries;
    long _rawBytes;

    public RecordBatch(long number, int entries, int bytes, BufferPool buffers)
    {
        Number = number;
        _buffers = buffers;
        _entries = ArrayPool<Entry>.Shared.Rent(entries);
        _buffer = buffers.Rent(bytes);
        _buffer[0] = (byte)'[';
        Length = 1;
    }

    public long Number { get; }

    public int Count { get; private set; }

    /// <summary>The bytes so far, without the closing bracket.</summary>
    public int Length { get; private set; }

    /// <summary>The memory that the batch takes: its buffer, a third as much for the compressed body, its entries, its dead letters, and originals of records that were changed.</summary>
    public long Memory => (_buffer.Length * 4L / 3) + ((long)_entries.Length * Unsafe.SizeOf<Entry>()) + RejectedBytes + _rawBytes;

    /// <summary>The body of a request, compressed.</summary>
    public CompressedBody Gzip() => CompressedBody.Gzip(Body, _buffers);

    public ReadOnlyMemory<byte> Body => _buffer.AsMemory(0, Length + 1);

    public bool Repeatable { get; private set; } = true;

    /// <summary>The records on this stretch that are not sent.</summary>
    public List<DeadLetter> Rejected { get; } = [];

    public long RejectedBytes { get; private set; }

    public long Blank { get; set; }

    /// <summary>What was changed in the records of this stretch.</summary>
    public CleanedCounts Cleaned { get; } = new();

    /// <summary>The decompressed bytes of this stretch.</summary>
    public long Bytes { get; set; }

    /// <summary>How far each source is at the end of this stretch.</summary>
    public List<ImportSourceProgress> Reached { get; } = [];

    public long Records => Count + Rejected.Count + Blank;

    public ref readonly Entry this[int index] => ref _entries[index];

    public ReadOnlySpan<byte> BytesOf(in Entry entry) => _buffer.AsSpan(entry.Start, entry.Length);

    /// <summary>Adds a record made of parts, and gives it a place.</summary>
    public void Add(Entry entry, ReadOnlySpan<byte> before, ReadOnlySpan<byte> added, ReadOnlySpan<byte> after)
    {
        entry.Start = Length + (Count > 0 ? 1 : 0);
        entry.Length = before.Length + added.Length + after.Length;
        Reserve(entry.Start + entry.Length + 1);
        if (Count > 0) _buffer[Length] = (byte)',';
        var target = _buffer.AsSpan(entry.Start);
        before.CopyTo(target);
        added.CopyTo(target[before.Length..]);
        after.CopyTo(target[(before.Length + added.Length)..]);
        Length = entry.Start + entry.Length;
        Repeatable &= entry.Repeatable;
        _rawBytes += entry.Raw?.Length ?? 0;
        _entries[Count++] = entry;
    }

    public void Reject(DeadLetter deadLetter)
    {
        Rejected.Add(deadLetter);
        RejectedBytes += deadLetter.Json.Length;
    }

    public void Close() => _buffer[Length] = (byte)']';

    /// <summary>A batch of some of the records, with buffers of its own.</summary>
    public RecordBatch Select(IReadOnlyList<int> indexes)
    {
        var length = 2 + indexes.Count;
        foreach (var index in indexes) length += _entries[index].Length;
        var selected = new RecordBatch(Number, indexes.Count, length, _buffers);
        foreach (var index in indexes) selected.Add(_entries[index], BytesOf(_entries[index]), [], []);
        selected.Close();
        return selected;
    }

    /// <summary>The record as it was read.</summary>
    public byte[] RawOf(in Entry entry)
    {
        if (entry.Raw is not null) return entry.Raw;
        var bytes = BytesOf(entry);
        return [.. bytes[..entry.AddedAt], .. bytes[(entry.AddedAt + entry.AddedLength)..]];
    }

    /// <summary>Gives the buffers back; the account stays.</summary>
    public void Release()
    {
        _buffers.Return(_buffer);
        ArrayPool<Entry>.Shared.Return(_entries, clearArray: true);
        (_buffer, _entries) = ([], []);
    }

    void Reserve(int length)
    {
        if (length <= _buffer.Length) return;
        var larger = _buffers.Rent(Math.Max(length, (int)Math.Min(_buffer.Length * 2L, LargestBuffer)));
        _buffer.AsSpan(0, Length).CopyTo(larger);
        _buffers.Return(_buffer);
        _buffer = larger;
    }
}

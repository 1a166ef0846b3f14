using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Compress;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.Batch;

/// <summary>
/// A contiguous part of the input: the records to send, as the JSON array that is the request body, and counts of everything
/// else in that part. Batches are numbered in input order, without gaps. Once compressed, a batch keeps its records only in
/// that form, since few responses need a single record again. Owns its buffers until they are released.
/// </summary>
sealed class RecordBatch
{
    // The size of the largest batch: a buffer is not doubled beyond it.
    const int LargestBuffer = OptionRanges.LargestBatch + 2;

    readonly BufferPool _buffers;
    byte[] _buffer;
    CompressedBody? _compressed;
    Entry[] _entries;
    long _rawBytes;
    long _leftOut;

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

    /// <summary>
    /// The memory that the batch uses: its buffer (plus a third for the compressed body,
    /// until there is one), its entries, its dead letters, and originals of changed records.
    /// </summary>
    public long Memory => (_compressed?.Memory ?? (_buffer.Length * 4L / 3)) + ((long)_entries.Length * Unsafe.SizeOf<Entry>()) + RejectedBytes + _rawBytes;

    /// <summary>Its share of the import's memory budget; null until it is closed, and where memory is not counted.</summary>
    public MemoryLease? Lease { get; set; }

    /// <summary>The request body, compressed once <see cref="Compress"/> was called.</summary>
    public ReadOnlyMemory<byte> Body => _compressed?.Bytes ?? Text;

    ReadOnlyMemory<byte> Text => _buffer.AsMemory(0, Length + 1);

    /// <summary>Compresses the body, and releases the text.</summary>
    public void Compress()
    {
        if (_compressed is not null) return;
        _compressed = CompressedBody.Gzip(Text, _buffers);
        _buffers.Return(_buffer);
        _buffer = [];
    }

    /// <summary>Opens the records for access. They are decompressed until this is disposed; only one batch can be open at a time.</summary>
    public OpenBatch Open() => new(this);

    /// <summary>Creates a batch of some of the records and what is known of them, with its own buffers.</summary>
    public RecordBatch Select(IReadOnlyList<int> indexes)
    {
        using var records = Open();
        return records.Select(indexes);
    }

    public bool Repeatable { get; private set; } = true;

    /// <summary>The number of requests that contained the records.</summary>
    public int Attempts { get; set; }

    /// <summary>Whether one of the records links the ids of a user.</summary>
    public bool SaysWhoIsWho { get; private set; }

    /// <summary>The records of this part that are not sent.</summary>
    public List<DeadLetter> Rejected { get; } = [];

    public long RejectedBytes { get; private set; }

    public long Blank { get; set; }

    /// <summary>The number of records to send that have the same identity as an earlier one.</summary>
    public long SameIdentity { get; set; }

    /// <summary>The changes made to the records of this part.</summary>
    public CleanedCounts Cleaned { get; } = new();

    /// <summary>The records of this part that the mapping left out, by reason; null for none.</summary>
    public Dictionary<string, long>? LeftOut { get; private set; }

    /// <summary>What the mapping did to the records of this part, and how often; null for nothing.</summary>
    public Dictionary<string, long>? Mapped { get; private set; }

    /// <summary>The size of the retained originals of changed records.</summary>
    public long OriginalBytes => _rawBytes;

    /// <summary>The number of decompressed bytes of this part.</summary>
    public long Bytes { get; set; }

    /// <summary>The progress of each source at the end of this part.</summary>
    public List<ImportSourceProgress> Reached { get; } = [];

    public long Records => Count + Rejected.Count + Blank + _leftOut;

    public ref readonly Entry this[int index] => ref _entries[index];

    /// <summary>Adds a record composed of parts, and sets its position.</summary>
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
        SaysWhoIsWho |= entry.SaysWhoIsWho;
        _rawBytes += entry.Raw?.Length ?? 0;
        _entries[Count++] = entry;
    }

    /// <summary>Records, for entries from an index on, that a request left open whether they were accepted.</summary>
    public void MarkMaybeDelivered(int from = 0)
    {
        foreach (ref var entry in _entries.AsSpan(from, Count - from)) entry.MaybeDelivered = true;
    }

    public void Reject(DeadLetter deadLetter)
    {
        Rejected.Add(deadLetter);
        RejectedBytes += deadLetter.Json.Length;
    }

    /// <summary>Counts a record that the mapping left out.</summary>
    public void LeaveOut(string reason)
    {
        _leftOut++;
        CollectionsMarshal.GetValueRefOrAddDefault(LeftOut ??= new(StringComparer.Ordinal), reason, out _)++;
    }

    /// <summary>Counts what the mapping did to a record.</summary>
    public void AddMapped(string what, int count)
    {
        if (count > 0) CollectionsMarshal.GetValueRefOrAddDefault(Mapped ??= new(StringComparer.Ordinal), what, out _) += count;
    }

    public void Close() => _buffer[Length] = (byte)']';

    /// <summary>Returns the buffers; the counts remain.</summary>
    public void Release()
    {
        if (_buffer.Length > 0) _buffers.Return(_buffer);
        _compressed?.Dispose();
        ArrayPool<Entry>.Shared.Return(_entries, clearArray: true);
        (_buffer, _entries, _compressed) = ([], [], null);
    }

    void Reserve(int length)
    {
        if (length <= _buffer.Length) return;
        var larger = _buffers.Rent(Math.Max(length, (int)Math.Min(_buffer.Length * 2L, LargestBuffer)));
        _buffer.AsSpan(0, Length).CopyTo(larger);
        _buffers.Return(_buffer);
        _buffer = larger;
    }

    /// <summary>The records of a batch that is complete.</summary>
    public readonly ref struct OpenBatch : IDisposable
    {
        readonly RecordBatch _batch;
        readonly byte[] _text;

        public OpenBatch(RecordBatch batch)
        {
            (_batch, _text) = (batch, batch._buffer);
            if (batch._compressed is null) return;
            batch._buffers.Decompressing.Enter();
            try
            {
                _text = batch._buffers.Rent(batch.Length + 1);
                batch._compressed.Decompress(_text.AsSpan(0, batch.Length + 1));
            }
            catch
            {
                batch._buffers.Decompressing.Exit();
                throw;
            }
        }

        public ReadOnlySpan<byte> BytesOf(in Entry entry) => _text.AsSpan(entry.Start, entry.Length);

        /// <summary>Returns the record as it was read.</summary>
        public byte[] RawOf(in Entry entry)
        {
            if (entry.Raw is not null) return entry.Raw;
            var bytes = BytesOf(in entry);
            return [.. bytes[..entry.AddedAt], .. bytes[(entry.AddedAt + entry.AddedLength)..]];
        }

        /// <summary>Returns the record's <c>$insert_id</c>; null when it has none.</summary>
        public string? InsertIdOf(in Entry entry) => entry.IdLength == 0 ? null : Encoding.ASCII.GetString(BytesOf(in entry).Slice(entry.IdAt, entry.IdLength));

        /// <summary>Creates a batch of some of the records and what is known of them, with its own buffers.</summary>
        public RecordBatch Select(IReadOnlyList<int> indexes)
        {
            var length = 2 + indexes.Count;
            foreach (var index in indexes) length += _batch[index].Length;
            var selected = new RecordBatch(_batch.Number, indexes.Count, length, _batch._buffers) { Attempts = _batch.Attempts };
            foreach (var index in indexes) selected.Add(_batch[index], BytesOf(in _batch[index]), [], []);
            selected.Close();
            return selected;
        }

        public void Dispose()
        {
            if (_batch._compressed is null) return;
            _batch._buffers.Return(_text);
            _batch._buffers.Decompressing.Exit();
        }
    }
}

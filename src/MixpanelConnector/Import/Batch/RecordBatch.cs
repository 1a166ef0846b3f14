using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Compress;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.Batch;

/// <summary>
/// A stretch of the input: the records to send, as the JSON array that is the body of a request, and the account of everything
/// else on that stretch. Batches are numbered in the order of the input, without gaps. Once compressed, it holds its records only
/// so: few answers ask for a single record again. Owns its buffers until they are released.
/// </summary>
sealed class RecordBatch
{
    // What the largest batch takes: a buffer is not doubled beyond it.
    const int LargestBuffer = ImportRequest.LargestBatch + 2;

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

    /// <summary>The memory that the batch takes: its buffer (and a third as much for the compressed body, until there is one), its entries, its dead letters, and originals of records that were changed.</summary>
    public long Memory => (_compressed?.Memory ?? (_buffer.Length * 4L / 3)) + ((long)_entries.Length * Unsafe.SizeOf<Entry>()) + RejectedBytes + _rawBytes;

    /// <summary>What it holds of the import's memory; null until it is closed, and where memory is not counted.</summary>
    public MemoryLease? Lease { get; set; }

    /// <summary>The body of a request, compressed when <see cref="Compress"/> was called.</summary>
    public ReadOnlyMemory<byte> Body => _compressed?.Bytes ?? Text;

    ReadOnlyMemory<byte> Text => _buffer.AsMemory(0, Length + 1);

    /// <summary>Compresses the body, and lets go of the text.</summary>
    public void Compress()
    {
        if (_compressed is not null) return;
        _compressed = CompressedBody.Gzip(Text, _buffers);
        _buffers.Return(_buffer);
        _buffer = [];
    }

    /// <summary>Gives access to the records, which are decompressed for as long as it lasts: for one batch at a time.</summary>
    public OpenBatch Open() => new(this);

    public bool Repeatable { get; private set; } = true;

    /// <summary>How many requests carried the records.</summary>
    public int Attempts { get; set; }

    /// <summary>Whether one of the records says which ids are one user's.</summary>
    public bool SaysWhoIsWho { get; private set; }

    /// <summary>The records on this stretch that are not sent.</summary>
    public List<DeadLetter> Rejected { get; } = [];

    public long RejectedBytes { get; private set; }

    public long Blank { get; set; }

    /// <summary>The records to send that have the identity of one before them.</summary>
    public long SameIdentity { get; set; }

    /// <summary>What was changed in the records of this stretch.</summary>
    public CleanedCounts Cleaned { get; } = new();

    /// <summary>The records on this stretch that become nothing, by reason; null for none.</summary>
    public Dictionary<string, long>? LeftOut { get; private set; }

    /// <summary>What was done to the records of this stretch as they were mapped, and how often; null for nothing.</summary>
    public Dictionary<string, long>? Mapped { get; private set; }

    /// <summary>What the originals take that are kept of records that were changed.</summary>
    public long OriginalBytes => _rawBytes;

    /// <summary>The decompressed bytes of this stretch.</summary>
    public long Bytes { get; set; }

    /// <summary>How far each source is at the end of this stretch.</summary>
    public List<ImportSourceProgress> Reached { get; } = [];

    public long Records => Count + Rejected.Count + Blank + _leftOut;

    public ref readonly Entry this[int index] => ref _entries[index];

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
        SaysWhoIsWho |= entry.SaysWhoIsWho;
        _rawBytes += entry.Raw?.Length ?? 0;
        _entries[Count++] = entry;
    }

    /// <summary>Remembers that a request left open whether the records were taken, those from an index on.</summary>
    public void MarkMaybeDelivered(int from = 0)
    {
        foreach (ref var entry in _entries.AsSpan(from, Count - from)) entry.MaybeDelivered = true;
    }

    public void Reject(DeadLetter deadLetter)
    {
        Rejected.Add(deadLetter);
        RejectedBytes += deadLetter.Json.Length;
    }

    /// <summary>Counts a record that becomes nothing.</summary>
    public void LeaveOut(string reason)
    {
        _leftOut++;
        CollectionsMarshal.GetValueRefOrAddDefault(LeftOut ??= new(StringComparer.Ordinal), reason, out _)++;
    }

    /// <summary>Counts what was done to a record as it was mapped.</summary>
    public void AddMapped(string what, int count)
    {
        if (count > 0) CollectionsMarshal.GetValueRefOrAddDefault(Mapped ??= new(StringComparer.Ordinal), what, out _) += count;
    }

    public void Close() => _buffer[Length] = (byte)']';

    /// <summary>Gives the buffers back; the account stays.</summary>
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

    /// <summary>The records of a batch that is not being filled any more.</summary>
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

        /// <summary>The record as it was read.</summary>
        public byte[] RawOf(in Entry entry)
        {
            if (entry.Raw is not null) return entry.Raw;
            var bytes = BytesOf(in entry);
            return [.. bytes[..entry.AddedAt], .. bytes[(entry.AddedAt + entry.AddedLength)..]];
        }

        /// <summary>The record's <c>$insert_id</c>; null when it has none.</summary>
        public string? InsertIdOf(in Entry entry) => entry.IdLength == 0 ? null : Encoding.ASCII.GetString(BytesOf(in entry).Slice(entry.IdAt, entry.IdLength));

        /// <summary>A batch of some of the records and what is known of them, with buffers of its own.</summary>
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

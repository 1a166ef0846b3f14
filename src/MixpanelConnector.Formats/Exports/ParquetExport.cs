using System.Runtime.InteropServices;
using MixpanelConnector.Export;
using ParquetSharp;
using ParquetSharp.Schema;

namespace MixpanelConnector.Formats.Exports;

/// <summary>
/// Parquet: text, the time as a UTC timestamp in milliseconds, the properties as JSON. A missing value is null. A row group is written at 3 MiB, or less if
/// several files are open, since writing it uses several times as much memory.
/// </summary>
sealed class ParquetExport() : ExportFormat("parquet")
{
    const int LargestGroup = 3 << 20, SmallestGroup = 256 << 10, AllGroups = 4 << 20;

    internal override bool CompressesItself => true;

    internal override string UsualCompression => "zstd";

    internal override bool HasColumns => true;

    internal override ExportWriter Open(Stream content, ExportRequest request) => new Writer(content, request);

    sealed class Writer : ExportWriter
    {
        readonly bool _ofEvents;
        readonly int _largestGroup;
        readonly RecordCells _cells = new();
        readonly NativeBuffer<long> _times = new();
        readonly TextColumn[] _texts;
        readonly ParquetSharp.IO.ManagedOutputStream _output;
        readonly ParquetFileWriter _file;

        public Writer(Stream content, ExportRequest request)
        {
            _ofEvents = request.Kind is ExportKind.Events;
            _largestGroup = Math.Clamp(AllGroups / request.Parallel, SmallestGroup, LargestGroup);
            var names = RecordCells.Names(request);
            _texts = [.. names.Where(name => name != "time").Select(_ => new TextColumn())];
            using var text = LogicalType.String();
            using var json = LogicalType.Json();
            using var time = LogicalType.Timestamp(isAdjustedToUtc: true, TimeUnit.Millis);
            var nodes = names.Select(Node (name) => name switch
            {
                "time" => new PrimitiveNode(name, Repetition.Required, time, PhysicalType.Int64),
                "properties" or "$properties" => new PrimitiveNode(name, Repetition.Required, json, PhysicalType.ByteArray),
                "distinct_id" or "$insert_id" => new PrimitiveNode(name, Repetition.Optional, text, PhysicalType.ByteArray),
                _ => new PrimitiveNode(name, Repetition.Required, text, PhysicalType.ByteArray),
            }).ToArray();
            using var builder = new WriterPropertiesBuilder();
            builder.Compression(request.Compression?.Name switch { "none" => Compression.Uncompressed, "gzip" => Compression.Gzip, _ => Compression.Zstd });
            builder.EnablePageChecksum();
            builder.MemoryPool(MemoryPool.SystemMemoryPool()); // the default pool retains a hundred unused megabytes
            foreach (var name in names.Where(name => name != "event")) builder.DisableDictionary(name); // nearly all values are distinct
            using var properties = builder.Build();
            using var schema = new GroupNode("schema", Repetition.Required, nodes);
            _output = new ParquetSharp.IO.ManagedOutputStream(content, leaveOpen: true);
            _file = new ParquetFileWriter(_output, schema, properties);
            foreach (var node in nodes) node.Dispose();
        }

        public override bool TryWrite(ReadOnlySpan<byte> record, RecordScanner scanned)
        {
            if (scanned.HasMore) return false;
            _texts[0].Add(_cells.Id(record, scanned));
            if (_ofEvents)
            {
                _times.Add([scanned.Time]);
                _texts[1].Add(_cells.DistinctId(record, scanned), isThere: !scanned.DistinctId.IsNone);
                _texts[2].Add(_cells.InsertId(record, scanned), isThere: !scanned.InsertId.IsNone);
            }

            _texts[^1].Add(_cells.Properties(record, scanned));
            if (_texts.Sum(column => column.Length) >= _largestGroup) WriteGroup();
            return true;
        }

        public override void Complete()
        {
            WriteGroup();
            _file.Close();
        }

        public override void Dispose()
        {
            _file.Dispose();
            _output.Dispose();
            _times.Dispose();
            foreach (var column in _texts) column.Dispose();
        }

        void WriteGroup()
        {
            if (_texts[0].Rows == 0) return;
            using var group = _file.AppendRowGroup();
            for (var (column, text) = (0, 0); text < _texts.Length; column++)
            {
                using var writer = group.NextColumn();
                if (_ofEvents && column == 1) ((ColumnWriter<long>)writer).WriteBatch(_times.Written);
                else _texts[text++].WriteTo((ColumnWriter<ByteArray>)writer, isOptional: _ofEvents && column is 2 or 3);
            }

            _times.Clear();
            group.Close();
        }
    }

    /// <summary>The texts of a column until they are written.</summary>
    sealed class TextColumn : IDisposable
    {
        readonly NativeBuffer<byte> _bytes = new();
        readonly NativeBuffer<int> _ends = new();
        readonly NativeBuffer<short> _levels = new();
        readonly NativeBuffer<ByteArray> _values = new();

        public int Length => _bytes.Length + (_levels.Length * 8);

        public int Rows => _levels.Length;

        public void Add(ReadOnlySpan<byte> text, bool isThere = true)
        {
            _levels.Add([isThere ? (short)1 : (short)0]);
            if (!isThere) return;
            _bytes.Add(text);
            _ends.Add([_bytes.Length]);
        }

        public void WriteTo(ColumnWriter<ByteArray> writer, bool isOptional)
        {
            var start = 0;
            foreach (var end in _ends.Written)
            {
                _values.Add([new ByteArray(_bytes.Pointer + start, end - start)]);
                start = end;
            }

            if (isOptional) writer.WriteBatch(_levels.Length, _levels.Written, [], _values.Written);
            else writer.WriteBatch(_values.Written);
            _bytes.Clear();
            _ends.Clear();
            _levels.Clear();
            _values.Clear();
        }

        public void Dispose()
        {
            _bytes.Dispose();
            _ends.Dispose();
            _levels.Dispose();
            _values.Dispose();
        }
    }

    /// <summary>A buffer outside the managed heap, in which large buffers would remain long after their file is written.</summary>
    sealed unsafe class NativeBuffer<T> : IDisposable where T : unmanaged
    {
        T* _items;
        int _capacity;

        public int Length { get; private set; }

        public nint Pointer => (nint)_items;

        public ReadOnlySpan<T> Written => new(_items, Length);

        public void Add(ReadOnlySpan<T> items)
        {
            if (Length + items.Length > _capacity)
            {
                _capacity = Math.Max(Length + items.Length, Math.Max(1024, _capacity / 2 * 3));
                _items = (T*)NativeMemory.Realloc(_items, (nuint)_capacity * (nuint)sizeof(T));
            }

            items.CopyTo(new Span<T>(_items + Length, items.Length));
            Length += items.Length;
        }

        public void Clear() => Length = 0;

        public void Dispose()
        {
            NativeMemory.Free(_items);
            _items = null;
            (_capacity, Length) = (0, 0);
        }
    }
}

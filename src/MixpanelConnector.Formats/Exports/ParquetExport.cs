using System.Buffers;
using System.Runtime.InteropServices;
using MixpanelConnector.Export;
using ParquetSharp;
using ParquetSharp.Schema;

namespace MixpanelConnector.Formats.Exports;

/// <summary>Parquet: texts, the time as a timestamp of milliseconds in UTC, the properties as JSON. What is absent is null. A row group is written when it holds 8 MiB, or less where many files are open.</summary>
sealed class ParquetExport() : ExportFormat("parquet")
{
    const int LargestGroup = 8 << 20, SmallestGroup = 512 << 10, AllGroups = 32 << 20;

    internal override bool CompressesItself => true;

    internal override string UsualCompression => "zstd";

    internal override bool HasColumns => true;

    internal override ExportWriter Open(Stream content, ExportRequest request) => new Writer(content, request);

    sealed class Writer : ExportWriter
    {
        readonly bool _ofEvents;
        readonly int _largestGroup;
        readonly RecordCells _cells = new();
        readonly ArrayBufferWriter<long> _times = new();
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
            foreach (var name in names.Where(name => name != "event")) builder.DisableDictionary(name); // nearly each value is another
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
                _times.GetSpan(1)[0] = scanned.Time;
                _times.Advance(1);
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
        }

        void WriteGroup()
        {
            if (_texts[0].Rows == 0) return;
            using var group = _file.AppendRowGroup();
            for (var (column, text) = (0, 0); text < _texts.Length; column++)
            {
                using var writer = group.NextColumn();
                if (_ofEvents && column == 1) ((ColumnWriter<long>)writer).WriteBatch(_times.WrittenSpan);
                else _texts[text++].WriteTo((ColumnWriter<ByteArray>)writer, isOptional: _ofEvents && column is 2 or 3);
            }

            _times.ResetWrittenCount();
            group.Close();
        }
    }

    /// <summary>The texts of a column in one buffer, until they are written.</summary>
    sealed class TextColumn
    {
        readonly ArrayBufferWriter<byte> _bytes = new();
        readonly ArrayBufferWriter<int> _ends = new();
        readonly ArrayBufferWriter<short> _levels = new();

        public int Length => _bytes.WrittenCount + (_levels.WrittenCount * 8);

        public int Rows => _levels.WrittenCount;

        public void Add(ReadOnlySpan<byte> text, bool isThere = true)
        {
            _levels.GetSpan(1)[0] = isThere ? (short)1 : (short)0;
            _levels.Advance(1);
            if (!isThere) return;
            _bytes.Write(text);
            _ends.GetSpan(1)[0] = _bytes.WrittenCount;
            _ends.Advance(1);
        }

        public unsafe void WriteTo(ColumnWriter<ByteArray> writer, bool isOptional)
        {
            var ends = _ends.WrittenSpan;
            fixed (byte* bytes = &MemoryMarshal.GetReference(_bytes.WrittenSpan))
            {
                var values = new ByteArray[ends.Length];
                for (var (i, start) = (0, 0); i < ends.Length; start = ends[i++]) values[i] = new ByteArray((nint)(bytes + start), ends[i] - start);
                if (isOptional) writer.WriteBatch(_levels.WrittenCount, _levels.WrittenSpan, [], values);
                else writer.WriteBatch(values);
            }

            _bytes.ResetWrittenCount();
            _ends.ResetWrittenCount();
            _levels.ResetWrittenCount();
        }
    }
}

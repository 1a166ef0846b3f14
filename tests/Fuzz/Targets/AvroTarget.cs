using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using MixpanelConnector.Formats;
using MixpanelConnector.Formats.Avro;
using MixpanelConnector.Formats.Tests;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Fuzz;

/// <summary>
/// Avro files: whatever the bytes are, reading ends with records that are JSON or with a reason; and reading from any record on returns the
/// same records as reading from the first. The same bytes as a Snappy block decompress to the declared length, or to nothing.
/// </summary>
sealed class AvroTarget : Target
{
    readonly record struct Cut(string Text, long Offset, long Line, Hash128 Fingerprint);

    const int Resumes = 4;

    const string Schema = """
        {"type":"record","name":"Row","namespace":"a.b","fields":[{"name":"event","type":["null","string"]},{"name":"time","type":{"type":"long","logicalType":"timestamp-micros"}},
          {"name":"list","type":{"type":"array","items":["null","int","Row"]}},{"name":"map","type":{"type":"map","values":"double"}},{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["x","y"]}},
          {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},{"name":"fixed","type":{"type":"fixed","name":"F","size":2}},{"name":"day","type":{"type":"int","logicalType":"date"}},{"name":"yes","type":"boolean"},{"name":"f","type":"float"}]}
        """;

    static readonly ImportRequest Request = new() { Inputs = ["in.avro"], Formats = FileFormats.All };

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. ((string?[])[null, "null", "deflate", "snappy", "zstandard"]).Select(Made),
        HandMadeAvro.Snapped(Rows(3))[..^4],
    ];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. ((string[])
        [
            "\"null\"", "\"int\"", "\"long\"", "\"string\"", "\"bytes\"", "\"array\"", "\"map\"", "\"record\"", "\"enum\"", "\"fixed\"", "\"items\":",
            "\"values\":", "\"fields\":", "\"size\":", "\"Row\"", "decimal", "uuid", "duration", "[", "]", "{", "}", "avro.codec", "null", "deflate", "snappy",
        ]).Select(Encoding.UTF8.GetBytes),
        HandMadeAvro.Long(long.MaxValue), HandMadeAvro.Long(long.MinValue), HandMadeAvro.Long(-1), HandMadeAvro.Long(1 << 20), [0], [2], [0xff, 0xff],
        [0xfe, 0xff, 0xff, 0xff, 0x0f],
    ];

    public override void Run(byte[] input)
    {
        var (all, end) = Read(input, reached: null);
        foreach (var cut in all)
            if (Utf8.IsValid(Encoding.Latin1.GetBytes(cut.Text))) Hold(IsJson(cut.Text), "a record that is no JSON");
        for (var resume = 1; resume <= Resumes && all.Count > 0; resume++)
        {
            var before = Math.Max(1, all.Count * resume / Resumes);
            var (rest, restEnd) =
                Read(input, new ImportSourceProgress { Id = "in.avro", Offset = before, Line = before, Fingerprint = all[before - 1].Fingerprint.ToString() });
            Same(end, restEnd, $"how it ends, read on from record {before}");
            Same(all.Count - before, rest.Count, $"the number of records from {before} on");
            for (var at = 0; at < rest.Count; at++) Same(all[before + at], rest[at], $"record {before + at}, read on from {before}");
        }

        if (Snappy.LengthOf(input) is not (var length and <= 1 << 20, var begin)) return;
        Snappy.TryDecompress(input.AsSpan(begin), new byte[length]);
    }

    static (List<Cut> Cuts, string End) Read(byte[] input, ImportSourceProgress? reached)
    {
        var cuts = new List<Cut>();
        var window = new InputWindow(new StreamByteSource(new MemoryStream(input)));
        RecordReader? reader = null;
        try
        {
            reader = FileFormats.Avro.OpenAsync(
                new FormatInput(new InputFile("", "in.avro", "in.avro", Folder: null), window, 0, Compressed: false, reached, Request),
                default).AsTask().GetAwaiter().GetResult();
            do
            {
                while (reader.TryRead(out var record))
                    cuts.Add(new(Encoding.Latin1.GetString(record.Bytes), record.Offset, record.Line, reader.Fingerprint(reader.Position)));
            }
            while (reader.FillAsync(default).AsTask().GetAwaiter().GetResult());
            return (cuts, "the end");
        }
        catch (InputException e)
        {
            return (cuts, e.Message);
        }
        finally
        {
            reader?.Dispose();
            window.Dispose();
        }
    }

    static bool IsJson(string text)
    {
        try
        {
            var reader = new Utf8JsonReader(Encoding.Latin1.GetBytes(text), new JsonReaderOptions { MaxDepth = 1000 });
            while (reader.Read()) { }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    static byte[] Made(string? codec) => new HandMadeAvro(Schema, codec).Block(2, Rows(2)).Block(0, []).Block(3, Rows(3)).Bytes;

    static byte[] Rows(int count) => [.. Enumerable.Range(0, count).SelectMany(number => Row(number, inner: number % 2 == 0))];

    static byte[] Row(int number, bool inner) =>
    [
        2, .. HandMadeAvro.Text($"e{number}"), .. HandMadeAvro.Long(1_790_000_000_000_000 + number), .. HandMadeAvro.Long(inner ? 2 : 1), 0,
        .. inner ? (byte[])[4, .. Row(number, inner: false)] : [], 0,
        .. HandMadeAvro.Long(-1), .. HandMadeAvro.Long(9), .. HandMadeAvro.Text("k"), .. BitConverter.GetBytes(0.5), 0, 2, .. HandMadeAvro.Sized([4, 0xe2]), 7,
        8, .. HandMadeAvro.Long(20_638), 1, .. BitConverter.GetBytes(1.5f),
    ];
}

using System.Buffers;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Fuzz;

/// <summary>Splitting NDJSON and JSON arrays, compared with line feeds and <see cref="JsonDocument"/>. The first byte chooses the chunks.</summary>
sealed class DecoderTarget : Target
{
    readonly record struct Cut(RecordKind Kind, string Text, long Offset, long Line);

    static readonly SearchValues<byte> Between = SearchValues.Create("[, \t\r\n"u8);

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. ((string[])
        [
            "{\"event\":\"e\",\"properties\":{\"a\":[1,2,{\"b\":\"c\"}]}}\n{\"x\":1}\r\n\n  {\"y\":\"\\\"\\\\\"}  \n{\"z\":null}",
            "[{\"event\":\"e\",\"properties\":{\"a\":[1,2,{\"b\":\"c\"}]}},{\"x\":\"],}\\\"\"},\n 1 , \"s\" , null,[[],{}]\n]\n",
            "[]", "[\n]", "[ 1,2,3]", "[1\n,\n2]", "{\"a\":1", "[{\"a\":1},{\"b\"", "\n\n \t\r\n", "[\"\\u0041\\\\\",-1.5e+3,true]", "[[[[1]]]]",
            "{}{}\n[]\n1\n",
        ]).SelectMany(text => (byte[][])[[0, .. Encoding.UTF8.GetBytes(text)], [3, .. Encoding.UTF8.GetBytes(text)]]),
    ];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
        [
            .. ((string[])
            [
                "\n", "\r\n", "\r", " ", "\t", ",", "[", "]", "{", "}", "\"", "\\\"", "\\\\", "\\", ":", "null", "true", "1", "-1.5", "\"a\":", "{\"a\":1}",
                ",{}", "\"],[\"", "é", "\0",
            ]).Select(Encoding.UTF8.GetBytes),
        ];

    public override void Run(byte[] input)
    {
        if (input.Length == 0) return;
        var piece = input[0] == 0 ? int.MaxValue : input[0];
        var text = input[1..];
        Lines(text, piece);
        Array(text, piece);
    }

    static (List<Cut> Cuts, bool Partial, bool Broken) Read(RecordReader reader)
    {
        var cuts = new List<Cut>();
        using (reader)
        {
            try
            {
                do Take(reader, cuts);
                while (reader.FillAsync(default).AsTask().GetAwaiter().GetResult());
                Take(reader, cuts);
                return (cuts, reader.HasPartialRecord, false);
            }
            catch (InputException)
            {
                return (cuts, reader.HasPartialRecord, true);
            }
        }
    }

    static void Take(RecordReader reader, List<Cut> cuts)
    {
        while (reader.TryRead(out var record)) cuts.Add(new(record.Kind, Encoding.Latin1.GetString(record.Bytes), record.Offset, record.Line));
    }

    static InputWindow Window(byte[] text, int piece) => new(new StreamByteSource(new Pieces(text, piece)));

    static void Lines(byte[] text, int piece)
    {
        var (cuts, partial, broken) = Read(new NdjsonReader(Window(text, piece), 0, openLine: false));
        Hold(!broken, "lines cannot be broken");
        var at = 0;
        var expected = new List<Cut>();
        var expectPartial = false;
        for (var number = 1; at < text.Length; number++)
        {
            var end = System.Array.IndexOf(text, (byte)'\n', at);
            var line = Encoding.Latin1.GetString(text[at..(end < 0 ? text.Length : end)]);
            var record = line.Trim(' ', '\t', '\r');
            if (record.Length == 0) expected.Add(new(RecordKind.Blank, "", at, number));
            else if (end >= 0 || IsJson(Encoding.Latin1.GetBytes(line)))
                expected.Add(new(RecordKind.Json, record, at + line.IndexOf(record, StringComparison.Ordinal), number));
            else expectPartial = true;
            at = end < 0 ? text.Length : end + 1;
        }

        Same(expected.Count, cuts.Count, "the number of lines");
        for (var i = 0; i < cuts.Count; i++) Same(expected[i], cuts[i], $"line {i + 1}");
        Same(expectPartial, partial, "an incomplete last line");
    }

    static bool IsJson(byte[] text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    static void Array(byte[] text, int piece)
    {
        var (cuts, partial, broken) = Read(new JsonArrayReader(Window(text, piece), 0, begun: false));
        var end = 0L;
        foreach (var cut in cuts)
        {
            Hold(cut.Offset >= end && cut.Text.Length > 0, "elements overlap, or are empty");
            Same(Encoding.Latin1.GetString(text, (int)cut.Offset, cut.Text.Length), cut.Text, "an element's bytes");
            Same(1 + text.AsSpan(0, (int)cut.Offset).Count((byte)'\n'), cut.Line, "an element's line");
            Hold(text.AsSpan((int)end..(int)cut.Offset).IndexOfAnyExcept(Between) < 0, "something was left out between elements");
            end = cut.Offset + cut.Text.Length;
        }

        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind is JsonValueKind.Array)
            {
                Hold(!broken && !partial, "a valid array was called broken");
                Same(document.RootElement.GetArrayLength(), cuts.Count, "the number of elements");
                foreach (var (element, cut) in document.RootElement.EnumerateArray().Zip(cuts))
                    Same(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(element.GetRawText())), cut.Text, "an element");
                return;
            }
        }
        catch (JsonException)
        {
            // Then either the array is malformed, or one of its elements is not valid JSON and becomes one bad record.
        }
        catch (InvalidOperationException)
        {
            return; // text that is no valid UTF-8 cannot be given as a string
        }

        Hold(broken || cuts.Exists(cut => !IsJson(Encoding.Latin1.GetBytes(cut.Text))), "an array that is no valid JSON was read as if it were");
    }

    /// <summary>Returns its bytes in chunks.</summary>
    sealed class Pieces(byte[] bytes, int length) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, length)], cancellationToken);
    }
}

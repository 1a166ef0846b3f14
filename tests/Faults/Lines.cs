using System.Globalization;
using System.IO.Compression;
using System.Text.Unicode;

namespace MixpanelConnector.Faults;

/// <summary>The content of one line of an input.</summary>
enum LineKind
{
    Good,
    BadTime,
    NotJson,
    Blank,
}

/// <summary>Inputs whose lines are generated from their number, which each event has as its <c>oid</c>: a line can be regenerated for comparison.</summary>
sealed record Lines
{
    const long FirstTime = 1_757_000_000;

    // Values that a careless importer changes: numbers that do not fit a double, alternative spellings, escapes, bytes of every length.
    static readonly string[] Numbers = ["1", "12345678901234567890", "0.1000", "-0.0", "1e5", "9007199254740993", "3.141592653589793238462643", "1E-7"];
    static readonly string[] Texts = ["plain", "caf\\u00e9 \\/ \\\"quoted\\\"", "schöne Grüße", "雪 \\ud83d\\ude00", "😀 tab\\t line\\n", "", " ", "\\\\ end"];

    /// <summary>One line in this many is bad; 0 for none.</summary>
    public int BadEvery { get; init; }

    /// <summary>One line in this many is blank; 0 for none.</summary>
    public int BlankEvery { get; init; }

    /// <summary>One event in this many has its own <c>$insert_id</c>; 0 for none.</summary>
    public int OwnIdEvery { get; init; } = 3;

    /// <summary>The number of users.</summary>
    public int Users { get; init; } = 997;

    /// <summary>The number of padding characters in each event.</summary>
    public int Padding { get; init; }

    public LineKind KindOf(long n) =>
        BlankEvery > 0 && n % BlankEvery == BlankEvery - 1 ? LineKind.Blank
        : BadEvery == 0 || n % BadEvery != BadEvery - 1 ? LineKind.Good
        : n / BadEvery % 2 == 0 ? LineKind.BadTime : LineKind.NotJson;

    /// <summary>Writes a line without its line end; returns its length.</summary>
    public int Write(long n, Span<byte> target)
    {
        var kind = KindOf(n);
        if (kind is LineKind.Blank) return 0;
        var ok = kind is LineKind.BadTime
            ? Utf8.TryWrite(target, CultureInfo.InvariantCulture,
                $$$"""{"event":"Seen {{{n % 5}}}","properties":{"time":"late","distinct_id":"u{{{n % Users}}}",""", out var head)
            : Utf8.TryWrite(target, CultureInfo.InvariantCulture,
                $$$"""{"event":"Seen {{{n % 5}}}","properties":{"time":{{{FirstTime + (n % 1_000_000)}}},"distinct_id":"u{{{n % Users}}}",""", out head);
        var id = 0;
        if (OwnIdEvery > 0 && n % OwnIdEvery == 0) ok &= Utf8.TryWrite(target[head..], CultureInfo.InvariantCulture, $"\"$insert_id\":\"own-{n}\",", out id);
        ok &= Utf8.TryWrite(target[(head + id)..], CultureInfo.InvariantCulture, $$"""
            "oid":{{n}},"amount":{{Numbers[n % Numbers.Length]}},"text":"{{Texts[(n / 3) % Texts.Length]}}","list":[true,{{n}},null,{"k":"v"}]
            """, out var tail);
        var length = head + id + tail;
        if (Padding > 0)
        {
            ok &= ",\"padding\":\""u8.TryCopyTo(target[length..]);
            length += 12;
            target.Slice(length, Padding).Fill((byte)'x');
            length += Padding;
            target[length++] = (byte)'"';
        }

        if (kind is not LineKind.NotJson) ok &= "}}"u8.TryCopyTo(target[length..]);
        if (!ok) throw new InvalidOperationException("The line does not fit.");
        return kind is LineKind.NotJson ? length : length + 2;
    }

    /// <summary>Writes the lines of a range of numbers, whose end is exclusive.</summary>
    public void Write(Stream stream, long from, long to)
    {
        var buffer = new byte[64 << 10];
        var filled = 0;
        for (var n = from; n < to; n++)
        {
            if (buffer.Length - filled < 2048 + Padding)
            {
                stream.Write(buffer.AsSpan(0, filled));
                filled = 0;
            }

            filled += Write(n, buffer.AsSpan(filled));
            buffer[filled++] = (byte)'\n';
        }

        stream.Write(buffer.AsSpan(0, filled));
    }

    /// <summary>Writes a file of lines, compressed if its extension says so.</summary>
    public void WriteFile(string path, long from, long to)
    {
        using Stream file = File.Create(path);
        if (!path.EndsWith(".gz", StringComparison.Ordinal))
        {
            Write(file, from, to);
            return;
        }

        using var gzip = new GZipStream(file, CompressionLevel.Fastest);
        Write(gzip, from, to);
    }
}

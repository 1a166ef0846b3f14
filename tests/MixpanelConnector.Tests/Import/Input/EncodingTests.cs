using System.Globalization;
using System.Text;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Tests.Import.Input;

/// <summary>Text that is not in UTF-8.</summary>
public sealed class EncodingTests
{

    /// <summary>A label, text in its encoding, and the decoded text according to another program.</summary>
    public static TheoryData<string, string, string> Samples => new()
    {
        { "ibm866", "8caee1aaa2a020f1f0c4", "Москва ёЁ─" },
        { "iso-8859-2", "a3f364bc20b9ab", "Łódź šŤ" },
        { "iso-8859-3", "a1f5e6", "Ħġĉ" },
        { "iso-8859-4", "c0a3b9d9", "ĀŖšŲ" },
        { "iso-8859-5", "bcdee1dad2d020f0", "Москва №" },
        { "iso-8859-6", "d3e4c7e5", "سلام" },
        { "iso-8859-7", "c1e8deede120a1a4a2", "Αθήνα ‘€’" },
        { "iso-8859-8", "f9ece5ed", "שלום" },
        { "logical", "f9ece5ed", "שלום" },
        { "iso-8859-10", "a1bfffa9", "ĄŋĸĐ" },
        { "iso-8859-13", "c0feeba5a1", "Ąžė„”" },
        { "iso-8859-14", "d0fea2", "Ŵŷḃ" },
        { "iso-8859-15", "a4a6bd", "€Šœ" },
        { "iso-8859-16", "feaaa4", "țȘ€" },
        { "koi8-r", "edcfd3cbd7c120a3", "Москва ё" },
        { "koi8-u", "ebc9a7d720adb4", "Київ ґЄ" },
        { "macintosh", "5a9f7269636820bd", "Zürich Ω" },
        { "windows-874", "e4b7c2", "ไทย" },
        { "windows-1250", "a3f3649f209a8d80", "Łódź šŤ€" },
        { "windows-1251", "cceef1eae2e020b880", "Москва ёЂ" },
        { "latin1", "5afc72696368209620938094", "Zürich – “€”" },
        { "ISO-8859-1", "8e", "Ž" },
        { "us-ascii", "e9", "é" },
        { "windows-1253", "c1e8deede1", "Αθήνα" },
        { "iso-8859-9", "dd7374616e62756c20f080", "İstanbul ğ€" },
        { "windows-1255", "f9ece5ed20a4", "שלום ₪" },
        { "windows-1256", "d3e1c7e32081", "سلام پ" },
        { "windows-1257", "c0feeb", "Ąžė" },
        { "windows-1258", "f5fdfe", "ơư₫" },
        { "x-mac-cyrillic", "8ae8bbe220a2ff", "Київ Ґ€" },
        { "gb2312", "d6d0cec4209d68", "中文 漢" },
        { "gbk", "d6d0cec4209d68", "中文 漢" },
        { "gb18030", "d6d0cec4209439fc362084319b39", "中文 😀 ﾟ" },
        { "big5", "a4a4a4e5c163c5e9", "中文繁體" },
        { "euc-jp", "c6fccbdc8eb68ec5", "日本ｶﾅ" },
        { "iso-2022-jp", "1b2442467c4b5c1b28422061201b2442386c1b2842", "日本 a 語" },
        { "sjis", "93fa967b835c955cb6c5", "日本ソ表ｶﾅ" },
        { "windows-31j", "8740eee0", "①髙" },
        { "euc-kr", "c7d1b1b9208c63", "한국 똠" },
        { "utf-16", "5a00fc0072006900630068002000e56520003dd800de", "Zürich 日 😀" },
        { "utf-16be", "005a00fc0072006900630068002065e50020d83dde00", "Zürich 日 😀" },
        { "utf8", "5ac3bc7269636820e697a520f09f9880", "Zürich 日 😀" },
    };

    [Theory, MemberData(nameof(Samples))]
    public async Task Text_is_read_in_the_encoding_of_its_label_however_it_comes_in(string label, string hex, string text)
    {
        var bytes = Convert.FromHexString(hex);
        foreach (var (piece, room) in new[] { (1, 1), (1, 64), (3, 5), (1 << 20, 1 << 20), (1 << 20, 65) })
        {
            Assert.Equal(text, await ReadAsync(label, bytes, piece, room));
            if (!label.StartsWith("utf-16", StringComparison.Ordinal))
                Assert.Equal(Repeated(text),
                    await ReadAsync(label, [.. Enumerable.Repeat(bytes, 5000).SelectMany(part => part)], Math.Max(piece, 4095), Math.Max(room, 1000)));
        }
    }

    [Theory]
    [InlineData("utf-16", "3dd8000a", 0)] // the first half of a pair, and something else
    [InlineData("utf-16", "610000d800d8", 2)]
    [InlineData("utf-16", "61003dd8", 2)] // a half at the end
    [InlineData("utf-16", "610062", 2)]
    [InlineData("utf-16be", "0061dc00", 2)]
    [InlineData("windows-1252", "61620a81", 3)]
    [InlineData("windows-1253", "aa", 0)]
    [InlineData("windows-1255", "61ff", 1)]
    [InlineData("iso-8859-3", "6161a5", 2)]
    [InlineData("iso-8859-2", "9a", 0)]
    [InlineData("shift_jis", "93fa82", 2)] // the first byte of two at the end
    [InlineData("shift_jis", "6180", 1)]
    [InlineData("shift_jis", "61fd", 1)]
    [InlineData("euc-jp", "c6fcc6", 2)]
    [InlineData("big5", "61ffff", 1)]
    [InlineData("euc-kr", "6161ff", 2)]
    [InlineData("gb18030", "61ff", 1)]
    public async Task Bytes_that_stand_for_no_character_are_told_with_their_place(string label, string hex, int place)
    {
        foreach (var piece in new[] { 1, 64 })
        {
            var e = await Assert.ThrowsAsync<InputException>(() => ReadAsync(label, Convert.FromHexString(hex), piece, room: 64));
            var at = int.Parse(e.Message.Split("at byte ")[1].Split('.')[0], CultureInfo.InvariantCulture);
            Assert.InRange(at, place, place + 1); // the first byte of two, or the one after it
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"on line {(hex.Contains("0a81", StringComparison.Ordinal) ? 2 : 1)}"), e.Message,
                StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("utf-7")]
    [InlineData("utf-32")]
    [InlineData("hz-gb-2312")]
    [InlineData("iso-2022-kr")]
    [InlineData("cp1140")]
    [InlineData("")]
    public void What_is_no_label_is_no_encoding(string label) => Assert.Null(TextEncoding.Find(label));

    [Fact]
    public async Task Records_before_bytes_that_do_not_fit_are_taken_and_a_mended_file_goes_on()
    {
        using var run = new ImportRun();
        using var state = new InMemoryImportState();
        var text = string.Concat(Enumerable.Range(0, 3).Select(i => ImportRun.Event(i, ",\"city\":\"Zürich\"") + "\n"));
        var bytes = Encoding.Latin1.GetBytes(text);
        var request = run.Request(run.Folder.Write("in.ndjson", [.. bytes, (byte)'"', 0x9d])) with { Encoding = "latin1" };
        var first = await run.RunAsync(request, state);
        Assert.Equal((RunOutcome.Damaged, 4, 3, 1), (first.Outcome, first.Read, first.Accepted, first.Pending));
        Assert.Contains($"line 4, at byte {bytes.Length + 1}", first.Problems[0], StringComparison.Ordinal);

        run.Folder.Write("in.ndjson", [.. bytes, .. Encoding.Latin1.GetBytes(ImportRun.Event(3) + "\n")]);
        var second = await run.RunAsync(request, state);
        Assert.Equal((RunOutcome.Complete, 4, 3), (second.Outcome, second.Accepted, second.ResumedFrom));
        Assert.Equal(Enumerable.Range(0, 4), run.StoredNumbers());
        Assert.Contains("Zürich", run.Mixpanel.Stored[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("utf-16le", true)]
    [InlineData("utf-16be", true)]
    [InlineData("utf-16le", false)]
    [InlineData("shift_jis", false)]
    public async Task A_crash_at_any_checkpoint_is_resumed_without_loss(string label, bool marked)
    {
        var text = string.Concat(Enumerable.Range(0, 12).Select(i => i % 4 == 3 ? "{\"日本\"\n" : ImportRun.Event(i, ",\"city\":\"日本\"") + "\r\n"));
        var encoding = label == "shift_jis"
            ? CodePagesEncodingProvider.Instance.GetEncoding(932)!
            : new UnicodeEncoding(label == "utf-16be", byteOrderMark: false);
        byte[] bytes = [.. marked ? encoding.GetBytes("\uFEFF") : [], .. encoding.GetBytes(text)];
        for (var crash = 1; crash < 16; crash++)
        {
            using var run = new ImportRun();
            using var state = new CrashingState { CrashAtSave = crash };
            var request = run.Request(run.Folder.Write("in.ndjson", bytes)) with
            {
                Encoding = marked ? null : label,
                BatchEvents = 1,
                Senders = 1,
                CheckpointInterval = TimeSpan.Zero,
            };
            var first = await run.RunAsync(request, state);
            state.CrashAtSave = 0;
            var second = first.Outcome is RunOutcome.DiskFailed ? await run.RunAsync(request, state) : first;
            Assert.Equal((RunOutcome.Rejected, 9, 3), (second.Outcome, second.Accepted, second.Rejected));
            Assert.Equal(9, run.StoredNumbers().Distinct().Count());
            Assert.Equal([4, 8, 12], run.DeadLetters().Select(letter => letter.GetProperty("line").GetInt32()));
        }
    }

    [Fact]
    public async Task An_input_cut_at_any_byte_and_completed_gives_every_record_once()
    {
        byte[] whole = [.. Encoding.Unicode.GetBytes("\uFEFF" + ImportRun.Event(0, ",\"s\":\"😀\"") + "\n" + ImportRun.Event(1) + "\n")];
        for (var length = 5; length < whole.Length; length++)
        {
            using var run = new ImportRun();
            using var state = new InMemoryImportState();
            var request = run.Request(run.Folder.Write("in.ndjson", whole.AsSpan(0, length))) with { AllowEmpty = true };
            var first = await run.RunAsync(request, state);
            Assert.True(first.Outcome is RunOutcome.Complete or RunOutcome.Damaged, $"byte {length}: {first.Outcome}");
            run.Folder.Write("in.ndjson", whole);
            var second = await run.RunAsync(request, state);
            Assert.Equal((RunOutcome.Complete, 2, 0), (second.Outcome, second.Accepted, second.Rejected));
            Assert.Equal([0, 1], run.StoredNumbers());
        }
    }

    [Fact]
    public async Task Another_encoding_is_another_import_and_other_ids()
    {
        using var run = new ImportRun();
        using var state = new InMemoryImportState();
        var request = run.Request(run.Folder.Write("in.ndjson",
            Encoding.Latin1.GetBytes($$$"""{"event":"e","properties":{"time":{{{ImportRun.Time}}},"distinct_id":"ü"}}"""))) with
        {
            Encoding = "latin1",
        };
        Assert.Equal(RunOutcome.Complete, (await run.RunAsync(request, state)).Outcome);
        Assert.Equal(RunOutcome.Complete, (await run.RunAsync(request with { Encoding = "CP1252" }, state)).Outcome);
        var changed = await Assert.ThrowsAsync<MixpanelException>(() => run.RunAsync(request with { Encoding = "windows-1250" }, state));
        Assert.Contains("ImportRequest.Restart", changed.Message, StringComparison.Ordinal);
        var restarted = await Assert.ThrowsAsync<MixpanelException>(() => run.RunAsync(request with { Encoding = "windows-1250", Restart = true }, state));
        Assert.Contains("ImportRequest.NewIds", restarted.Message, StringComparison.Ordinal);
    }

    static string Repeated(string text) => string.Concat(Enumerable.Repeat(text, 5000));

    static async Task<string> ReadAsync(string label, byte[] text, int piece, int room)
    {
        var (source, _) =
            await TranscodingByteSource.OpenAsync(new Pieces(text, piece), new ImportRequest { Encoding = label }, TestContext.Current.CancellationToken);
        using var _ = source;
        using var read = new MemoryStream();
        var target = new byte[room];
        while (await source.ReadAsync(target, TestContext.Current.CancellationToken) is var count and > 0) read.Write(target, 0, count);
        return Encoding.UTF8.GetString(read.ToArray());
    }

    sealed class Pieces(byte[] text, int piece) : ByteSource
    {
        int _at;

        public override long RawPosition => _at;

        public override ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
        {
            var count = Math.Min(Math.Min(piece, target.Length), text.Length - _at);
            text.AsSpan(_at, count).CopyTo(target.Span);
            _at += count;
            return new(count);
        }

        public override void Dispose() { }
    }
}

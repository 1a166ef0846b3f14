using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Sqlite.Tests;

/// <summary>
/// Random inputs, random faults of Mixpanel and of the disk, resumed until done: afterwards every record is accounted for, and none is
/// lost, duplicated, merged or changed. Each seed is a reproducible scenario.
/// </summary>
public sealed class ImportAccountTests
{
    /// <summary>The kind of a record, which determines its outcome.</summary>
    enum Fate
    {
        Good,
        GoodWithoutId,
        Blank,
        Bad,
        RefusedByName,
        RefusedInSilence,
    }

    /// <summary>After this, the disk no longer fails: otherwise some seeds would need more than the allowed runs.</summary>
    const int FaultyRuns = 100;

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 25)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Every_record_is_accounted_for(int seed)
    {
#pragma warning disable RS0030 // seeded
        var random = new Random(seed);
#pragma warning restore RS0030
        using var folder = new TemporaryFolder();
        var fates = Enumerable.Range(0, random.Next(1, 4000))
            .Select(_ => random.Next(20) switch
            {
                0 => Fate.Blank,
                1 => Fate.Bad,
                2 => Fate.RefusedByName,
                3 when random.Next(20) == 0 => Fate.RefusedInSilence,
                < 8 => Fate.GoodWithoutId,
                _ => Fate.Good,
            }).ToList();
        var isArray = random.Next(3) == 0;
        if (isArray) fates.RemoveAll(fate => fate is Fate.Blank);
        var lines = fates.Select((fate, n) => Record(fate, n)).ToList();
        var text = isArray
            ? $"[ {string.Join(random.Next(2) == 0 ? "," : "\r\n , ", lines)}\n]"
            : string.Concat(lines.Select(line => line + (random.Next(2) == 0 ? "\n" : "\r\n")));
        var input = folder.Write("in.json", Encoded(text, gzip: random.Next(2) == 0));

        using var mixpanel = new MixpanelDouble();
        var clock = ImpatientClock.ForImports();
        var diskFails = random.Next(3) == 0;
        var faults = random.Next(4) == 0 ? 0 : random.Next(2, 8);
        var limit = random.Next(3) == 0 ? random.Next(2_000, 60_000) : int.MaxValue;
        var draws = new Lock();
        int Draw(int below)
        {
            lock (draws) return random.Next(below);
        }

        mixpanel.Script = request =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(90));
            if (faults > 0 && Draw(10) < faults)
            {
                switch (Draw(6))
                {
                    case 0: return MixpanelDouble.Answer(429, "{}");
                    case 1: return MixpanelDouble.Answer(503, "<html>");
                    case 2: throw new HttpRequestException("reset");
                    case 3:
                        mixpanel.Store(request.Records.Where(record => !Refused(record)));
                        return MixpanelDouble.Answer(502, "");
                    case 4:
                        mixpanel.Store(request.Records.Where(record => !Refused(record)));
                        throw new HttpRequestException("reset after it was taken");
                    case 5 when Draw(4) == 0: return MixpanelDouble.Answer(401, "{}");
                }
            }

            if (request.Body.Length > limit) return MixpanelDouble.Answer(413, "{}");
            if (request.Records.Any(record => record.Contains("silence", StringComparison.Ordinal)))
                return MixpanelDouble.Answer(400, """{"code":400,"error":"bad","status":"Bad Request"}""");
            var refused = request.Records.Index().Where(pair => Refused(pair.Item)).Select(pair => pair.Index).ToArray();
            return mixpanel.TakeAllBut(request, refused);
        };

        var options = new MixpanelOptions
        {
            ServiceAccount = new("a", new MixpanelSecret("b")),
            ProjectId = 1,
            TimeProvider = clock,
            Randomizer = () => 0.5,
            AttemptTimeout = TimeSpan.FromHours(2),
        };
        var importRequest = new ImportRequest { Inputs = [input], BatchEvents = random.Next(1, 300) };
        ImportReport report;
        var runs = 0;
        do
        {
            Assert.True(++runs < 200);
            using var http = new HttpClient(mixpanel, disposeHandler: false) { Timeout = Hang.Limit };
            using var client = new MixpanelClient(options, http);
            using var stop = new CancellationTokenSource();
            using var state = new FailingState(SqliteImportState.Open(folder.File("state")),
                () => diskFails && runs < FaultyRuns && Draw(6) == 0 ? (Draw(2) == 0, true) : default);
            report = await client.ImportAsync(importRequest, state, stop.Token);
            Assert.Equal(report.Read, report.Accepted + report.Rejected + report.Pending + report.Blank);
            Assert.True(report.Outcome is RunOutcome.Complete or RunOutcome.Rejected or RunOutcome.NotAllowed or RunOutcome.DiskFailed,
                string.Join('\n', report.Problems));
        }
        while (report.Outcome is RunOutcome.NotAllowed or RunOutcome.DiskFailed);

        Check(fates, lines, text, mixpanel, report, folder.File($"state/{StateFolder.DeadLettersName}"));
    }

    static void Check(List<Fate> fates, List<string> lines, string text, MixpanelDouble mixpanel, ImportReport report, string deadLetterPath)
    {
        var good = fates.Index().Where(pair => pair.Item is Fate.Good or Fate.GoodWithoutId).Select(pair => pair.Index).ToHashSet();
        var blank = fates.Count(fate => fate is Fate.Blank);

        // The counts are correct, and the exit code matches them.
        Assert.Equal((fates.Count, good.Count, blank, 0L), (report.Read, report.Accepted, report.Blank, report.Pending));
        Assert.Equal(report.Rejected == 0 ? RunOutcome.Complete : RunOutcome.Rejected, report.Outcome);

        // Nothing lost, duplicated, merged or changed: each valid record has its own unique identity and its own bytes.
        var identities = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var record in mixpanel.Stored.Distinct(StringComparer.Ordinal))
        {
            using var document = JsonDocument.Parse(record);
            var properties = document.RootElement.GetProperty("properties");
            var number = properties.GetProperty("n").GetInt32();
            var id = properties.GetProperty("$insert_id").GetString()!;
            Assert.True(identities.TryAdd(id, number));
            Assert.True(good.Remove(number), $"record {number} is there twice, or should not be there");
            var line = lines[number];
            Assert.Equal(line,
                line.Contains("$insert_id", StringComparison.Ordinal) ? record : record.Replace($"\"$insert_id\":\"{id}\",", "", StringComparison.Ordinal));
        }

        Assert.Empty(good);

        // Each refused record is in the file once, byte for byte, in order, and not in Mixpanel.
        var letters = File.ReadLines(deadLetterPath).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(
            string.Join('\n',
                fates.Index().Where(pair => pair.Item is Fate.Bad or Fate.RefusedByName or Fate.RefusedInSilence).Select(pair => lines[pair.Index])),
            string.Join('\n', letters.Select(letter => letter.Raw())));
        Assert.Equal(report.Rejected, letters.Count);
        foreach (var letter in letters)
        {
            var raw = letter.Raw();
            Assert.Equal(raw, text.Substring(letter.GetProperty("offset").GetInt32(), raw.Length));
            Assert.Equal(text[..letter.GetProperty("offset").GetInt32()].Count(c => c == '\n') + 1, letter.GetProperty("line").GetInt32());
        }
    }

    static bool Refused(string record) => record.Contains("refuse", StringComparison.Ordinal) || record.Contains("silence", StringComparison.Ordinal);

    static string Record(Fate fate, int n)
    {
        var id = fate is Fate.GoodWithoutId ? "" : string.Create(CultureInfo.InvariantCulture, $"\"$insert_id\":\"id-{n}\",");
        var more = fate switch
        {
            Fate.RefusedByName => ",\"x\":\"refuse\"",
            Fate.RefusedInSilence => ",\"x\":\"silence\"",
            Fate.Bad => ",\"x\":[1,]",
            _ => ",\"x\":\"\\u00e4\\\"]}\",\"y\":1.50e1",
        };
        return fate is Fate.Blank
            ? ""
            : string.Create(CultureInfo.InvariantCulture,
                $"{{\"event\":\"e\",\"properties\":{{{id}\"time\":1790000000,\"distinct_id\":\"u\",\"n\":{n}{more}}}}}");
    }

    static byte[] Encoded(string text, bool gzip)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        if (!gzip) return plain;
        using var buffer = new MemoryStream();
        using (var stream = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true)) stream.Write(plain);
        return buffer.ToArray();
    }
}

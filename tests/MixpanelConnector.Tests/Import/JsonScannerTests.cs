using System.Globalization;
using System.Text;
using MixpanelConnector.Import.Validate;

namespace MixpanelConnector.Tests.Import;

/// <summary>For every text, the fast check of a record has the same result as <see cref="System.Text.Json.Utf8JsonReader"/>.</summary>
public sealed class JsonScannerTests
{
    const int Seed = 20_261_123;

    /// <summary>The number of mutated records to compare; this variable sets more.</summary>
    static readonly int Mutations = int.Parse(Environment.GetEnvironmentVariable("CAMPAIGN_MUTATIONS") ?? "50000", CultureInfo.InvariantCulture);

    static readonly string[] Events =
    [
        """{"event":"Page Viewed","properties":{"time":1790000000,"distinct_id":"user-0000012345","$insert_id":"5f0c2a6e-9a54-4f0e-9f58-0123456789ab","$browser":"Chrome","$browser_version":128,"$city":"Zürich","$os":"Mac OS X","$screen_height":1080,"$screen_width":1920,"mp_lib":"web","path":"/products/4711/reviews?sort=newest&page=2","referrer":"https://www.example.com/search?q=shoes","price":129.95,"is_member":true,"tags":["a","b","c"]}}""",
        """{"event":"e","properties":{"time":1790000000,"distinct_id":"u"}}""",
        """{"properties":{"distinct_id":"","time":1790000000123,"x":{"y":[{"z":{"w":null}},[],{},[[1,2],[3]]],"v":"\u00e9\n\"\\\/"},"t":"😀 \ud83d\ude00"},"event":"\u0065"}""",
        """{"event":"numbers","properties":{"time":1790000000,"$user_id":7,"a":0,"b":-0,"c":-1.5,"d":1e10,"e":1E-10,"f":1.25e+300,"g":12345678901234567890123456789.10,"h":-0.0e0,"i":0.1}}""",
        """ { "event" : "spaces" , "properties" : { "time" : 1790000000 , "$device_id" : "d" , "a" : [ 1 , true , false , null , "x" ] , "b" : { } , "c" : [ ] } } """,
        """{"event":"escaped keys","properties":{"\u0074ime":1790000000,"distinct\u005fid":"u","$insert_id":"\u0061bc","a\"b":1,"a\\b":2,"\ud83d\ude00":3}}""",
        """{"event":"duplicate","properties":{"time":1790000000,"distinct_id":"u","x":1,"y":{"x":1,"z":[{"x":1},{"x":2}]},"\u0078":2}}""",
        """{"event":"bad halves","properties":{"time":1790000000,"distinct_id":"u","a":"\ud83d","b":"\ude00\ud83d","c":"\ud83d\ud83d\ude00"}}""",
        """{"event":"\ud83dx","properties":{"time":1790000000,"distinct_id":"\ude00","$insert_id":"\ud800"}}""",
        """{"event":"range","properties":{"time":1790000000,"distinct_id":"u","a":1e308,"b":-1e400,"c":0e999999}}""",
        """{"event":"deep","properties":{"time":1790000000,"distinct_id":"u","a":{"b":{"c":{"d":1}}},"e":[[[[[[[[1]]]]]]]]}}""",
        """{"event":"banned","properties":{"time":1790000000,"distinct_id":"null","$insert_id":"und\u0065fined"}}""",
        """{"event":"\t ","properties":{"time":"1790000000","distinct_id":true,"$ignore":1}}""",
        """{"event":"long text that goes beyond thirty-two bytes and then some, so that more than one block is looked at","properties":{"time":1790000000,"distinct_id":"uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"}}""",
        """{"event":"e","properties":{}}""", """{"event":"e"}""", "{}", "[1]", "1", "\"a\"", "null", "nullx", "tru", " ", "", "-", "1.", "{", "{\"", "{\"a",
        "{\"a\"", "{\"a\":", "{\"event\":1",
        "{\"event\":\"abcdefghijklmnopqrstuv", "{\"event\":\"abcdefghijklmnopqrstuvw\\", "{\"event\":\"abcdefghijklmnopqrstuvw\"",
        "{\"event\":\"abcdefghijklmnopqrstu\"}", "{\"event\":1/", "{\"event\":truex}",
    ];

    static readonly string[] Profiles =
    [
        """{"$distinct_id":"u","$properties":{"name":"Ada","n":1,"tags":["a","b"],"nested":{"a":{"b":{"c":{"d":{"e":1}}}}}}}""",
        """{"$token":"token","$distinct_id":"u","$set":{"name":"Ada","plan":"pro"}}""",
        """{"$token":"\u0074oken","$distinct_id":"u","$add":{"n":1,"m":-2.5}}""",
        """{"$token":"other","$distinct_id":" ","$union":{"tags":["a","b"]}}""",
        """{"$distinct_id":"u","$unset":["a","b"]}""",
        """{"$distinct_id":"u","$delete":"","$set":{}}""",
        """{"$distinct_id":"u","$set":{"deep":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}}""",
    ];

    static readonly string[] Pieces =
    [
        "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "1", "9", "-", "+", ".", "e", "E", "/", "//", "/**/", " ", "\t", "\r", "\n", "\0", "\u001f", "\u007f",
        "true", "false", "null", "NaN",
        "\\u", "\\u0000", "\\ud83d", "\\ude00", "\\ud83d\\ude00", "\\uD83D\\u0041", "\\x", "\\u12\0\0", "\\u 12f", "\\\"", "\\/", "\"a\":1,", ",\"a\":1",
        "{\"a\":{}}", "[[]]", "1e999", "-1E+400", "00", "01", "1.", ".5", "1e", "ä", "😀",
        "\"time\":1,", "\"event\":\"x\",", "\"properties\":{},", "\"$insert_id\":\"a\",", "\"distinct_id\":\"0\",", "\"$ignore\":1,", "\"x\":2,",
    ];

    readonly JsonScanner _walk = new();
    readonly ReaderWalk _reader = new();
    readonly EventRules _events = new(SharedProperties.None);
    readonly EventRules _sharing = new(SharedProperties.Parse("""{"x":1,"time":1790000000,"z\"":2}"""));
    readonly ProfileRules _profiles = new("token", groupKey: null);

    [Fact]
    public void Mutated_records_get_the_verdict_of_the_reader()
    {
        var random = new Random(Seed);
        var corpus = Events.Concat(Profiles).Select(Encoding.UTF8.GetBytes).ToArray();
        for (var i = 0; i < Mutations; i++)
        {
            var chosen = random.Next(corpus.Length);
            var text = corpus[chosen].ToList();
            for (var changes = random.Next(1, 4); changes > 0; changes--) Mutate(text, corpus, random);
            Compare([.. text], profile: chosen >= Events.Length, $"mutation {i} of seed {Seed}");
        }
    }

    [Fact]
    public void Every_beginning_of_a_record_gets_the_verdict_of_the_reader()
    {
        foreach (var record in Events.Concat(Profiles).Select(Encoding.UTF8.GetBytes))
            for (var length = 0; length <= record.Length; length++)
                Compare(record[..length], profile: false, "a beginning");
    }

    [Fact]
    public void Every_change_of_one_byte_gets_the_verdict_of_the_reader()
    {
        foreach (var text in Events.Where(text => text.Length < 200).Skip(1).Take(6))
        {
            var record = Encoding.UTF8.GetBytes(text);
            for (var at = 0; at < record.Length; at++)
            {
                var kept = record[at];
                for (var value = 0; value < 256; value++)
                {
                    record[at] = (byte)value;
                    Compare(record, profile: false, "one byte");
                }

                record[at] = kept;
            }
        }
    }

    [Fact]
    public void Of_many_keys_each_one_is_found_again_and_no_other()
    {
        // More than the bits that distinguish most keys.
        var keys = Enumerable.Range(0, 150).Select(i => $"\"key{i}\":1").ToArray();
        var all = string.Join(',', keys);
        Assert.Null(Verdict(all));
        Assert.Null(Verdict($"\"inner\":{{{all}}},{all}"));
        foreach (var key in keys)
        {
            Assert.Equal("duplicate_key", Verdict($"{all},{key}"));
            Assert.Equal("duplicate_key", Verdict($"{all},\"inner\":{{\"a\":1}},{key}"));
            Assert.Equal("duplicate_key", Verdict($"\"inner\":{{{all},{key}}}"));
        }

        string? Verdict(string properties)
        {
            _events.Reset(0);
            return _walk.Check(Encoding.UTF8.GetBytes($"{{\"event\":\"e\",\"properties\":{{{properties}}}}}"), _events)?.Code;
        }
    }

    [Fact]
    public void A_string_may_end_anywhere_in_a_block()
    {
        for (var length = 0; length < 140; length++)
            for (var bad = -1; bad < length; bad++)
                foreach (var what in "\"\\\n\u001fé")
                {
                    var text = new string('x', length);
                    if (bad >= 0) text = text[..bad] + what + text[(bad + 1)..];
                    Compare(Encoding.UTF8.GetBytes($"{{\"event\":\"{text}\"}}"), profile: false, "a block");
                }
    }

    static void Mutate(List<byte> text, byte[][] corpus, Random random)
    {
        var at = random.Next(text.Count + 1);
        var length = Math.Min(random.Next(1, 12), text.Count - at);
        switch (random.Next(8))
        {
            case 0:
                text.InsertRange(at, Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)]));
                break;
            case 1:
                text.RemoveRange(at, length);
                text.InsertRange(at, Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)]));
                break;
            case 2:
                text.RemoveRange(at, length);
                break;
            case 3:
                text.InsertRange(at, text.Skip(random.Next(text.Count + 1)).Take(random.Next(60)).ToArray());
                break;
            case 4:
                text.RemoveRange(at, text.Count - at);
                break;
            case 5:
                var other = corpus[random.Next(corpus.Length)];
                text.RemoveRange(at, text.Count - at);
                text.AddRange(other[random.Next(other.Length + 1)..]);
                break;
            default:
                if (at < text.Count) text[at] = (byte)random.Next(256);
                break;
        }
    }

    void Compare(byte[] record, bool profile, string what)
    {
        if (profile)
        {
            _profiles.Reset();
            var reader = (_reader.Check(record, _profiles) ?? _profiles.Missing(), _profiles.HasToken, _profiles.Repeatable, _profiles.PropertiesNameAt);
            _profiles.Reset();
            AssertSame(reader, (_walk.Check(record, _profiles) ?? _profiles.Missing(), _profiles.HasToken, _profiles.Repeatable, _profiles.PropertiesNameAt),
                record, what);
            return;
        }

        foreach (var rules in new[] { _events, _sharing })
        {
            rules.Reset(ImportRun.Time);
            var reader = (_reader.Check(record, rules) ?? rules.Missing(), rules.PropertiesAt, rules.HasInsertId, rules.InsertId, rules.Properties,
                rules == _sharing && rules.Overrides(0));
            rules.Reset(ImportRun.Time);
            AssertSame(reader,
                (_walk.Check(record, rules) ?? rules.Missing(), rules.PropertiesAt, rules.HasInsertId, rules.InsertId, rules.Properties,
                    rules == _sharing && rules.Overrides(0)),
                record, what);
        }
    }

    static void AssertSame<T>(T reader, T walk, byte[] record, string what)
    {
        if (!Equals(reader, walk))
            Assert.Fail($"{what}: the reader says {reader}, the walk {walk}, of {Convert.ToBase64String(record)}: {Encoding.UTF8.GetString(record)}");
    }
}

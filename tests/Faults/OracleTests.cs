using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Faults;

/// <summary>The oracle itself: it accepts correct imports, and detects each injected defect.</summary>
public sealed class OracleTests
{
    static readonly Lines Shape = new() { BadEvery = 10, BlankEvery = 25 };

    readonly Evidence _right = Right();

    [Fact]
    public void It_shares_no_code_with_what_it_judges() =>
        Assert.DoesNotContain(typeof(Oracle).Assembly.GetReferencedAssemblies(),
            reference => reference.Name is "mixpanel"
                || (reference.Name!.StartsWith("MixpanelConnector", StringComparison.Ordinal) && reference.Name != "MixpanelConnector.Testing"));

    [Fact]
    public void What_is_right_passes() => Assert.Empty(Oracle.Judge(_right));

    [Fact]
    public void A_loss_is_caught() => Caught("I2 line 3", _right with { Sink = [.. _right.Sink.Where(arrival => arrival.Oid != 2)] });

    [Fact]
    public void A_lost_dead_letter_is_caught() => Caught("I2 line 10", _right with { DeadLetters = [.. _right.DeadLetters!.Skip(1)] });

    [Fact]
    public void An_event_from_nowhere_is_caught() => Caught("I2 event 4711", _right with { Sink = [.. _right.Sink, _right.Sink[0] with { Oid = 4711 }] });

    [Fact]
    public void A_repetition_under_the_same_key_is_none() => Assert.Empty(Oracle.Judge(_right with { Sink = [.. _right.Sink, _right.Sink[5]] }));

    [Fact]
    public void A_double_is_caught() =>
        Caught($"I3 event {_right.Sink[5].Oid}",
            _right with { Sink = [.. _right.Sink, _right.Sink[5] with { Key = _right.Sink[5].Key with { InsertId = "another" } }] });

    [Fact]
    public void A_merge_is_caught() =>
        Caught("I4 events 0, 1 share",
            _right with { Sink = [.. _right.Sink.Select(arrival => arrival.Oid == 1 ? arrival with { Key = _right.Sink[0].Key } : arrival)] });

    [Fact]
    public void A_merge_by_compaction_is_caught() =>
        Caught("I4 events 0, 1 share",
            _right with
            {
                Sink = [.. _right.Sink.Select(arrival => arrival.Oid == 1 ? arrival with { Key = _right.Sink[0].Key with { Time = "1757000009" } } : arrival)],
            });

    [Theory]
    [InlineData("12345678901234567890", "12345678901234567000", "amount")]
    [InlineData("0.1000", "0.1", "amount")]
    [InlineData("\"list\":[true", "\"list\":[false", "list")]
    [InlineData(",\"list\"", ",\"more\":1,\"list\"", "more")]
    [InlineData("plain", "Plain", "text")]
    public void An_altered_value_is_caught(string written, string altered, string where)
    {
        var victim = _right.Sink.First(arrival => arrival.Json.GetRawText().Contains(written, StringComparison.Ordinal));
        var other = victim with { Json = JsonElement.Parse(victim.Json.GetRawText().Replace(written, altered, StringComparison.Ordinal)) };

        var finding = Caught($"I5 event {victim.Oid}", _right with { Sink = [.. _right.Sink.Select(arrival => arrival == victim ? other : arrival)] });

        Assert.Contains(where, finding, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dead_letter_for_what_arrived_is_caught()
    {
        var first = _right.Source[0];
        Caught("I6 event 0",
            _right with { DeadLetters = [.. _right.DeadLetters!, new DeadLine(first.File, 1, 0, first.Raw, "rejected", "", 1, MaybeDelivered: false)] });
        Assert.DoesNotContain(
            Oracle.Judge(_right with
            {
                DeadLetters = [.. _right.DeadLetters!, new DeadLine(first.File, 1, 0, first.Raw, "rejected", "", 1, MaybeDelivered: true)],
            }),
            finding => finding.StartsWith("I6", StringComparison.Ordinal));
    }

    [Fact]
    public void A_dead_letter_with_other_bytes_is_caught() =>
        Caught("I6 the dead letter of line 10 holds", WithFirstLetter(letter => letter with { Raw = [.. letter.Raw, (byte)' '] }));

    [Fact]
    public void A_dead_letter_of_another_line_is_caught() =>
        Caught("I6 the dead letter of line 10 says line 11", WithFirstLetter(letter => letter with { Line = 11 }));

    [Fact]
    public void A_dead_letter_of_no_record_is_caught() =>
        Caught("I6 a dead letter names", WithFirstLetter(letter => letter with { Offset = letter.Offset + 1 }));

    [Fact]
    public void A_second_dead_letter_is_caught() => Caught("I6 the record at", _right with { DeadLetters = [.. _right.DeadLetters!, _right.DeadLetters![0]] });

    [Theory]
    [InlineData("read", 1, "I1 ")]
    [InlineData("accepted", 1, "I8 ")]
    [InlineData("rejected", -1, "I1 ")]
    [InlineData("blank", -1, "I8 ")]
    [InlineData("pending", 1, "I8 ")]
    [InlineData("exit_code", -3, "I8 the report says exit 0, the process 3")]
    public void A_lie_in_the_report_is_caught(string field, int by, string finding) =>
        Caught(finding, _right with { Report = Changed(_right.Report!.Value, field, by) });

    [Fact]
    public void A_success_with_dead_letters_is_caught() =>
        Caught("I8 exit 0", _right with { ExitCode = 0, Report = Changed(_right.Report!.Value, "exit_code", -3) });

    [Fact]
    public void A_failure_without_a_word_is_caught() => Caught("I8 exit 3 without a word", _right with { Said = " \n" });

    [Fact]
    public void A_missing_report_is_caught() => Caught("I8 exit 3 without a report", _right with { Report = null });

    [Fact]
    public void A_checkpoint_that_leads_is_caught()
    {
        var state = Half();
        Assert.Empty(Oracle.JudgeState(null, state, _right.Source, _right.Sink));
        Assert.Contains(Oracle.JudgeState(null, state, _right.Source, [.. _right.Sink.Skip(1)]),
            finding => finding.StartsWith("I7 the checkpoint is past line 1", StringComparison.Ordinal));
    }

    [Fact]
    public void A_checkpoint_that_goes_back_or_away_is_caught()
    {
        var state = Half();
        var earlier = state with { Offsets = state.Offsets.ToDictionary(pair => pair.Key, pair => pair.Value - 1, StringComparer.Ordinal) };
        Assert.Contains(Oracle.JudgeState(state, earlier, _right.Source, _right.Sink),
            finding => finding.StartsWith("I7 events.ndjson went back", StringComparison.Ordinal));
        Assert.Contains("I7 the checkpoint is gone", Oracle.JudgeState(state, null, _right.Source, _right.Sink), StringComparer.Ordinal);
    }

    [Fact]
    public void Counts_of_a_state_that_do_not_add_up_are_caught() =>
        Assert.Contains(Oracle.JudgeState(null, Half() with { Accepted = 1 }, _right.Source, _right.Sink),
            finding => finding.StartsWith("I1 the state counts", StringComparison.Ordinal));

    [Theory]
    [InlineData("{0}")]
    [InlineData("a line with {0} within")]
    public void A_secret_is_found_as_it_is(string text)
    {
        var canary = new Canary("user", "s+cr/et-4711=");
        Assert.True(canary.IsIn(Encoding.UTF8.GetBytes(string.Format(CultureInfo.InvariantCulture, text, "s+cr/et-4711="))));
        Assert.False(canary.IsIn(Encoding.UTF8.GetBytes(string.Format(CultureInfo.InvariantCulture, text, "s+cr/et-4712="))));
    }

    [Fact]
    public void A_secret_is_found_in_disguise()
    {
        const string Secret = "s+cr/et-4711=";
        var canary = new Canary("user", Secret);
        var plain = Encoding.UTF8.GetBytes(Secret);
        Assert.True(canary.IsIn(Encoding.ASCII.GetBytes(canary.Authorization)));
        Assert.True(canary.IsIn(Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes($"ab{Secret}tail")))));
        Assert.True(canary.IsIn(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(plain))));
        Assert.True(canary.IsIn(Encoding.ASCII.GetBytes(Uri.EscapeDataString(Secret))));
        Assert.True(canary.IsIn(Encoding.Unicode.GetBytes(Secret)));
        Assert.True(canary.IsIn([.. plain.Reverse()]));
    }

    [Fact]
    public void The_soaks_oracle_passes_what_is_right_and_catches_what_is_planted()
    {
        Assert.Empty(Soaked(_ => { }));
        Assert.Contains(Soaked(oracle => oracle.Skip = 11), finding => finding.StartsWith("I2 event 11", StringComparison.Ordinal));
        Assert.Contains(Soaked(oracle => oracle.Rekey = 13), finding => finding.StartsWith("I3 event 13", StringComparison.Ordinal));
        Assert.Contains(Soaked(oracle => oracle.Merge = true), finding => finding.StartsWith("I4 ", StringComparison.Ordinal));
        Assert.Contains(Soaked(oracle => oracle.Alter = 14), finding => finding.StartsWith("I5 event 14", StringComparison.Ordinal));
        Assert.Contains(Soaked(oracle => oracle.Accepted = 1), finding => finding.StartsWith("I8 ", StringComparison.Ordinal));
        Assert.Contains(Soaked(oracle => oracle.OneMoreLetter = true), finding => finding.StartsWith("I6 event 16", StringComparison.Ordinal));
    }

    static IReadOnlyList<string> Soaked(Action<SoakPlant> plant)
    {
        var planted = new SoakPlant();
        plant(planted);
        return planted.Judge();
    }

    static string Caught(string finding, Evidence evidence) =>
        Assert.Single(Oracle.Judge(evidence).Where(found => found.StartsWith(finding, StringComparison.Ordinal)).Take(1));

    Evidence WithFirstLetter(Func<DeadLine, DeadLine> change) => _right with { DeadLetters = [change(_right.DeadLetters![0]), .. _right.DeadLetters.Skip(1)] };

    static JsonElement Changed(JsonElement report, string field, int by) =>
        JsonSerializer.SerializeToElement(report.EnumerateObject().ToDictionary(property => property.Name,
            property => property.Value.GetInt64() + (property.Name == field ? by : 0), StringComparer.Ordinal));

    StoredState Half()
    {
        var settled = _right.Source.Take(50).ToList();
        var letters = _right.DeadLetters!.Where(letter => letter.Line <= 50).ToList();
        var blank = settled.Count(record => record.IsBlank);
        return new(new Dictionary<string, long>(StringComparer.Ordinal) { ["events.ndjson"] = _right.Source[50].Offset }, 50 - blank - letters.Count,
            letters.Count, blank, Finished: false, letters);
    }

    /// <summary>A correct import.</summary>
    static Evidence Right()
    {
        const int Count = 100;
        var source = new List<SourceRecord>();
        var offset = 0L;
        var buffer = new byte[1000];
        for (var n = 0; n < Count; n++)
        {
            var raw = buffer[..Shape.Write(n, buffer)];
            source.Add(new("events.ndjson", n + 1, offset, raw));
            offset += raw.Length + 1;
        }

        var good = source.Where(record => !record.IsBlank && Shape.KindOf(record.Line - 1) is LineKind.Good).ToList();
        var letters = source.Where(record => Shape.KindOf(record.Line - 1) is LineKind.BadTime or LineKind.NotJson)
            .Select(record => new DeadLine(record.File, record.Line, record.Offset, record.Raw, "time_invalid", "", 0, MaybeDelivered: false)).ToList();
        var blank = source.Count(record => record.IsBlank);
        return new Evidence
        {
            Source = source,
            Sink = [.. good.Select(record => Arrive(record, record.Oid))],
            DeadLetters = letters,
            Report = JsonElement.Parse(
                $$"""{"read":{{Count}},"accepted":{{good.Count}},"rejected":{{letters.Count}},"pending":0,"blank":{{blank}},"exit_code":3}"""),
            ExitCode = 3,
            Said = "some records were not accepted",
        };
    }

    static Arrival Arrive(SourceRecord record, long oid)
    {
        var text = Encoding.UTF8.GetString(record.Raw);
        if (!text.Contains("$insert_id", StringComparison.Ordinal))
            text = text.Replace("\"properties\":{", $"\"properties\":{{\"$insert_id\":\"made-{oid}\",", StringComparison.Ordinal);
        var json = JsonElement.Parse(text);
        return new Arrival(oid, DedupeKey.Of(json), json);
    }
}

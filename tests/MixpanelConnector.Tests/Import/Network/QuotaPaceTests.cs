using MixpanelConnector.Bench;
using MixpanelConnector.Import.Send;

namespace MixpanelConnector.Tests.Import.Network;

/// <summary>How much of a quota imports use, and how many of their requests are refused: a deterministic simulation with its own clock.</summary>
public class QuotaPaceTests
{
    const int Batch = 2000;

    /// <summary>The efficiency is the accepted events divided by those that the quota allows in that time, including the initial window.</summary>
    [Theory]
    [InlineData("rolling 1800000", 9_000_000, 30_000, 0.95, 0.05)]
    [InlineData("rolling 1800000 slow-answers", 9_000_000, 30_000, 0.95, 0.05)]
    [InlineData("rolling 1800000 halves", 9_000_000, 19_286, 0.90, 0.05)]
    [InlineData("rolling 1800000 another", 6_000_000, 20_000, 0.95, 0.05)]
    [InlineData("fixed 1800000", 9_000_000, 30_000, 0.95, 0.05)]
    [InlineData("bucket 30000", 9_000_000, 30_000, 0.95, 0.05)]
    [InlineData("bucket 3000", 900_000, 3_000, 0.90, 0.10)]
    [InlineData("bucket 3000 halves", 900_000, 2_000, 0.90, 0.10)]
    [InlineData("bucket 3000 another", 600_000, 2_000, 0.90, 0.10)]
    [InlineData("bucket 3000 saved-up", 900_000, 3_000, 0.90, 0.11)]
    public void A_quota_is_used_and_hardly_met(string quota, int records, double rate, double efficiency, double refused)
    {
        foreach (var retryAfter in (bool[])[false, true])
        {
            var import = Assert.Single(new Simulation(quota, retryAfter).Run(1, records));

            Assert.Equal(records, import.Taken);
            Assert.True(records / rate / import.End >= efficiency, $"{quota}, Retry-After {retryAfter}: efficiency {records / rate / import.End:f3}");
            Assert.True(import.Refused / (double)import.Requests <= refused,
                $"{quota}, Retry-After {retryAfter}: {import.Refused} of {import.Requests} refused");
        }
    }

    [Theory]
    [InlineData("rolling 1800000", 30_000, 0.90, 0.75)]
    [InlineData("bucket 30000", 30_000, 0.90, 0.75)]
    public void Two_imports_on_one_quota_share_it(string quota, double rate, double efficiency, double fairness)
    {
        foreach (var retryAfter in (bool[])[false, true])
        {
            var imports = new Simulation(quota, retryAfter).Run(2, 4_500_000);
            var end = imports.Max(import => import.End);

            Assert.True(imports.Sum(import => import.Taken) / rate / end >= efficiency, $"Retry-After {retryAfter}: ended at {end:f0} s");
            Assert.True(imports.Min(import => import.End) / end >= fairness,
                $"Retry-After {retryAfter}: ended at {string.Join(", ", imports.Select(import => $"{import.End:f0} s"))}");
        }
    }

    [Fact]
    public void Without_a_refusal_nothing_is_held_back()
    {
        var pace = new QuotaPace(2, 60);
        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal(0, pace.Wait(i));
            pace.Accept(i + 0.5, pace.Take(i, 2000));
        }

        Assert.Null(pace.Rate);
    }

    [Fact]
    public void One_request_probes_again_and_again_and_seldom_when_it_takes_long()
    {
        var pace = new QuotaPace(2, 60);
        pace.Refuse(0, pace.Take(0, 2000), retryAfter: null, random: 0.999);
        var probes = new List<double>();
        for (var now = 0.0; now < 24 * 3600;)
        {
            now += pace.Wait(now);
            probes.Add(now);
            var probe = pace.Take(now, 2000);
            Assert.Equal(double.PositiveInfinity, pace.Wait(now));
            pace.Refuse(now, probe, retryAfter: null, random: 0.999);
        }

        var waits = probes.Zip(probes.Skip(1), (a, b) => b - a).ToList();
        Assert.InRange(probes[0], 0.3, 0.4);
        Assert.All(waits.Zip(probes).Where(pair => pair.Second is > 5 and < 50), pair => Assert.InRange(pair.First, 2, 2.5));
        Assert.All(waits.Zip(probes).Where(pair => pair.Second > 600), pair => Assert.InRange(pair.First, 60, 75));
    }

    [Fact]
    public void Idle_time_before_a_refusal_is_no_slow_pace()
    {
        var pace = new QuotaPace(2, 60);
        pace.Accept(0, pace.Take(0, 2000));
        var now = 36_000.0; // nothing came for ten hours
        for (var i = 0; i < 20; i++, now += 0.1) pace.Accept(now, pace.Take(now, 2000));
        pace.Refuse(now, pace.Take(now, 2000), retryAfter: null, random: 0);
        now += pace.Wait(now);
        pace.Accept(now, pace.Take(now, 2000));

        Assert.InRange(pace.Rate!.Value, 500, 30_000);
        Assert.InRange(pace.Wait(now), 0, 8);
    }

    [Fact]
    public void A_rate_that_was_not_refused_for_long_holds_nothing_back_and_is_learned_anew()
    {
        var pace = new QuotaPace(2, 60);
        pace.Accept(0, pace.Take(0, 2000));
        pace.Refuse(0.1, pace.Take(0.1, 2000), retryAfter: 1, random: 0);
        pace.Accept(1.2, pace.Take(1.1, 2000));
        Assert.NotNull(pace.Rate);
        var now = 2.0;
        for (; now < 4 * 3600; now++)
        {
            if (pace.Wait(now) == 0) pace.Accept(now, pace.Take(now, 2000));
            Assert.True(pace.Rate is null || double.IsFinite(pace.Rate.Value));
        }

        Assert.Null(pace.Rate);
        pace.Refuse(now, pace.Take(now, 2000), retryAfter: 1, random: 0);
        pace.Accept(now + 1, pace.Take(now + 1, 2000));
        Assert.InRange(pace.Rate!.Value, 500, 4000);
    }

    /// <summary>Another client may have used up the quota, or it was not a quota.</summary>
    [Theory]
    [InlineData(20)]
    [InlineData(59)]
    [InlineData(61)]
    [InlineData(600)]
    [InlineData(7200)]
    public void What_was_closed_for_long_is_soon_as_fast_as_before(double seconds)
    {
        var pace = new QuotaPace(2, 60);
        var now = 0.0;
        for (; now < 120; now += 0.1) pace.Accept(now, pace.Take(now, 2000));
        pace.Refuse(now, pace.Take(now, 2000), retryAfter: seconds, random: 0);
        now += seconds;
        pace.Accept(now, pace.Take(now, 2000));

        var opened = now;
        var taken = 0;
        for (; now < opened + 60; now += Math.Max(pace.Wait(now), 0.001))
            if (pace.Wait(now) == 0) taken += Send();

        Assert.InRange(taken, 60 * 4000, 60 * 60_000);

        int Send()
        {
            pace.Accept(now, pace.Take(now, 2000));
            return 2000;
        }
    }

    [Fact]
    public void A_probe_that_is_given_up_lets_another_probe()
    {
        var pace = new QuotaPace(2, 60);
        pace.Refuse(0, pace.Take(0, 2000), retryAfter: 5, random: 0);
        Assert.Equal(5, pace.Wait(0));
        var probe = pace.Take(5, 2000);
        pace.GiveUp(in probe);
        Assert.Equal(0, pace.Wait(5));
        pace.Accept(6, pace.Take(5, 2000));
        Assert.False(pace.IsClosed);
    }

    [Fact]
    public void What_was_under_way_when_the_quota_was_used_up_tells_nothing_new()
    {
        var pace = new QuotaPace(2, 60);
        QuotaShare[] wave = [pace.Take(0, 2000), pace.Take(0, 2000), pace.Take(0, 2000)];
        pace.Refuse(1, wave[0], retryAfter: null, random: 0);
        var wait = pace.Wait(1);
        pace.Refuse(1, wave[1], retryAfter: null, random: 0);
        pace.Accept(1, wave[2]);
        Assert.True(pace.IsClosed);
        Assert.Equal(wait, pace.Wait(1));
    }

    /// <summary>A simulated import.</summary>
    sealed class Import(QuotaPace pace, int requests)
    {
        public QuotaPace Pace => pace;

        public int Left { get; set; } = requests;

        public int Again { get; set; }

        public int UnderWay { get; set; }

        public int Requests { get; set; }

        public int Refused { get; set; }

        public long Taken { get; set; }

        public double End { get; set; }

        public double ReadyAt { get; set; }

        public double WakesAt { get; set; } = double.PositiveInfinity;
    }

    /// <summary>A server with a quota, and up to 20 senders for each import.</summary>
    sealed class Simulation
    {
        const int Senders = 20;

        /// <summary>The number of events that an import can prepare in a second.</summary>
        const double Speed = 250_000;

        readonly Random _random = new(7);
        readonly PriorityQueue<Action, (double, int)> _events = new();
        readonly Func<double, int, double> _admit;
        readonly bool _tellsWhen;
        readonly double _latency;
        readonly int _another;
        double _now;
        int _count;

        public Simulation(string quota, bool tellsWhen)
        {
            var words = quota.Split(' ');
            _tellsWhen = tellsWhen;
            _latency = words.Contains("slow-answers") ? 0.5 : 0.05;
            _another = words.Contains("another") ? (words[0] == "bucket" ? 1000 : 10_000) : 0;
            _admit = new Quota(quota).Admit;
        }

        public List<Import> Run(int count, int records)
        {
            var imports = Enumerable.Range(0, count).Select(_ => new Import(new QuotaPace(2, 60), records / Batch)).ToList();
            foreach (var import in imports) At(0, () => Send(import));
            if (_another > 0) At(0, Other);
            while (imports.Exists(import => import.End == 0) && _events.TryDequeue(out var next, out var at))
            {
                _now = at.Item1;
                next();
            }

            return imports;

            void Other()
            {
                _admit(_now, _another / 4);
                At(_now + 0.25, Other);
            }
        }

        void At(double time, Action what) => _events.Enqueue(what, (time, _count++));

        void Wake(Import import, double time)
        {
            if (time >= import.WakesAt) return;
            import.WakesAt = time;
            At(time, () =>
            {
                import.WakesAt = double.PositiveInfinity;
                Send(import);
            });
        }

        void Send(Import import)
        {
            while (import.UnderWay < Senders && import.Left + import.Again > 0)
            {
                var wait = Math.Max(import.Pace.Wait(_now), import.Again > 0 ? 0 : import.ReadyAt - _now);
                if (double.IsPositiveInfinity(wait)) return;
                if (wait > 1e-9)
                {
                    Wake(import, _now + wait);
                    return;
                }

                if (import.Again > 0)
                {
                    import.Again--;
                }
                else
                {
                    import.Left--;
                    import.ReadyAt = Math.Max(import.ReadyAt, _now) + (Batch / Speed);
                }

                import.UnderWay++;
                import.Requests++;
                var share = import.Pace.Take(_now, Batch);
                var half = _latency * (0.7 + (0.6 * _random.NextDouble())) / 2;
                At(_now + half, () =>
                {
                    var opensIn = _admit(_now, Batch);
                    At(_now + half, () => Answer(import, share, opensIn));
                });
            }
        }

        void Answer(Import import, QuotaShare share, double opensIn)
        {
            import.UnderWay--;
            if (opensIn == 0)
            {
                import.Taken += Batch;
                import.Pace.Accept(_now, in share);
            }
            else
            {
                import.Refused++;
                import.Again++;
                import.Pace.Refuse(_now, in share, _tellsWhen ? Math.Ceiling(opensIn) : null, _random.NextDouble());
            }

            if (import.Left + import.Again + import.UnderWay == 0) import.End = _now;
            Send(import);
        }
    }
}

using System.Diagnostics;
using System.Globalization;

namespace MixpanelConnector.Fuzz;

/// <summary>Runs a target on its seeds and on their mutations; inputs that reach new paths are kept as new seeds.</summary>
static class Campaign
{
    const int LargestCorpus = 4000;

    /// <summary>The duration for each target; unset means a small number of runs.</summary>
    static readonly TimeSpan? Time = Environment.GetEnvironmentVariable("MIXPANEL_FUZZ_SECONDS") is { Length: > 0 } seconds
        ? TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture))
        : null;

    static readonly int Seed = int.Parse(Environment.GetEnvironmentVariable("MIXPANEL_FUZZ_SEED") ?? "20261123", CultureInfo.InvariantCulture);

    public static string Run(Target target, int runs)
    {
        var random = new Random(Seed);
        var mutator = new Mutator(random, target.Dictionary);
        var corpus = target.Seeds.ToList();
        foreach (var input in target.Seeds.Concat(target.Regressions)) RunOne(target, input);

        var watch = Stopwatch.StartNew();
        long run = 0;
        for (; Time is { } time ? watch.Elapsed < time : run < runs; run++)
        {
            // The newest are the least explored.
            var chosen = random.Next(2) == 0 ? corpus[random.Next(corpus.Count)] : corpus[Math.Max(0, corpus.Count - 1 - random.Next(20))];
            var input = mutator.Change(chosen, corpus);
            if (RunOne(target, input) && corpus.Count < LargestCorpus) corpus.Add(input);
        }

        return string.Create(CultureInfo.InvariantCulture,
            $"{target.GetType().Name}: {run} runs in {watch.Elapsed.TotalSeconds:0} s, {run / Math.Max(0.001, watch.Elapsed.TotalSeconds):0} "
            + $"a second; {corpus.Count} inputs kept, {Coverage.Steps} steps of code seen");
    }

    static bool RunOne(Target target, byte[] input)
    {
        Coverage.Begin();
        try
        {
            target.Run(input);
            return Coverage.IsNew();
        }
        catch (Exception e)
        {
            throw new DifferenceException($"{target.GetType().Name}, seed {Seed}: {e.Message}\nThe input: {Convert.ToBase64String(input)}\n{e}");
        }
    }
}

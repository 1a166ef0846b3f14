using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using MixpanelConnector.Flags;

namespace MixpanelConnector.Bench;

/// <summary>The cost of evaluating a feature flag for the caller, after a warm-up.</summary>
static class FlagBench
{
    const string Rule =
        """{"and":[{"==":[{"var":"plan"},"Pro"]},{"in":[{"var":"country"},["it","de","fr"]]},{">":[{"var":"age"},17]},{"!":{"var":"blocked"}}]}""";

    public static void Run(Settings settings)
    {
        var context = new EvaluationContext(
            "3e1608c3-c603-b6fb-3dc2-b922fbc449c2").WithProperties(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["plan"] = "pro",
                ["country"] = "IT",
                ["age"] = 36,
            });
        var definitions = string.Join(',', Enumerable.Range(0, 100).Select(n => Flag($"flag-{n}", "{}")).Append(Flag("ruled", Rule)));
        var bare = FlagSnapshot.Parse(Encoding.UTF8.GetBytes($$"""{"flags":[{{definitions}}]}"""));
        var reporting = FlagSnapshot.Read(Encoding.UTF8.GetBytes($$"""{"flags":[{{definitions}}]}"""),
            new ExposureReport(new RecordingTracker(), new MixpanelOptions { Token = "t" }, deduplicates: true))!;
        Console.WriteLine(
            $"{Throughput.Machine()}; {RuntimeInformation.FrameworkDescription}; {settings.Events:N0} evaluations a row, "
            + $"the best of {settings.Rounds}\n\n| evaluation | mean, ns | bytes allocated |\n|---|---|---|");
        foreach (var (name, evaluate) in new (string, Action)[]
        {
            ("a rollout and a split of four", () => bare.Evaluate("flag-7", context)),
            ("with a rule of four comparisons", () => bare.Evaluate("ruled", context)),
            ("with a rule, and an exposure that was reported before", () => reporting.Evaluate("ruled", context)),
            ("no such flag", () => bare.Evaluate("none", context)),
        })
        {
            for (var i = 0; i < 100_000; i++) evaluate();
            var best = double.MaxValue;
            var allocated = 0L;
            for (var round = 0; round < settings.Rounds; round++)
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                var started = Stopwatch.GetTimestamp();
                for (var i = 0; i < settings.Events; i++) evaluate();
                best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalNanoseconds / settings.Events);
                allocated = Math.Max(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {best:0} | {(double)allocated / settings.Events:0.0} |"));
        }
    }

    static string Flag(string key, string rule) => $$$"""
        {"key":"{{{key}}}","context":"distinct_id","hash_salt":"c82e73eb4c02b7610eb89ce0c2ba4d31","ruleset":{"variants":[{"key":"a","value":1,"split":0.25},{"key":"b","value":2,"split":0.25},{"key":"c","value":3,"split":0.25},{"key":"d","value":4,"split":0.25}],
        "rollout":[{"rollout_percentage":1,"runtime_evaluation_rule":{{{rule}}}}]}}
        """;
}

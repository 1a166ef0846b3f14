using CsCheck;

namespace MixpanelConnector.Emulator.Tests.Selectors;

static class Seeded
{
    /// <summary>
    /// Checks the same cases in every run: CsCheck's own seed fixes only its first case. A failing case is passed to CsCheck, which
    /// shrinks it and prints its seed.
    /// </summary>
    public static void Check<T>(Gen<T> cases, int count, Action<T> check, Func<T, string> print)
    {
        var random = new PCG(stream: 1, seed: 20260901);
        for (var index = 0; index < count; index++)
        {
            var seed = random.ToString();
            var value = cases.Generate(random, null, out _);
            try
            {
                check(value);
            }
            catch (Exception)
            {
                cases.Sample(check, seed: seed, iter: 1_000, threads: 1, print: print);
                throw;
            }
        }
    }
}

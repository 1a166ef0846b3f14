namespace MixpanelConnector.Fuzz;

/// <summary>A small fixed part of the fuzzing, run with the other tests; <c>eng/campaign.sh fuzz</c> runs longer, guided by coverage.</summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    // Instrumented code writes to the map from its first edge.
    static FuzzTests() => Coverage.Begin();

    [Fact]
    public void Decoder() => Run(new DecoderTarget(), 8_000);

    [Fact]
    public void Validator() => Run(new ValidatorTarget(), 15_000);

    [Fact]
    public void Gzip() => Run(new GzipTarget(), 10_000);

    [Fact]
    public void Avro() => Run(new AvroTarget(), 8_000);

    [Fact]
    public void State() => Run(new StateTarget(), 60);

    [Fact]
    public void Replies() => Run(new ReplyTarget(), 20_000);

    void Run(Target target, int runs)
    {
        using (target) output.WriteLine(Campaign.Run(target, runs));
    }
}

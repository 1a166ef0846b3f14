using System.Text.RegularExpressions;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Cli;

namespace MixpanelConnector.Tool.Tests;

/// <summary>The progress line, and the output above it.</summary>
public sealed class ImportDisplayTests
{
    static readonly Regex Colours = new("\u001b\\[[0-9]+m", RegexOptions.None, Hang.Limit);

    static ImportProgress Progress(long rejected = 3) =>
        new()
        {
            Read = 1_234_567,
            Accepted = 1_200_000,
            Rejected = rejected,
            Requests = 700,
            Retries = 2,
            InputBytes = 500_000_000,
            TotalInputBytes = 1_000_000_000,
        };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_line_fits_every_width(bool colour)
    {
        var line = new ProgressLine(colour);
        for (var width = 0; width < 250; width++)
        {
            foreach (var progress in (ImportProgress[])
            [
                Progress(),
                Progress(0),
                Progress() with { TotalInputBytes = null },
                Progress() with { Waiting = true, Retries = 1 },
                Progress() with { Waiting = true, QuotaRate = 29_876.4 },
            ])
                Assert.InRange(Colours.Replace(line.Of(progress, TimeSpan.FromSeconds(10), width), "").Length, 0, width);
        }
    }

    [Fact]
    public void What_matters_most_stays_when_there_is_little_room()
    {
        var line = new ProgressLine(colour: false);
        Assert.Equal("[===============               ] 50 %, 1,234,567 read, 1,200,000 accepted, 3 rejected, 120,000/s, 500.0 MB, 2 retries, 0:00:10 left",
            line.Of(Progress(), TimeSpan.FromSeconds(10), 150));
        Assert.Equal("50 %, 1,200,000 accepted, 3 rejected", line.Of(Progress(), TimeSpan.FromSeconds(10), 40));
        Assert.Equal("50 %", line.Of(Progress(), TimeSpan.FromSeconds(10), 10));
        Assert.Contains("waiting for Mixpanel", line.Of(Progress() with { Waiting = true }, TimeSpan.FromSeconds(10), 60), StringComparison.Ordinal);
        Assert.Contains("at Mixpanel's quota, about 29,876/s", line.Of(Progress() with { Waiting = true, QuotaRate = 29_876.4 }, TimeSpan.FromSeconds(10), 80),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_bad_record_is_printed_above_the_line_in_one_write_and_cannot_harm_the_terminal()
    {
        using var error = new Writes();
        using var none = new MemoryStream();
        using var display = new ImportDisplay(
            new HostEnvironment
            {
                Environment = name => name == "TERM" ? "xterm" : name == "NO_COLOR" ? "1" : null,
                Input = none,
                Output = none,
                Error = error,
                ErrorIsTerminal = true,
                TerminalWidth = () => 40,
                TimeProvider = new ImpatientClock(),
            },
            showProgress: true);

        display.Report(Progress());
        display.Report(new ImportDiagnostic("a\u001b[31m[red]\u202e\u009b", 7, "invalid_json", "no\nJSON"));
        display.Finish();

        Assert.Equal(3, error.All.Count);
        Assert.Equal($"\r\u001b[2K{@"a\u001b[31m[red]\u202e\u009b:7: invalid_json: no JSON"}{Environment.NewLine}50 %, 1,200,000 accepted, 3 rejected",
            error.All[1]);
        Assert.Equal("\r\u001b[2K", error.All[2]);
    }

    sealed class Writes : StringWriter
    {
        public List<string> All { get; } = [];

        public override void Write(string? value) => All.Add(value!);
    }
}

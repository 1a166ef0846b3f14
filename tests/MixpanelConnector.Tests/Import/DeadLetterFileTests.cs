namespace MixpanelConnector.Tests.Import;

/// <summary>What is in the dead-letter file before an import: its own dead letters, or something that must not be lost.</summary>
public sealed class DeadLetterFileTests : IDisposable
{
    readonly ImportRun _run = new();
    readonly InMemoryImportState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    /// <summary>An import whose dead letters are in a file that the helper does not delete.</summary>
    ImportRequest Into(string dead, string text) => _run.Request(_run.Folder.Write("in.ndjson", text)) with { DeadLetterPath = dead };

    [Fact]
    public async Task What_another_wrote_is_kept_beside_it()
    {
        var dead = _run.Folder.Write("dead", "precious\n");
        Assert.Equal(1, (await _run.RunAsync(Into(dead, "bad\n"), _state)).Rejected);
        var letters = File.ReadAllText(dead);
        using var other = new InMemoryImportState();
        Assert.Equal(1, (await _run.RunAsync(Into(dead, "worse\n"), other)).Rejected);

        Assert.Equal("precious\n", File.ReadAllText(dead + ".1"));
        Assert.Equal(letters, File.ReadAllText(dead + ".2"));
        Assert.Contains("worse", Assert.Single(File.ReadAllLines(dead)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_kept_is_told()
    {
        var dead = _run.Folder.Write("dead", "precious\n");
        await _run.RunAsync(Into(dead, "bad\n"), _state);
        Assert.Equal((dead, $"Another file was there. It is now {dead}.1."), (_run.Diagnostics.Last().Source, _run.Diagnostics.Last().Reason));
        await _run.RunAsync(Into(dead, "bad\nworse\n"), _state);
        Assert.Single(_run.Diagnostics, diagnostic => diagnostic.Source == dead);
    }

    [Fact]
    public async Task The_import_itself_goes_on_with_its_file_and_begins_again_with_it()
    {
        var dead = _run.Folder.File("dead");
        await _run.RunAsync(Into(dead, "bad\n"), _state);
        Assert.Equal(2, (await _run.RunAsync(Into(dead, "bad\nworse\n"), _state)).Rejected);
        Assert.Equal(1, (await _run.RunAsync(Into(dead, "worse\n") with { Restart = true }, _state)).Rejected);
        Assert.Contains("worse", Assert.Single(File.ReadAllLines(dead)), StringComparison.Ordinal);
        Assert.Equal(2, File.ReadAllLines(dead + ".1").Length); // those before the restart
    }

    [Fact]
    public async Task An_import_that_takes_another_file_goes_on_with_that()
    {
        var (one, two) = (_run.Folder.File("one"), _run.Folder.File("two"));
        await _run.RunAsync(Into(one, "bad\n"), _state);
        for (var run = 0; run < 2; run++) Assert.Equal(1, (await _run.RunAsync(Into(two, "bad\n"), _state)).Rejected);
        Assert.Equal(File.ReadAllText(one), File.ReadAllText(two));
    }

    [Fact]
    public async Task An_empty_file_is_written_to()
    {
        var dead = _run.Folder.Write("dead", "");
        Assert.Equal(1, (await _run.RunAsync(Into(dead, "bad\n"))).Rejected);
        Assert.Single(File.ReadAllLines(dead));
    }
}

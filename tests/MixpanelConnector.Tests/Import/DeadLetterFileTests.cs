using static MixpanelConnector.Tests.Import.ImportRun;

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

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task A_file_that_another_wrote_is_left_alone_and_nothing_is_sent(bool isRestart, bool isDryRun)
    {
        var dead = _run.Folder.Write("dead", "precious\n");
        foreach (var text in (string[])[Events(1), "bad\n"])
        {
            var refused = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(Into(dead, text) with { Restart = isRestart, DryRun = isDryRun }));
            Assert.Equal("dead_letter", refused.Error.Field);
            Assert.Contains("Name another file, or move or delete this one", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal("precious\n", File.ReadAllText(dead));
        Assert.Empty(_run.Mixpanel.Requests);
    }

    [Fact]
    public async Task The_dead_letters_of_another_import_are_left_alone()
    {
        var dead = _run.Folder.File("dead");
        await _run.RunAsync(Into(dead, "bad\n"), _state);
        var letters = File.ReadAllText(dead);
        using var other = new InMemoryImportState();
        await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(Into(dead, "worse\n"), other));
        Assert.Equal(letters, File.ReadAllText(dead));
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

    [Fact]
    public async Task A_lookup_table_leaves_the_file_of_another_alone()
    {
        var dead = _run.Folder.Write("dead", "precious\n");
        await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(Into(dead, "id,n\na\n") with { Type = ImportType.LookupTable, TableId = Guid.NewGuid() }));
        Assert.Equal("precious\n", File.ReadAllText(dead));
    }
}

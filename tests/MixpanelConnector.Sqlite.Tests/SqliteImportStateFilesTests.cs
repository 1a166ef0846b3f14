using System.Runtime.Versioning;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Sqlite.Tests;

/// <summary>The files of a state, and what others may have put in their place.</summary>
[SupportedOSPlatform("linux")]
public sealed class SqliteImportStateFilesTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    string State => _folder.File("state");

    public void Dispose() => _folder.Dispose();

    static ImportCheckpoint Checkpoint(long accepted) => new() { OptionsFingerprint = "type=events", Totals = new ImportTotals { Accepted = accepted } };

    static void Fill(string folder)
    {
        using var state = SqliteImportState.Open(folder);
        state.Save(Checkpoint(20));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_folder_that_others_can_write_is_refused_with_the_mend_named(UnixFileMode more)
    {
        Fill(State);
        File.SetUnixFileMode(State, File.GetUnixFileMode(State) | more);
        var refused = Assert.Throws<ImportStateException>(() => SqliteImportState.Open(State));
        Assert.Equal((ImportStateFault.Unwritable, RunOutcome.DiskFailed), (refused.Fault, refused.Outcome));
        Assert.Contains($"chmod go-w {State}", refused.Message, StringComparison.Ordinal);
        Assert.Contains("chmod", Assert.Single(SqliteImportState.List(_folder.Path)).Message, StringComparison.Ordinal);
        File.SetUnixFileMode(State, File.GetUnixFileMode(State) & ~more);
        using var state = SqliteImportState.Open(State);
        Assert.Equal(20, state.Load()!.Totals.Accepted);
    }

    [Theory]
    [InlineData("import.db")]
    [InlineData("import.db-wal")]
    [InlineData("import.db-journal")]
    [InlineData("import.created")]
    [InlineData("import.holder")]
    public void No_link_in_the_place_of_a_file_of_the_state_is_followed(string name)
    {
        var victim = _folder.Write("victim", "precious");
        foreach (var target in (string[])[victim, _folder.File("elsewhere")])
        {
            var state = Directory.CreateDirectory(_folder.File($"state-{Path.GetFileName(target)}")).FullName;
            File.CreateSymbolicLink(Path.Combine(state, name), target);
            foreach (var restart in (bool[])[false, true])
                Assert.Contains("is a link", Assert.Throws<ImportStateException>(() => SqliteImportState.Open(state, restart)).Message,
                    StringComparison.Ordinal);
        }

        Assert.Equal("precious", File.ReadAllText(victim));
        Assert.False(File.Exists(_folder.File("elsewhere")));
    }

    [Fact]
    public void Every_file_and_folder_is_private_and_the_log_is_gone_when_all_is_done()
    {
        var folder = _folder.File("one/two");
        using (var state = SqliteImportState.Open(folder))
        {
            state.Save(Checkpoint(10));
            Assert.All(Directory.GetFiles(folder), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
            state.Save(Checkpoint(10) with { Finished = true });
            Assert.Equal(0, new FileInfo(Path.Combine(folder, "import.db-wal")).Length);
        }

        Assert.All((string[])[_folder.File("one"), folder],
            path => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path)));
    }
}

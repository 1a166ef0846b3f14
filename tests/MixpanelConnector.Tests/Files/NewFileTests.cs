using MixpanelConnector.Files;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Files;

public sealed class NewFileTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    string[] Hidden => [.. Directory.GetFiles(_folder.Path, ".*").Select(path => Path.GetFileName(path)!)];

    [Fact]
    public void A_new_file_is_private_and_leaves_nothing_beside_it()
    {
        NewFile.Write(_folder.File("report"), "text"u8);

        Assert.Equal("text", File.ReadAllText(_folder.File("report")));
        Assert.Equal(_folder.File("report"), Assert.Single(Directory.GetFileSystemEntries(_folder.Path)));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder.File("report")));
    }

    [Fact]
    public void Until_it_is_kept_what_was_there_stays_and_a_file_given_up_leaves_no_trace()
    {
        _folder.Write("report", "old");
        using (var file = NewFile.Create(_folder.File("report")))
        {
            file.Content.Write("new"u8);
            Assert.Equal("old", File.ReadAllText(_folder.File("report")));
            Assert.Single(Hidden);
        }

        Assert.Equal("old", File.ReadAllText(_folder.File("report")));
        Assert.Empty(Hidden);
    }

    [Theory]
    [InlineData("report")]
    [InlineData("report.new")]
    [InlineData("report.tmp")]
    public void No_link_beside_it_or_in_its_place_is_written_through(string planted)
    {
        if (OperatingSystem.IsWindows()) return;
        var victim = _folder.Write("victim", "precious");
        File.CreateSymbolicLink(_folder.File(planted), victim);
        NewFile.Write(_folder.File("report"), "text"u8);

        Assert.Equal("precious", File.ReadAllText(victim));
        Assert.Equal("text", File.ReadAllText(_folder.File("report")));
        Assert.Null(new FileInfo(_folder.File("report")).LinkTarget);
    }

    [Fact]
    public void What_a_killed_process_left_is_taken_away_and_what_another_is_writing_is_not()
    {
        var name = $".mixpanel-{new string('a', 32)}.new";
        _folder.Write(name, "left");
        _folder.Write(".mixpanel-mine.new", "not of this kind");
        using var another = NewFile.Create(_folder.File("other"));
        NewFile.Write(_folder.File("report"), "text"u8);

        Assert.Equal(2, Hidden.Length);
        Assert.Contains(".mixpanel-mine.new", Hidden, StringComparer.Ordinal);
        Assert.Contains(Path.GetFileName(another.Draft), Hidden, StringComparer.Ordinal);
        another.Keep();
        Assert.True(File.Exists(_folder.File("other")));
    }

    [Fact]
    public void A_file_that_must_be_new_replaces_nothing()
    {
        _folder.Write("there", "old");
        using (var file = NewFile.Create(_folder.File("there"))) Assert.Throws<IOException>(() => file.Keep(replaces: false));
        Assert.Equal("old", File.ReadAllText(_folder.File("there")));
        Assert.Empty(Hidden);
    }

    [Fact]
    public void A_link_a_hard_link_or_a_pipe_in_the_place_of_our_file_is_not_opened()
    {
        if (!OperatingSystem.IsLinux()) return;
        var victim = _folder.Write("victim", "precious");
        File.CreateSymbolicLink(_folder.File("link"), victim);
        File.CreateSymbolicLink(_folder.File("dangling"), _folder.File("elsewhere"));
        UnixFiles.MakePipe(_folder.File("pipe"));
        UnixFiles.MakeHardLink(victim, _folder.File("second"));
        foreach (var name in (string[])["link", "dangling", "pipe", "second"])
        {
            foreach (var mode in (FileMode[])[FileMode.Open, FileMode.OpenOrCreate, FileMode.Create, FileMode.Append])
                Assert.Throws<NotOursException>(() => Durable.OpenOwned(_folder.File(name), mode));
        }

        Assert.Equal("precious", File.ReadAllText(victim));
        Assert.False(File.Exists(_folder.File("elsewhere")));
    }

    [Fact]
    public void A_file_of_another_user_is_not_opened()
    {
        if (!OperatingSystem.IsLinux() || !UnixFiles.TryGiveAway(_folder.Write("theirs", ""))) return;
        Assert.Contains("another user", Assert.Throws<NotOursException>(() => Durable.OpenOwned(_folder.File("theirs"), FileMode.Open)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_lock_ends_with_its_holder()
    {
        using (var held = FileLock.TryTake(_folder.File("lock")))
        {
            Assert.NotNull(held);
            Assert.Null(FileLock.TryTake(_folder.File("lock")));
        }

        using var again = FileLock.TryTake(_folder.File("lock"));
        Assert.NotNull(again);
    }
}

using MixpanelConnector.Emulator.Folder;
using MixpanelConnector.Files;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>What processes leave in the folder for temporary files.</summary>
public sealed class ScratchFolderTests
{
    [Fact]
    public void What_a_killed_process_left_is_deleted_by_the_next()
    {
        var left = Directory.CreateTempSubdirectory("mixpanel-emulator-").FullName;
        File.WriteAllText(Path.Combine(left, "data"), "x");
        File.WriteAllText(Path.Combine(left, "lock"), "");

        using var mine = ScratchFolder.Make();

        Assert.False(Directory.Exists(left));
        Assert.True(Directory.Exists(mine.Path));
    }

    [Fact]
    public void What_another_uses_stays_and_so_does_what_is_not_known_to_be_ours()
    {
        var unknown = Directory.CreateTempSubdirectory("mixpanel-emulator-").FullName;
        try
        {
            using var other = ScratchFolder.Make();
            using var mine = ScratchFolder.Make();

            Assert.NotEqual(other.Path, mine.Path, StringComparer.Ordinal);
            Assert.True(Directory.Exists(other.Path));
            Assert.True(Directory.Exists(unknown));
        }
        finally
        {
            Directory.Delete(unknown);
        }
    }

    [Fact]
    public void A_link_to_another_folder_is_not_followed()
    {
        if (OperatingSystem.IsWindows()) return; // needs a privilege
        var kept = Directory.CreateTempSubdirectory().FullName;
        File.WriteAllText(Path.Combine(kept, "lock"), "");
        var link = Path.Combine(Path.GetTempPath(), $"mixpanel-emulator-{Path.GetRandomFileName()}");
        Directory.CreateSymbolicLink(link, kept);
        try
        {
            using var mine = ScratchFolder.Make();

            Assert.True(File.Exists(Path.Combine(kept, "lock")));
        }
        finally
        {
            File.Delete(link);
            Directory.Delete(kept, recursive: true);
        }
    }

    [Fact]
    public void It_is_for_its_user_only_and_ends_with_its_process()
    {
        string path;
        using (var mine = ScratchFolder.Make())
        {
            path = mine.Path;
            File.WriteAllText(mine.File("a"), "x");
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
            Assert.Null(FileLock.TryTake(mine.File("lock")));
        }

        Assert.False(Directory.Exists(path));
    }
}

using System.Runtime.Versioning;
using MixpanelConnector.Files;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Files;

[UnsupportedOSPlatform("windows")]
public sealed class OwnFolderTests : IDisposable
{
    const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_is_made_private_with_those_above_it()
    {
        OwnFolder.Make(_folder.File("one/two/three"));
        Assert.All((string[])["one", "one/two", "one/two/three"], name => Assert.Equal(Private, File.GetUnixFileMode(_folder.File(name))));
        OwnFolder.Make(_folder.File("one/two/three/"));
    }

    [Theory]
    [InlineData(Private, true)]
    [InlineData(Private | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute, true)]
    [InlineData(Private | UnixFileMode.GroupWrite, false)]
    [InlineData(Private | UnixFileMode.OtherWrite, false)]
    [InlineData(Private | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite | UnixFileMode.StickyBit, false)]
    public void A_folder_that_others_can_write_is_refused_with_the_mend_named(UnixFileMode mode, bool isFit)
    {
        var path = Directory.CreateDirectory(_folder.File("state")).FullName;
        File.SetUnixFileMode(path, mode);
        if (isFit) OwnFolder.Make(path);
        else Assert.Contains($"chmod go-w {path}", Assert.Throws<NotOursException>(() => OwnFolder.Make(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_leads_to_a_folder_of_ours_or_nowhere()
    {
        OwnFolder.Make(_folder.File("real"));
        Directory.CreateSymbolicLink(_folder.File("link"), _folder.File("real"));
        OwnFolder.Make(_folder.File("link"));

        Directory.CreateSymbolicLink(_folder.File("dangling"), _folder.File("elsewhere"));
        Assert.Throws<IOException>(() => OwnFolder.Make(_folder.File("dangling")));
        Assert.False(Directory.Exists(_folder.File("elsewhere")));

        File.SetUnixFileMode(_folder.File("real"), Private | UnixFileMode.OtherWrite);
        Assert.Throws<NotOursException>(() => OwnFolder.Make(_folder.File("link")));
    }

    [Fact]
    public void A_folder_or_a_link_of_another_user_is_refused()
    {
        OwnFolder.Make(_folder.File("theirs"));
        OwnFolder.Make(_folder.File("ours"));
        Directory.CreateSymbolicLink(_folder.File("link"), _folder.File("ours"));
        if (!UnixFiles.TryGiveAway(_folder.File("theirs")) || !UnixFiles.TryGiveAway(_folder.File("link"))) return;
        Assert.Throws<NotOursException>(() => OwnFolder.Make(_folder.File("theirs")));
        Assert.Throws<NotOursException>(() => OwnFolder.Make(_folder.File("link")));
    }

    [Fact]
    public void A_file_in_the_place_of_a_folder_is_said() =>
        Assert.Contains("is not a folder", Assert.Throws<IOException>(() => OwnFolder.Make(_folder.Write("file", ""))).Message, StringComparison.Ordinal);
}

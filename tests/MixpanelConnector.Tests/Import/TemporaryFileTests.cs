using System.Text;
using MixpanelConnector.Import.Buffers;

namespace MixpanelConnector.Tests.Import;

public sealed class TemporaryFileTests
{
    [Fact]
    public void A_temporary_file_is_private_and_gone_at_the_latest_when_it_is_closed()
    {
        string name;
        using (var file = TemporaryFile.Create())
        {
            name = file.Name;
            Assert.Equal(TemporaryFile.Folder, Path.GetDirectoryName(name));
            if (!OperatingSystem.IsWindows()) Assert.False(File.Exists(name), "On Unix it has no name from the beginning, so that no kill leaves it behind.");
            file.Write("kept"u8);
            file.Position = 0;
            Assert.Equal("kept", new StreamReader(file, Encoding.UTF8, false, 4096, leaveOpen: true).ReadToEnd());
        }
        Assert.False(File.Exists(name));
    }
}

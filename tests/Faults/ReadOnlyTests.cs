namespace MixpanelConnector.Faults;

/// <summary>Required files cannot be written: this is detected before anything is sent.</summary>
public sealed class ReadOnlyTests
{
    // Root may write everywhere, until it drops that capability.
    const string AsNobodySpecial = "[ $(id -u) = 0 ] && without='setpriv --bounding-set -dac_override,-dac_read_search'";

    [Theory]
    [InlineData("mount -t tmpfs none disk; mkdir disk/state; mount -o remount,ro disk", "--state", "disk/state")]
    [InlineData("mount -t tmpfs none disk; mount -o remount,ro disk", "--state", "disk/state")]
    [InlineData("mount -t tmpfs none disk; mount -o remount,ro disk", "--dead-letter", "disk/dead.ndjson")]
    [InlineData("touch disk/file", "--state", "disk/file/state")]
    [InlineData("mkdir -p disk/dead.ndjson", "--dead-letter", "disk/dead.ndjson")]
    public async Task What_cannot_be_written_ends_with_7_before_the_first_request(string made, string option, string path)
    {
        await using var scene = new Scene().Given(new Lines { BadEvery = 2 }, 10).With(option, path);

        var done = await scene.InNamespaceAsync($"{made}; \"$@\"");

        Assert.True(done.ExitCode == 7, done.ToString());
        Assert.Contains(path, done.Said, StringComparison.Ordinal);
        Assert.Equal(0, scene.Server.Requests);
    }

    [Theory]
    [InlineData("--state", "locked/state")]
    [InlineData("--dead-letter", "locked/dead.ndjson")]
    public async Task A_folder_without_leave_to_write_ends_with_7_before_the_first_request(string option, string path)
    {
        await using var scene = new Scene().Given(new Lines { BadEvery = 2 }, 10).With(option, path);

        using var shell = Importer.StartOther("bash",
            ["-c", $"cd '{scene.Folder}'; mkdir -m 500 locked; {AsNobodySpecial}; $without \"$@\"", "bash", .. ToolUnderTest.Command, .. scene.Command],
            scene.Settings());
        var done = await scene.EndAsync(shell);

        Assert.True(done.ExitCode == 7, done.ToString());
        Assert.Contains(path, done.Said, StringComparison.Ordinal);
        Assert.Equal(0, scene.Server.Requests);
    }
}

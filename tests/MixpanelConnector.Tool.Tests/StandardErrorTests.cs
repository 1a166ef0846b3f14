using System.IO.Pipes;

namespace MixpanelConnector.Tool.Tests;

public sealed class StandardErrorTests
{
    [Fact]
    public void A_pipe_that_nobody_reads_holds_nobody_up_and_what_was_left_out_is_said()
    {
        if (OperatingSystem.IsWindows()) return;
        using var reader = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
        using var error = new StandardError((int)reader.ClientSafePipeHandle.DangerousGetHandle());
        var line = new byte[1000];
        for (var n = 0; n < 1000; n++)
        {
            line.AsSpan().Fill((byte)('a' + (n % 26)));
            line[^1] = (byte)'\n';
            error.Write(line); // a megabyte; a pipe takes 64 KB
        }

        var buffer = new byte[1 << 20];
        var read = reader.Read(buffer);
        error.Write("and on\n"u8);
        read += reader.Read(buffer.AsSpan(read));
        while (!buffer.AsSpan(0, read).EndsWith("and on\n"u8)) read += reader.Read(buffer.AsSpan(read));

        var text = System.Text.Encoding.ASCII.GetString(buffer, 0, read);
        var end = text.IndexOf("\nmixpanel: the reader of this output stalled; ", StringComparison.Ordinal);
        Assert.InRange(end, 4096, 999_999);
        Assert.EndsWith($"{1_000_000 - end} bytes were dropped\nand on\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reader_that_is_gone_is_no_error()
    {
        if (OperatingSystem.IsWindows()) return;
        var reader = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
        using var handle = reader.ClientSafePipeHandle;
        using var error = new StandardError((int)handle.DangerousGetHandle());
        var added = false;
        handle.DangerousAddRef(ref added); // the pipe's own end goes, this one stays
        reader.Dispose();
        error.Write("nobody\n"u8);
        handle.DangerousRelease();
    }
}

using MixpanelConnector.Files;

namespace MixpanelConnector.Tool;

/// <summary>
/// Reads an input that the user named: a file, standard input, or a pipe, such as <c>&lt;(command)</c>. Stops waiting for input when the program is stopping.
/// </summary>
static class GivenFile
{
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The user has no permission to read it.</exception>
    public static Stream Open(string path, CancellationToken stopping) =>
        SpecialFile.IsAt(path) ? new Special(SpecialFile.OpenToRead(path), stopping) : File.OpenRead(path);

    /// <summary>Reads the whole file.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The user has no permission to read it.</exception>
    /// <exception cref="OperationCanceledException">The program is stopping.</exception>
    public static byte[] Read(string path, CancellationToken stopping)
    {
        using var file = Open(path, stopping);
        using var content = new MemoryStream();
        file.CopyTo(content);
        return content.ToArray();
    }

    /// <summary>Reads standard input. If the program is stopping, a read in progress is abandoned.</summary>
    /// <exception cref="OperationCanceledException">The program is stopping.</exception>
    public static T Input<T>(Stream input, Func<Stream, T> read, CancellationToken stopping) =>
        Task.Run(() => read(input), CancellationToken.None).WaitAsync(stopping).GetAwaiter().GetResult();

    /// <summary>Reads all of standard input.</summary>
    /// <exception cref="OperationCanceledException">The program is stopping.</exception>
    public static byte[] Read(Stream input, CancellationToken stopping) => Input(input, stream =>
    {
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }, stopping);

    sealed class Special(SpecialFile file, CancellationToken stopping) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer) => file.Read(buffer, stopping);

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) file.Dispose();
            base.Dispose(disposing);
        }
    }
}

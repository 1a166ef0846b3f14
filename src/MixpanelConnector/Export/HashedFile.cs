using System.Security.Cryptography;

namespace MixpanelConnector.Export;

/// <summary>A file of an export, with the hash and the length of its contents, and the disk failure, if any.</summary>
sealed class HashedFile(ExportFile file, string name) : IAsyncDisposable
{
    readonly Written _content = new(file.Content);

    public string Name => name;

    public Stream Content => _content;

    public long Length => _content.Position;

    /// <summary>The disk failure, even if a package replaced or swallowed the exception.</summary>
    public Exception? Failure => _content.Failure;

    /// <summary>Returns the hash in hexadecimal; to be called once, after everything is written.</summary>
    public string Hash() => Convert.ToHexStringLower(_content.Sha256.GetHashAndReset());

    public ValueTask CommitAsync(CancellationToken cancellationToken) => file.CommitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _content.DisposeAsync().ConfigureAwait(false);
        await file.DisposeAsync().ConfigureAwait(false);
    }

    sealed class Written(Stream content) : Stream
    {
        long _length;

        public IncrementalHash Sha256 { get; } = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public Exception? Failure { get; private set; }

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => _length;
        public override long Position { get => _length; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Sha256.AppendData(buffer);
            _length += buffer.Length;
            try
            {
                content.Write(buffer);
            }
            catch (Exception e)
            {
                Failure ??= e;
                throw;
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() { } // the file is synced when it is committed
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) Sha256.Dispose();
            base.Dispose(disposing);
        }
    }
}

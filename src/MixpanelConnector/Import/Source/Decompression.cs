namespace MixpanelConnector.Import.Source;

/// <summary>Opens an input decompressed: its compression is detected from its first bytes.</summary>
static class Decompression
{
    /// <exception cref="InputException">The input cannot be read, or is truncated.</exception>
    public static async ValueTask<(ByteSource, ImportCompression?)> OpenAsync(InputFile input, ImportRequest request, CancellationToken cancellationToken)
    {
        var source = input.Open();
        try
        {
            var head = new byte[4];
            var length = 0;
            while (length < head.Length && await source.ReadAsync(head.AsMemory(length), cancellationToken).ConfigureAwait(false) is var read and > 0)
                length += read;
            var joined = new RejoinedByteSource(head.AsMemory(0, length), source);
            foreach (var compression in request.Compressions)
            {
                // So few bytes are a truncated file.
                var named = input.Name.EndsWith(compression.Extension, StringComparison.OrdinalIgnoreCase);
                if (length == 0 && named) throw new InputException($"{compression.Name}: the file is truncated, at compressed byte 0");
                if (compression.Recognizes(head.AsSpan(0, length))
                    || (length > 0 && (named || length == 1) && compression.Magic.StartsWith(head.AsSpan(0, length))))
                    return (Bounded(compression.Open(joined), input, request), compression);
            }

            return (joined, null);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    static ByteSource Bounded(ByteSource decompressed, InputFile input, ImportRequest request) =>
        input.LimitOf(request) is { } limit ? new BoundedByteSource(decompressed, limit) : decompressed;

    /// <summary>A name without the compression extension.</summary>
    public static string Without(this ImportCompression compression, string name) =>
        name.EndsWith(compression.Extension, StringComparison.OrdinalIgnoreCase) ? name[..^compression.Extension.Length] : name;
}

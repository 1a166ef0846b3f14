using System.Numerics;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace MixpanelConnector.Formats.Exports;

/// <summary>
/// zstd at its default level, with a checksum. If many files are written concurrently, each has a smaller window, so that together they use no more memory.
/// </summary>
sealed class ZstdExport() : ExportCompression("zstd")
{
    /// <summary>The parameters of the default level: a window of 2 MiB, and tables of the positions in it; 3.5 MiB in all.</summary>
    const int WindowLog = 21, HashLog = 17, ChainLog = 16;

    const int FilesOfWhole = 8;

    internal override string Extension => ".zst";

    internal override Stream? Compress(Stream content, int files)
    {
        var stream = new CompressionStream(content, leaveOpen: true);
        stream.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        if (files <= FilesOfWhole) return stream;
        var less = BitOperations.Log2((uint)(files - 1) / FilesOfWhole) + 1;
        stream.SetParameter(ZSTD_cParameter.ZSTD_c_windowLog, WindowLog - less);
        stream.SetParameter(ZSTD_cParameter.ZSTD_c_hashLog, HashLog - less);
        stream.SetParameter(ZSTD_cParameter.ZSTD_c_chainLog, ChainLog - less);
        return stream;
    }
}

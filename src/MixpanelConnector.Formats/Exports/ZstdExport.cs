using System.Numerics;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace MixpanelConnector.Formats.Exports;

/// <summary>zstd, at its usual level, with a check sum. Where more than a few files are written at once, each looks back less far, so that all of them take no more memory.</summary>
sealed class ZstdExport() : ExportCompression("zstd")
{
    /// <summary>What the usual level takes: 2 MiB to look back in, and tables of the places in it; 3.5 MiB in all.</summary>
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

using ZstdSharp;
using ZstdSharp.Unsafe;

namespace MixpanelConnector.Formats.Exports;

/// <summary>zstd, at its usual level, with a check sum.</summary>
sealed class ZstdExport() : ExportCompression("zstd")
{
    internal override string Extension => ".zst";

    internal override Stream? Compress(Stream content)
    {
        var stream = new CompressionStream(content, leaveOpen: true);
        stream.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        return stream;
    }
}

using MixpanelConnector.Import.Source;
using ZstdSharp.Unsafe;

namespace MixpanelConnector.Formats.Zstd;

sealed class ZstdCompression() : ImportCompression("zstd")
{
    internal override string Extension => ".zst";

    internal override ReadOnlySpan<byte> Magic => [0x28, 0xb5, 0x2f, 0xfd];

    /// <summary>Skippable frames may come first, as written by pzstd.</summary>
    internal override bool Recognizes(ReadOnlySpan<byte> head) => base.Recognizes(head) || head is [>= 0x50 and <= 0x5f, 0x2a, 0x4d, 0x18, ..];

    internal override ByteSource Open(ByteSource compressed) => new ZstdByteSource(compressed);
}

/// <summary>
/// Decompresses zstd, and checks that the input ends where a frame ends. A frame's checksum is verified if it has one.
/// Uses the decoder directly: the wrappers around it lose what they have decompressed when damaged data follows.
/// A frame may request a window of up to 2 GiB. Memory for it is only touched as it fills, so a frame with a window larger than
/// <see cref="MostWindow"/> is read until it has filled that much.
/// </summary>
sealed class ZstdByteSource : ByteSource
{
    /// <summary>The maximum memory that a decoder keeps for a frame: the largest window that zstd uses without a request for a larger one.</summary>
    const long MostWindow = 128 << 20;

    const int LargestWindowLog = 31;

    readonly ByteSource _compressed;
    readonly byte[] _buffer = new byte[128 << 10];
    unsafe ZSTD_DCtx_s* _decoder;
    int _start;
    int _end;
    long _consumed;
    long _ofFrame;
    bool _sourceEnded;
    bool _inFrame = true; // an input without a frame is truncated

    public unsafe ZstdByteSource(ByteSource compressed)
    {
        _compressed = compressed;
        _decoder = Methods.ZSTD_createDCtx();
        _ = Methods.ZSTD_DCtx_setParameter(_decoder, ZSTD_dParameter.ZSTD_d_windowLogMax, LargestWindowLog);
    }

    public override long RawPosition => _consumed;

    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_start == _end && !_sourceEnded)
            {
                (_start, _end) = (0, await _compressed.ReadAsync(_buffer, cancellationToken).ConfigureAwait(false));
                _sourceEnded = _end == 0;
            }

            if (_sourceEnded && !_inFrame) return 0;
            var written = Decompress(target.Span);
            if (written > 0) return written;
            if (_sourceEnded && _inFrame) throw Corrupt("the file is truncated");
        }
    }

    public override unsafe void Dispose()
    {
        if (_decoder != null) _ = Methods.ZSTD_freeDCtx(_decoder);
        _decoder = null;
        _compressed.Dispose();
    }

    unsafe int Decompress(Span<byte> target)
    {
        fixed (byte* from = _buffer, to = target)
        {
            var input = new ZSTD_inBuffer_s { src = from, pos = (nuint)_start, size = (nuint)_end };
            var output = new ZSTD_outBuffer_s { dst = to, pos = 0, size = (nuint)target.Length };
            var left = Methods.ZSTD_decompressStream(_decoder, &output, &input);
            if (Methods.ZSTD_isError(left)) throw Refused(Methods.ZSTD_getErrorCode(left));
            _consumed += (int)input.pos - _start;
            _start = (int)input.pos;
            _inFrame = left != 0;
            _ofFrame = _inFrame ? _ofFrame + (long)output.pos : 0;
            if (_ofFrame > MostWindow && (long)Methods.ZSTD_sizeof_DCtx(_decoder) > MostWindow + (16 << 20)) throw TooLarge();
            return (int)output.pos;
        }
    }

    InputException Refused(ZSTD_ErrorCode code) => code switch
    {
        ZSTD_ErrorCode.ZSTD_error_frameParameter_windowTooLarge or ZSTD_ErrorCode.ZSTD_error_memory_allocation => TooLarge(),
        ZSTD_ErrorCode.ZSTD_error_dictionary_wrong => new("zstd: it was compressed with a dictionary. Decompress it with that dictionary first"),
        _ => Corrupt("the compressed data is damaged"),
    };

    InputException TooLarge() =>
        new($"zstd: it needs a window of more than {MostWindow >> 20} MiB, as zstd --long=28 and above creates, at compressed byte {_consumed}. "
            + $"Decompress it first (zstd -d --long=31), or compress it with --long=27 at most");

    InputException Corrupt(string what) => new($"zstd: {what}, at compressed byte {_consumed}");
}

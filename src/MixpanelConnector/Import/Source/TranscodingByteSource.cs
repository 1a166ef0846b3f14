using System.Buffers;
using System.Globalization;

namespace MixpanelConnector.Import.Source;

/// <summary>Text in another encoding as UTF-8, whose bytes all offsets count. Uses 64 KB.</summary>
/// <param name="source">The text; owned by this instance.</param>
/// <param name="encoding">Its encoding.</param>
/// <param name="isSaid">Whether the caller specified the encoding; otherwise the byte order mark did.</param>
/// <param name="words">How messages refer to settings.</param>
sealed class TranscodingByteSource(ByteSource source, TextEncoding encoding, bool isSaid, MessageWords words) : ByteSource
{
    const int LongestMark = 4;

    readonly Transcoder _transcoder = encoding.NewTranscoder();
    readonly byte[] _text = new byte[64 << 10];
    readonly byte[] _few = new byte[Transcoder.LongestCharacter];
    ReadOnlyMemory<byte> _left; // of the few bytes
    int _start;
    int _end;
    bool _ended;
    long _offset;
    long _lineFeeds;
    long _returns;
    InputException? _fault;

    /// <summary>Opens a source of text as UTF-8: the source itself, unless the request or a byte order mark specifies another encoding.</summary>
    /// <param name="source">Any input, decompressed. The result owns it.</param>
    /// <param name="request">Specifies the encoding; a byte order mark takes precedence.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The text, and its encoding if it is not UTF-8.</returns>
    public static async ValueTask<(ByteSource Text, TextEncoding? Encoding)> OpenAsync(ByteSource source, ImportRequest request,
        CancellationToken cancellationToken)
    {
        try
        {
            var head = new byte[LongestMark];
            var length = 0;
            while (length < head.Length && await source.ReadAsync(head.AsMemory(length), cancellationToken).ConfigureAwait(false) is var read and > 0)
                length += read;
            var joined = new RejoinedByteSource(head.AsMemory(0, length), source);
            var marked = TextEncoding.OfMark(head.AsSpan(0, length));
            var isText = !head.AsSpan().StartsWith(InputText.ByteOrderMark) && !head.AsSpan().SequenceEqual("PAR1"u8);
            var encoding = marked ?? (isText && request.Encoding is { } label ? TextEncoding.Find(label) : null);
            return encoding is null or { IsUtf8: true }
                ? (joined, null)
                : (new TranscodingByteSource(joined, encoding, isSaid: marked is null, request.InWords), encoding);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    public override long RawPosition => source.RawPosition;

    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        if (!_left.IsEmpty || target.Length < _few.Length)
        {
            if (_left.IsEmpty) _left = _few.AsMemory(0, await ConvertAsync(_few, cancellationToken).ConfigureAwait(false));
            var count = Math.Min(_left.Length, target.Length);
            _left[..count].CopyTo(target);
            _left = _left[count..];
            return count;
        }

        return await ConvertAsync(target, cancellationToken).ConfigureAwait(false);
    }

    public override void Dispose() => source.Dispose();

    async ValueTask<int> ConvertAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_fault is not null) throw _fault;
            var written = Convert(target.Span);
            if (written > 0) return written;
            if (_fault is not null) continue;
            if (_ended) return 0;
            _text.AsSpan(_start, _end - _start).CopyTo(_text);
            (_start, _end) = (0, _end - _start);
            var read = await source.ReadAsync(_text.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            _end += read;
            _ended = read == 0;
        }
    }

    int Convert(Span<byte> target)
    {
        var status = _transcoder.Convert(_text.AsSpan(_start, _end - _start), target, _ended, out var used, out var written);
        _start += used;
        _offset += used;
        _lineFeeds += target[..written].Count((byte)'\n');
        _returns += target[..written].Count((byte)'\r');
        if (status is OperationStatus.InvalidData || (_ended && status is OperationStatus.NeedMoreData)) _fault = Fault();
        return written;
    }

    InputException Fault()
    {
        var line = (_lineFeeds > 0 ? _lineFeeds : _returns) + 1;
        return new(string.Create(CultureInfo.InvariantCulture,
            $"has bytes that are not valid {encoding.Name} "
            + $"text, on line {line}, at byte {_offset}{(isSaid ? $". If it has another encoding, set {words[Setting.Encoding]}" : "")}"));
    }
}

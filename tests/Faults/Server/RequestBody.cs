using System.IO.Compression;
using System.Text.Json;

namespace MixpanelConnector.Faults;

/// <summary>A request to <c>/import</c>, decompressed and split into its events.</summary>
sealed class RequestBody
{
    readonly List<Slice> _events = [];
    byte[] _bytes = new byte[1 << 20];
    int _length;

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    public IReadOnlyList<Slice> Events => _events;

    public void Read(byte[] content, int at, int length, bool gzipped)
    {
        using Stream stream = gzipped
            ? new GZipStream(new MemoryStream(content, at, length), CompressionMode.Decompress)
            : new MemoryStream(content, at, length);
        _length = 0;
        while (true)
        {
            if (_length == _bytes.Length) Array.Resize(ref _bytes, 2 * _length);
            var count = stream.Read(_bytes, _length, _bytes.Length - _length);
            if (count == 0) break;
            _length += count;
        }

        Cut();
    }

    void Cut()
    {
        _events.Clear();
        var reader = new Utf8JsonReader(Bytes);
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartArray) throw new JsonException("An array was awaited.");
        while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
        {
            var at = (int)reader.TokenStartIndex;
            var oid = -1L;
            while (reader.Read() && !(reader.CurrentDepth == 1 && reader.TokenType is JsonTokenType.EndObject))
            {
                if (reader.CurrentDepth != 3 || reader.TokenType is not JsonTokenType.PropertyName || !reader.ValueTextEquals("oid"u8)) continue;
                reader.Read();
                oid = reader.GetInt64();
            }

            if (oid < 0) throw new JsonException("An event has no oid.");
            _events.Add(new Slice(at, (int)reader.BytesConsumed - at, oid));
        }

        if (reader.TokenType is not JsonTokenType.EndArray) throw new JsonException("The array has no end.");
    }
}

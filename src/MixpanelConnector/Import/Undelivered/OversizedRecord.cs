using System.Security.Cryptography;
using System.Text.Unicode;

namespace MixpanelConnector.Import.Undelivered;

/// <summary>The retained part of a record over 1 MiB: its head, its length and its SHA-256, collected as it streams by.</summary>
sealed class OversizedRecord : IDisposable
{
    public const int HeadLength = 64 << 10;

    readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    byte[] _head = [];

    public ReadOnlyMemory<byte> Head => _head;

    public long Length { get; private set; }

    public string Sha256 { get; private set; } = "";

    /// <summary>Recreates it from a dead letter.</summary>
    public static OversizedRecord Recorded(ReadOnlySpan<byte> head, long length, string sha256)
    {
        var record = new OversizedRecord { _head = head.ToArray(), Length = length, Sha256 = sha256 };
        record._hash.Dispose();
        return record;
    }

    public void Append(ReadOnlySpan<byte> part)
    {
        if (_head.Length < HeadLength) _head = [.. _head, .. part[..Math.Min(part.Length, HeadLength - _head.Length)]];
        _hash.AppendData(part);
        Length += part.Length;
    }

    public OversizedRecord Complete()
    {
        // A head that is cut within a character would be stored as binary instead of text.
        for (var cut = 1; cut < 4 && Length > _head.Length && !Utf8.IsValid(_head); cut++)
            if (Utf8.IsValid(_head.AsSpan(..^cut))) _head = _head[..^cut];
        Sha256 = Convert.ToHexStringLower(_hash.GetHashAndReset());
        _hash.Dispose();
        return this;
    }

    public void Dispose() => _hash.Dispose();
}

using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace MixpanelConnector.Sqlite;

/// <summary>The checksum of a row. It includes the key, so that a misplaced row is detected.</summary>
static class RowChecksum
{
    public static byte[] OfText(string key, string content)
    {
        var hash = new XxHash128();
        hash.Append(Encoding.UTF8.GetBytes(key));
        hash.Append([0]);
        hash.Append(Encoding.UTF8.GetBytes(content));
        return hash.GetCurrentHash();
    }

    public static byte[] OfDeadLetter(long number, ReadOnlySpan<byte> line)
    {
        Span<byte> key = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(key, number);
        var hash = new XxHash128();
        hash.Append(key);
        hash.Append(line);
        return hash.GetCurrentHash();
    }

    public static bool Matches(ReadOnlySpan<byte> stored, ReadOnlySpan<byte> computed) => stored.SequenceEqual(computed);
}

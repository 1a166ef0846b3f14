using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;

namespace MixpanelConnector;

/// <summary>Members that were added to types after .NET 8, with their later names.</summary>
static class Members
{
    extension(Convert)
    {
        public static string ToHexStringLower(ReadOnlySpan<byte> bytes)
        {
            var digits = new byte[2 * bytes.Length];
            Convert.TryToHexStringLower(bytes, digits, out _);
            return Encoding.ASCII.GetString(digits);
        }

        public static bool TryToHexStringLower(ReadOnlySpan<byte> bytes, Span<byte> digits, out int written)
        {
            written = digits.Length < 2 * bytes.Length ? 0 : 2 * bytes.Length;
            for (var i = 0; i < written; i++) digits[i] = "0123456789abcdef"u8[(bytes[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 15];
            return written == 2 * bytes.Length;
        }
    }

    extension(Guid)
    {
        public static Guid CreateVersion7()
        {
            var bytes = RandomNumberGenerator.GetBytes(16);
            var (version, variant) = ((byte)(0x70 | (bytes[6] & 0x0f)), (byte)(0x80 | (bytes[8] & 0x3f)));
            BinaryPrimitives.WriteInt64BigEndian(bytes,
                (TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() << 16) | BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(6)));
            (bytes[6], bytes[8]) = (version, variant);
            return new Guid(bytes, bigEndian: true);
        }
    }

    extension(FrozenSet)
    {
        public static FrozenSet<T> Create<T>(IEqualityComparer<T>? comparer, params ReadOnlySpan<T> items) => items.ToArray().ToFrozenSet(comparer);
    }

    extension<T>(ReadOnlySpan<T> source)
        where T : IEquatable<T>
    {
        public SpanSplit<T> Split(T separator) => new(source, separator);
    }

    extension(HttpContent content)
    {
        /// <summary>Cancels the wait, but not the operation, which ends by itself.</summary>
        public Task LoadIntoBufferAsync(long most, CancellationToken cancellationToken) => content.LoadIntoBufferAsync(most).WaitAsync(cancellationToken);
    }

    extension<T>(IEnumerable<T> items)
    {
        public IEnumerable<KeyValuePair<TKey, int>> CountBy<TKey>(Func<T, TKey> key, IEqualityComparer<TKey>? comparer = null)
            where TKey : notnull =>
            items.GroupBy(key, comparer).Select(group => KeyValuePair.Create(group.Key, group.Count()));
    }
}

using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace MixpanelConnector.Import.Validate;

/// <summary>
/// Computes the <c>$insert_id</c> of an event that has none, from its bytes, its offset and its source's id: a second run makes
/// the same, and two identical lines get two. 128 bits in hex fit Mixpanel's 36 characters and need no check against its rules.
/// </summary>
sealed class InsertIds(string sourceId)
{
    public const int Length = 32;

    readonly ulong _source = XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(sourceId));

    public void Write(ReadOnlySpan<byte> record, long offset, Span<byte> target)
    {
        Span<byte> place = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(place, _source);
        BinaryPrimitives.WriteInt64LittleEndian(place[8..], offset);
        var id = XxHash128.HashToUInt128(record, (long)XxHash3.HashToUInt64(place));
        id.TryFormat(target, out _, "x32", CultureInfo.InvariantCulture);
    }
}

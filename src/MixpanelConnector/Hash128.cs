using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace MixpanelConnector;

/// <summary>
/// A hash of 128 bits (XxHash128). Not a <see cref="UInt128"/>: a method in which one occurs cannot be precompiled, and many of the import's would be compiled
/// at each start.
/// </summary>
[StructLayout(LayoutKind.Auto)]
readonly record struct Hash128(ulong Upper, ulong Lower)
{
    /// <summary>The number of hexadecimal digits.</summary>
    public const int Digits = 32;

    public static Hash128 Of(ReadOnlySpan<byte> bytes, long seed = 0)
    {
        Span<byte> hash = stackalloc byte[16];
        XxHash128.Hash(bytes, hash, seed);
        return new(BinaryPrimitives.ReadUInt64BigEndian(hash), BinaryPrimitives.ReadUInt64BigEndian(hash[8..]));
    }

    /// <summary>The hash of what was appended so far.</summary>
    public static Hash128 Of(XxHash128 appended)
    {
        Span<byte> hash = stackalloc byte[16];
        appended.GetCurrentHash(hash);
        return new(BinaryPrimitives.ReadUInt64BigEndian(hash), BinaryPrimitives.ReadUInt64BigEndian(hash[8..]));
    }

    /// <summary>Reads the digits that <see cref="ToString"/> writes.</summary>
    public static Hash128 Parse(string digits) => new(
        ulong.Parse(digits.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
        ulong.Parse(digits.AsSpan(16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));

    /// <summary>The hash in lower-case hexadecimal digits, with leading zeros.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Upper:x16}{Lower:x16}");

    /// <summary>Writes the digits in UTF-8.</summary>
    public void WriteDigits(Span<byte> digits)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Upper);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Lower);
        Convert.TryToHexStringLower(bytes, digits, out _);
    }

    public void WriteLittleEndian(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Lower);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Upper);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MixpanelConnector.Import.Compress;

/// <summary>A part of a block: literals, then a match. The last of a block has no match.</summary>
[StructLayout(LayoutKind.Auto)]
readonly record struct Sequence(int Literals, ushort Length, ushort Distance);

/// <summary>
/// Finds matches with earlier text in a text of records. Most of a record equals the one before it, at a distance that
/// changes with the length of a value. So where two records differ, the finder continues at the next mark (a quote, a comma, a
/// slash, a space…) in both of them, and looks up the hash table only there: about twenty places per record instead of five hundred.
/// </summary>
sealed class MatchFinder
{
    const int HashBits = 14;
    const int ShortestMatch = 4;

    /// <summary>The number of bytes that may be read past a position without bounds checks.</summary>
    const int Ahead = 64;

    readonly int[] _table = new int[1 << HashBits];
    readonly Sequence[] _sequences;
    readonly byte[] _literals;
    readonly int[] _lengths = new int[Deflate.LongestMatch + 1];
    int _distance;
    int _sequenceCount;
    int _literalCount;

    public MatchFinder(int largestBlock)
    {
        _sequences = new Sequence[(largestBlock / ShortestMatch) + 1];
        _literals = new byte[largestBlock + Ahead];
    }

    /// <summary>The last block's sequences.</summary>
    public ReadOnlySpan<Sequence> Sequences => _sequences.AsSpan(0, _sequenceCount);

    /// <summary>The literals of the last block, followed by at least 8 more bytes.</summary>
    public ReadOnlySpan<byte> Literals => _literals.AsSpan(0, _literalCount + 8);

    public int LiteralCount => _literalCount;

    /// <summary>The number of matches of each length in the last block.</summary>
    public ReadOnlySpan<int> Lengths => _lengths;

    /// <summary>The number of matches of each distance symbol in the last block.</summary>
    public int[] Distances { get; } = new int[Deflate.Distances];

    /// <summary>Begins a new text.</summary>
    public void Reset()
    {
        Array.Clear(_table);
        _distance = 0;
    }

    /// <summary>Finds the sequences of a block, which may refer to earlier text.</summary>
    /// <remarks>
    /// Reads without bounds checks, at most <see cref="Ahead"/> bytes from positions that are at least that far before the end of the text. Such
    /// positions are <c>at</c>, up to <c>last</c>, and earlier ones: candidates always precede <c>at</c>.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Find(ReadOnlySpan<byte> text, int start, int end)
    {
        Array.Clear(_lengths);
        Array.Clear(Distances);
        ref var source = ref MemoryMarshal.GetReference(text);
        ref var table = ref MemoryMarshal.GetArrayDataReference(_table);
        ref var literals = ref MemoryMarshal.GetArrayDataReference(_literals);
        var (lengths, distances, sequences) = (_lengths, Distances, _sequences);
        var (at, anchor, literalCount, count, distance) = (start, start, 0, 0, _distance);
        var last = end - Ahead;
        while (at <= last)
        {
            var here = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, at));
            ref var slot = ref Unsafe.Add(ref table, (int)((here << 24) * 0x9E3779B97F4A7C15UL >> (64 - HashBits)));
            var candidate = slot;
            slot = at;
            if ((uint)(at - candidate - 1) >= Deflate.Window || Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref source, candidate)) != (uint)here)
            {
                var before = at - distance;
                at = NextMark(ref source, at + 1);
                if (at > last) break;
                if (before < 0) continue;
                candidate = NextMark(ref source, before);
                if ((uint)(at - candidate - 1) >= Deflate.Window) continue;
                distance = at - candidate;
                if (Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref source, candidate)) != Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref source, at))) continue;
            }

            // Extend backwards: the mark itself, or the end of a number, may be equal.
            while (at > anchor && candidate > 0 && Unsafe.Add(ref source, at - 1) == Unsafe.Add(ref source, candidate - 1))
                (at, candidate) = (at - 1, candidate - 1);
            var length = LengthOfMatch(ref source, at, candidate, Math.Min(Deflate.LongestMatch, end - at));
            distance = at - candidate;

            var run = at - anchor;
            for (var i = 0; i < run; i += Vector128<byte>.Count)
                Unsafe.WriteUnaligned(ref Unsafe.Add(ref literals, literalCount + i),
                    Unsafe.ReadUnaligned<Vector128<byte>>(ref Unsafe.Add(ref source, anchor + i)));
            literalCount += run;
            lengths[length]++;
            distances[DistanceSymbol(distance)]++;
            sequences[count++] = new(run, (ushort)length, (ushort)distance);
            at = anchor = at + length;
        }

        text[anchor..end].CopyTo(_literals.AsSpan(literalCount));
        sequences[count++] = new(end - anchor, 0, 0);
        (_sequenceCount, _literalCount, _distance) = (count, literalCount + end - anchor, distance);
    }

    /// <summary>The symbol of a distance: its power of two, and the next lower bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int DistanceSymbol(int distance)
    {
        var d = (uint)(distance - 1);
        if (d < 4) return (int)d;
        var power = BitOperations.Log2(d);
        return (2 * power) + (int)((d >> (power - 1)) & 1);
    }

    /// <summary>The position of the next byte from 0x20 to 0x2F, or the end of the 32 bytes examined.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int NextMark(ref byte source, int at)
    {
        var bytes = Unsafe.ReadUnaligned<Vector256<byte>>(ref Unsafe.Add(ref source, at));
        var marks = Vector256.Equals(bytes & Vector256.Create((byte)0xf0), Vector256.Create((byte)0x20)).ExtractMostSignificantBits();
        return at + (marks == 0 ? Vector256<byte>.Count : BitOperations.TrailingZeroCount(marks));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int LengthOfMatch(ref byte source, int at, int candidate, int most)
    {
        var length = 0;
        for (; length + sizeof(ulong) <= most; length += sizeof(ulong))
        {
            var difference = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source,
                at + length)) ^ Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, candidate + length));
            if (difference != 0) return length + (BitOperations.TrailingZeroCount(difference) >> 3);
        }

        while (length < most && Unsafe.Add(ref source, at + length) == Unsafe.Add(ref source, candidate + length)) length++;
        return length;
    }
}

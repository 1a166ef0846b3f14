using System.Buffers.Binary;

namespace MixpanelConnector.Import.Compress;

/// <summary>Builds the Huffman codes of DEFLATE (RFC 1951, 3.2.2): canonical, length-limited, with their bits reversed.</summary>
static class HuffmanCode
{
    const int LongestCode = 15;

    // A Huffman tree is deeper than this only for more than 2^44 symbols.
    const int DeepestTree = 64;

    /// <summary>
    /// Builds a code that fits the symbol frequencies. Symbols that do not occur get
    /// no code, but there are always at least two codes: some decoders reject fewer.
    /// </summary>
    /// <param name="counts">The frequency of each symbol, for at least two symbols.</param>
    /// <param name="longest">The maximum length of a code in bits.</param>
    /// <param name="lengths">Receives the length of each symbol's code in bits; 0 for none.</param>
    public static void Fit(ReadOnlySpan<int> counts, int longest, Span<byte> lengths)
    {
        Span<long> occurring = stackalloc long[counts.Length];
        var n = 0;
        lengths[..counts.Length].Clear();
        for (var symbol = 0; symbol < counts.Length; symbol++)
            if (counts[symbol] > 0) occurring[n++] = ((long)counts[symbol] << 16) | (uint)symbol;

        if (n < 2)
        {
            var only = n == 0 ? 0 : (int)(occurring[0] & 0xffff);
            lengths[only] = lengths[only == 0 ? 1 : 0] = 1;
            return;
        }

        occurring = occurring[..n];
        occurring.Sort();
        Span<int> depths = stackalloc int[n];
        for (var i = 0; i < n; i++) depths[i] = (int)(occurring[i] >> 16);
        CountsToDepths(depths);

        Span<int> codesOfLength = stackalloc int[DeepestTree];
        codesOfLength.Clear();
        foreach (var depth in depths) codesOfLength[Math.Min(depth, longest)]++;
        Shorten(codesOfLength, longest);

        // The rarest symbols get the longest codes.
        var next = 0;
        for (var length = longest; length > 0; length--)
            for (var i = codesOfLength[length]; i > 0; i--) lengths[(int)(occurring[next++] & 0xffff)] = (byte)length;
    }

    /// <summary>Assigns the codes, which follow from their lengths.</summary>
    /// <param name="lengths">The length of each symbol's code in bits.</param>
    /// <param name="codes">Receives for each symbol its code in the low 16 bits and its length above.</param>
    public static void Assign(ReadOnlySpan<byte> lengths, Span<uint> codes)
    {
        Span<uint> codesOfLength = stackalloc uint[LongestCode + 1];
        codesOfLength.Clear();
        foreach (var length in lengths)
            if (length > 0) codesOfLength[length]++;

        Span<uint> next = stackalloc uint[LongestCode + 1];
        next[0] = 0;
        for (var length = 1; length <= LongestCode; length++) next[length] = (next[length - 1] + codesOfLength[length - 1]) << 1;

        for (var symbol = 0; symbol < lengths.Length; symbol++)
        {
            int length = lengths[symbol];
            codes[symbol] = length == 0 ? 0 : (Reverse(next[length]++) >> (32 - length)) | ((uint)length << 16);
        }
    }

    /// <summary>Converts counts in ascending order to the depths of their Huffman tree, in place (A. Moffat, J. Katajainen, 1995).</summary>
    static void CountsToDepths(Span<int> a)
    {
        var n = a.Length;
        a[0] += a[1];
        var (root, leaf) = (0, 2);
        for (var next = 1; next < n - 1; next++)
        {
            if (leaf >= n || a[root] < a[leaf]) (a[next], a[root]) = (a[root++], next);
            else a[next] = a[leaf++];
            if (leaf >= n || (root < next && a[root] < a[leaf]))
            {
                a[next] += a[root];
                a[root++] = next;
            }
            else
            {
                a[next] += a[leaf++];
            }
        }

        a[n - 2] = 0;
        for (var next = n - 3; next >= 0; next--) a[next] = a[a[next]] + 1;

        var (available, used, depth) = (1, 0, 0);
        root = n - 2;
        for (var next = n - 1; available > 0; depth++)
        {
            for (; root >= 0 && a[root] == depth; root--) used++;
            for (; available > used; available--) a[next--] = depth;
            (available, used) = (2 * used, 0);
        }
    }

    /// <summary>Lengthens codes, beginning with the rarest, until those that were truncated to the maximum length fit.</summary>
    static void Shorten(Span<int> codesOfLength, int longest)
    {
        var room = 0L;
        for (var length = 1; length <= longest; length++) room += (long)codesOfLength[length] << (longest - length);
        for (; room > 1L << longest; room--)
        {
            codesOfLength[longest]--;
            var length = longest - 1;
            while (codesOfLength[length] == 0) length--;
            codesOfLength[length]--;
            codesOfLength[length + 1] += 2;
        }
    }

    static uint Reverse(uint bits)
    {
        bits = ((bits >> 1) & 0x55555555) | ((bits & 0x55555555) << 1);
        bits = ((bits >> 2) & 0x33333333) | ((bits & 0x33333333) << 2);
        bits = ((bits >> 4) & 0x0f0f0f0f) | ((bits & 0x0f0f0f0f) << 4);
        return BinaryPrimitives.ReverseEndianness(bits);
    }
}

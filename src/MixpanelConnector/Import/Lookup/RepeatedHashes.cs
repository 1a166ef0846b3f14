using System.Numerics;

namespace MixpanelConnector.Import.Lookup;

/// <summary>Finds hashes that were added more than once, and a few others that look like them, in two bits for each of up to 2^28 values.</summary>
/// <param name="most">The maximum number of hashes.</param>
sealed class RepeatedHashes(int most)
{
    const uint MostBits = 1 << 28;
    const int BitsPerHash = 16;

    readonly ulong[] _once = new ulong[WordsFor(most)];
    readonly ulong[] _twice = new ulong[WordsFor(most)];

    public void Add(Hash128 hash)
    {
        var (word, bit) = Place(hash);
        _twice[word] |= _once[word] & bit;
        _once[word] |= bit;
    }

    /// <summary>Whether a hash may have been added more than once.</summary>
    public bool Contains(Hash128 hash)
    {
        var (word, bit) = Place(hash);
        return (_twice[word] & bit) != 0;
    }

    (uint Word, ulong Bit) Place(Hash128 hash) => ((uint)hash.Lower >> 6 & (uint)(_once.Length - 1), 1UL << ((int)hash.Lower & 63));

    static uint WordsFor(int most) => Math.Max(1, (uint)Math.Min(BitOperations.RoundUpToPowerOf2((ulong)most * BitsPerHash), MostBits) / 64);
}

namespace MixpanelConnector.Flags;

/// <summary>64-bit FNV-1a, which assigns variants: over a text and then a salt, in UTF-8.</summary>
static class FlagHash
{
    const ulong Start = 0xCBF29CE484222325;
    const ulong Prime = 0x100000001B3;

    /// <summary>Returns the hash of bytes, continuing another hash.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes, ulong after = Start)
    {
        foreach (var value in bytes) after = unchecked((after ^ value) * Prime);
        return after;
    }

    /// <summary>Returns the share that a text maps to under a salt: whole hundredths, from 0 to 0.99.</summary>
    public static double Share(ulong ofText, ReadOnlySpan<byte> salt) => Of(salt, ofText) % 100 / 100.0;
}

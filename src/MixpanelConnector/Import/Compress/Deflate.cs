namespace MixpanelConnector.Import.Compress;

/// <summary>The tables of DEFLATE (RFC 1951).</summary>
static class Deflate
{
    public const int Window = 32768;
    public const int LongestMatch = 258;

    /// <summary>The number of symbols for literals, the end of a block, and lengths.</summary>
    public const int Symbols = 286;

    public const int EndOfBlock = 256;
    public const int FirstLength = 257;
    public const int Distances = 30;

    /// <summary>The first length of each length symbol; extra bits select the exact length.</summary>
    static ReadOnlySpan<ushort> FirstOfLength =>
        [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];

    public static ReadOnlySpan<byte> LengthExtraBits => [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

    /// <summary>The order in which a block lists the lengths of the code length codes.</summary>
    public static ReadOnlySpan<byte> OrderOfCodeLengths => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    static readonly byte[] SymbolOfLength = MakeSymbolOfLength();

    /// <summary>The lengths of the fixed codes, which are not transmitted.</summary>
    public static byte[] FixedSymbolLengths { get; } =
    [
        .. Enumerable.Repeat((byte)8, 144),
        .. Enumerable.Repeat((byte)9, 112),
        .. Enumerable.Repeat((byte)7, 24),
        .. Enumerable.Repeat((byte)8, 8),
    ];

    public static byte[] FixedDistanceLengths { get; } = [.. Enumerable.Repeat((byte)5, Distances)];

    /// <summary>The length symbol, counted from the first one.</summary>
    public static int LengthSymbol(int length) => SymbolOfLength[length];

    public static int LengthExtra(int length, int symbol) => length - FirstOfLength[symbol];

    public static int DistanceExtraBits(int symbol) => symbol < 4 ? 0 : (symbol >> 1) - 1;

    static byte[] MakeSymbolOfLength()
    {
        var symbols = new byte[LongestMatch + 1];
        for (var symbol = 0; symbol < FirstOfLength.Length; symbol++) symbols.AsSpan(FirstOfLength[symbol]).Fill((byte)symbol);
        return symbols;
    }
}

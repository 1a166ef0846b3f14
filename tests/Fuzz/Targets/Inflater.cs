namespace MixpanelConnector.Fuzz;

/// <summary>Gzip exactly as in RFC 1951 and 1952, one bit at a time: slow, simple, and independent of the code it judges.</summary>
sealed class Inflater(byte[] input)
{
    static readonly int[] LengthBase = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
    static readonly int[] LengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
    static readonly int[] DistanceBase =
    [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
    ];
    static readonly int[] DistanceBits = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
    static readonly int[] CodeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    readonly List<byte> _output = [];
    int _at;
    int _bits;
    int _bitCount;
    int _memberBegan;

    sealed class Wrong : Exception;

    /// <summary>A Huffman code: the number of codes of each length, and the symbols in order.</summary>
    sealed record Code(int[] Counts, int[] Symbols);

    /// <summary>The output up to the first error, and whether there was none.</summary>
    public (byte[] Output, bool Whole) Run()
    {
        try
        {
            if (input.Length == 0) throw new Wrong();
            do Member();
            while (_at < input.Length && input[_at] != 0);
            if (input.AsSpan(_at).ContainsAnyExcept((byte)0)) throw new Wrong();
            return ([.. _output], true);
        }
        catch (Wrong)
        {
            return ([.. _output], false);
        }
    }

    int Byte() => _at < input.Length ? input[_at++] : throw new Wrong();

    void Member()
    {
        if (Byte() != 0x1f || Byte() != 0x8b || Byte() != 8) throw new Wrong();
        var flags = Byte();
        if ((flags & 0xe0) != 0) throw new Wrong();
        for (var i = 0; i < 6; i++) Byte();
        if ((flags & 4) != 0)
            for (var extra = Byte() | (Byte() << 8); extra > 0; extra--) Byte();
        for (var texts = ((flags >> 3) & 1) + ((flags >> 4) & 1); texts > 0; texts--)
            while (Byte() != 0) { }
        if ((flags & 2) != 0) for (var i = 0; i < 2; i++) Byte();

        _memberBegan = _output.Count;
        while (!Block()) { }
        (_bits, _bitCount) = (0, 0);
        var crc = 0xffffffffu;
        for (var i = _memberBegan; i < _output.Count; i++)
        {
            crc ^= _output[i];
            for (var k = 0; k < 8; k++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320u : crc >> 1;
        }

        if (Word() != ~crc || Word() != (uint)(_output.Count - _memberBegan)) throw new Wrong();
    }

    uint Word() => (uint)(Byte() | (Byte() << 8) | (Byte() << 16) | (Byte() << 24));

    int Bits(int count)
    {
        while (_bitCount < count)
        {
            _bits |= Byte() << _bitCount;
            _bitCount += 8;
        }

        var value = _bits & ((1 << count) - 1);
        _bits >>= count;
        _bitCount -= count;
        return value;
    }

    bool Block()
    {
        var last = Bits(1) == 1;
        switch (Bits(2))
        {
            case 0:
                (_bits, _bitCount) = (0, 0);
                var length = Byte() | (Byte() << 8);
                if ((Byte() | (Byte() << 8)) != (~length & 0xffff)) throw new Wrong();
                for (; length > 0; length--) _output.Add((byte)Byte());
                break;
            case 1:
                Data(Made([.. Enumerable.Repeat(8, 144), .. Enumerable.Repeat(9, 112), .. Enumerable.Repeat(7, 24), .. Enumerable.Repeat(8, 8)]),
                    Made([.. Enumerable.Repeat(5, 30)]));
                break;
            case 2:
                Dynamic();
                break;
            default:
                throw new Wrong();
        }

        return last;
    }

    void Dynamic()
    {
        var (literals, distances, codes) = (Bits(5) + 257, Bits(5) + 1, Bits(4) + 4);
        if (literals > 286 || distances > 30) throw new Wrong();
        var lengths = new int[19];
        for (var i = 0; i < codes; i++) lengths[CodeOrder[i]] = Bits(3);
        if (Left(lengths) != 0) throw new Wrong();
        var code = Made(lengths);
        lengths = new int[literals + distances];
        for (var i = 0; i < lengths.Length;)
        {
            var symbol = Symbol(code);
            if (symbol < 16)
            {
                lengths[i++] = symbol;
                continue;
            }

            if (symbol == 16 && i == 0) throw new Wrong();
            var value = symbol == 16 ? lengths[i - 1] : 0;
            var repeat = symbol switch { 16 => 3 + Bits(2), 17 => 3 + Bits(3), _ => 11 + Bits(7) };
            if (i + repeat > lengths.Length) throw new Wrong();
            for (; repeat > 0; repeat--) lengths[i++] = value;
        }

        if (lengths[256] == 0) throw new Wrong();
        IsGood(lengths[..literals]);
        IsGood(lengths[literals..]);
        Data(Made(lengths[..literals]), Made(lengths[literals..]));
    }

    /// <summary>A code may be incomplete only if it has a single symbol of one bit, or none.</summary>
    static void IsGood(int[] lengths)
    {
        var left = Left(lengths);
        if (left < 0 || (left > 0 && lengths.Max() > 1)) throw new Wrong();
    }

    static int Left(int[] lengths)
    {
        var left = 1;
        for (var length = 1; length <= 15; length++)
        {
            left = (left << 1) - lengths.Count(l => l == length);
            if (left < 0) return left;
        }

        return left;
    }

    static Code Made(int[] lengths)
    {
        var counts = new int[16];
        foreach (var length in lengths) counts[length]++;
        return new(counts,
            [.. Enumerable.Range(0, lengths.Length).Where(symbol => lengths[symbol] > 0).OrderBy(symbol => lengths[symbol]).ThenBy(symbol => symbol)]);
    }

    int Symbol(Code code)
    {
        int value = 0, first = 0, index = 0;
        for (var length = 1; length <= 15; length++)
        {
            value |= Bits(1);
            var count = code.Counts[length];
            if (value - count < first) return code.Symbols[index + (value - first)];
            index += count;
            first = (first + count) << 1;
            value <<= 1;
        }

        throw new Wrong();
    }

    void Data(Code literals, Code distances)
    {
        while (true)
        {
            var symbol = Symbol(literals);
            if (symbol == 256) return;
            if (symbol < 256)
            {
                _output.Add((byte)symbol);
                continue;
            }

            symbol -= 257;
            if (symbol >= 29) throw new Wrong();
            var length = LengthBase[symbol] + Bits(LengthBits[symbol]);
            var far = Symbol(distances);
            if (far >= 30) throw new Wrong();
            var distance = DistanceBase[far] + Bits(DistanceBits[far]);
            if (distance > _output.Count - _memberBegan) throw new Wrong();
            for (; length > 0; length--) _output.Add(_output[^distance]);
        }
    }
}

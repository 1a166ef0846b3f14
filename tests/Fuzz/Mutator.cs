namespace MixpanelConnector.Fuzz;

/// <summary>Mutates inputs at random, deterministically for a seed.</summary>
sealed class Mutator(Random random, IReadOnlyList<byte[]> dictionary)
{
    const int Longest = 1 << 16;

    static readonly byte[] Telling = [0, 1, 7, 8, 9, 10, 13, 0x1f, 0x20, 0x22, 0x2c, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0x8b, 0xc0, 0xed, 0xf0, 0xff];

    public byte[] Change(byte[] input, IReadOnlyList<byte[]> corpus)
    {
        var bytes = input.ToList();
        for (var changes = 1 << random.Next(5); changes > 0; changes--) ChangeOnce(bytes, corpus);
        if (bytes.Count > Longest) bytes.RemoveRange(Longest, bytes.Count - Longest);
        return [.. bytes];
    }

    void ChangeOnce(List<byte> bytes, IReadOnlyList<byte[]> corpus)
    {
        var at = random.Next(bytes.Count + 1);
        var length = Math.Min(1 + random.Next(1 << random.Next(8)), bytes.Count - at);
        switch (random.Next(11))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < bytes.Count:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2 when at < bytes.Count:
                bytes[at] = Telling[random.Next(Telling.Length)];
                break;
            case 3 when at < bytes.Count:
                bytes[at] += (byte)(random.Next(2) * 2 - 1);
                break;
            case 4:
                bytes.RemoveRange(at, length);
                break;
            case 5:
                bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count - length + 1), length));
                break;
            case 6:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 7:
                var other = corpus[random.Next(corpus.Count)];
                bytes.RemoveRange(at, bytes.Count - at);
                bytes.AddRange(other[random.Next(other.Length + 1)..]);
                break;
            case 8:
                bytes.Insert(at, Telling[random.Next(Telling.Length)]);
                break;
            default:
                if (dictionary.Count == 0) break;
                if (random.Next(2) == 0) bytes.RemoveRange(at, length);
                bytes.InsertRange(at, dictionary[random.Next(dictionary.Count)]);
                break;
        }
    }
}

using System.IO.Hashing;
using System.Runtime.InteropServices;
using MixpanelConnector.Import.Validate;

namespace MixpanelConnector.Tests.Import;

public sealed class OccurrencesTests
{
    static ulong Hash(int number) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in number)));

    [Fact]
    public void Each_hash_is_counted_for_itself_however_often_and_among_however_many()
    {
        var occurrences = new Occurrences();
        for (var round = 0; round < 3; round++)
            for (var i = 0; i < 100_000; i++) Assert.Equal(round, occurrences.Take(Hash(i)));
        for (var i = 3; i < 10_000; i++) Assert.Equal(i, occurrences.Take(Hash(7)));
        Assert.Equal(3, occurrences.Take(Hash(8)));
        occurrences.Clear();
        Assert.Equal(0, occurrences.Take(Hash(7)));
    }

    [Fact]
    public void Hashes_taken_together_are_counted_as_if_one_by_one()
    {
        var occurrences = new Occurrences();
        var hashes = Enumerable.Range(0, 5000).Select(i => Hash(i % 3000)).ToArray();
        Assert.Equal((2000, false), occurrences.Take(hashes));
        Assert.Equal((5, false), occurrences.Take(hashes.AsSpan(..5)));
        Assert.Equal(3, occurrences.Take(Hash(0)));
        Assert.Equal((0, false), occurrences.Take([]));
        for (var i = 3000; i < Occurrences.Most; i++) occurrences.Take(Hash(i));
        Assert.Equal((1, true), occurrences.Take([Hash(-1), Hash(0)]));
    }

    [Fact]
    public void Beyond_the_bound_what_is_known_is_counted_and_nothing_else()
    {
        var occurrences = new Occurrences();
        for (var i = 0; i < Occurrences.Most; i++) Assert.InRange(occurrences.Take(Hash(i)), 0, 1);
        Assert.Equal(1, occurrences.Take(Hash(0)));
        Assert.Equal(-1, occurrences.Take(Hash(-1)));
        Assert.Equal(2, occurrences.Take(Hash(0)));
        occurrences.Clear();
        Assert.Equal(0, occurrences.Take(Hash(-1)));
    }

    /// <summary>A part of the table that has more than its share grows further: it never gets full, where a search would not end.</summary>
    [Fact]
    public void Hashes_that_are_distributed_unevenly_are_counted_alike()
    {
        var occurrences = new Occurrences();
        for (var round = 0; round < 2; round++)
            for (ulong i = 0; i < 200_000; i++) Assert.Equal(round, occurrences.Take(i << 12));
    }
}

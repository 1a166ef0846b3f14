using System.Numerics;
using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace MixpanelConnector.Fuzz;

/// <summary>
/// Which ways an input took through the product's code, when that was instrumented by the tool <c>sharpfuzz</c>: each step from
/// one block to another counts in a cell of this map. Without instrumentation it stays empty, and no input looks new.
/// </summary>
static unsafe class Coverage
{
    const int Size = 1 << 16;

    static readonly byte* Map = (byte*)NativeMemory.AllocZeroed(Size);
    static readonly byte[] Seen = new byte[Size];

    static Coverage() => Trace.SharedMem = Map;

    /// <summary>How many steps were ever seen.</summary>
    public static int Steps { get; private set; }

    public static void Begin()
    {
        NativeMemory.Clear(Map, Size);
        Trace.PrevLocation = 0;
    }

    /// <summary>Whether since the beginning a step was made that is new, or was made far more often than before.</summary>
    public static bool IsNew()
    {
        var isNew = false;
        var map = new ReadOnlySpan<byte>(Map, Size);
        for (var at = map.IndexOfAnyExcept((byte)0); at >= 0;)
        {
            var often = (byte)(1 << BitOperations.Log2(map[at]));
            if ((Seen[at] & often) == 0)
            {
                if (Seen[at] == 0) Steps++;
                Seen[at] |= often;
                isNew = true;
            }

            var next = map[(at + 1)..].IndexOfAnyExcept((byte)0);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return isNew;
    }
}

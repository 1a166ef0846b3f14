using System.Numerics;
using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace MixpanelConnector.Fuzz;

/// <summary>
/// The paths of an input through the product's code, if that was instrumented by the tool <c>sharpfuzz</c>: each edge from
/// one block to another is counted in a cell of this map. Without instrumentation it stays empty, and no input appears new.
/// </summary>
static unsafe class Coverage
{
    const int Size = 1 << 16;

    static readonly byte* Map = (byte*)NativeMemory.AllocZeroed(Size);
    static readonly byte[] Seen = new byte[Size];

    static Coverage() => Trace.SharedMem = Map;

    /// <summary>The number of edges ever seen.</summary>
    public static int Steps { get; private set; }

    public static void Begin()
    {
        NativeMemory.Clear(Map, Size);
        Trace.PrevLocation = 0;
    }

    /// <summary>Whether since the start an edge was taken that is new, or far more often than before.</summary>
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

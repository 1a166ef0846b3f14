namespace MixpanelConnector;

/// <summary>Which known word a misspelt one was meant to be.</summary>
public static class Spelling
{
    // So many letters of a word may be wrong, and no more than a third of them.
    const int MostTypos = 2;
    const int LongestWord = 64;

    /// <summary>The known word that is nearest; null when none is near.</summary>
    /// <param name="word">The word that is not known.</param>
    /// <param name="known">The words that are.</param>
    public static string? Nearest(string word, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(word);
        if (word.Length > LongestWord) return null;
        var (nearest, typos) = known.Select(each => (each, Typos(each, word))).DefaultIfEmpty(("", int.MaxValue)).MinBy(pair => pair.Item2);
        return typos <= Math.Min(MostTypos, nearest.Length / 3) ? nearest : null;
    }

    /// <summary>How many letters were added, left out, exchanged or swapped with the next.</summary>
    static int Typos(string one, string other)
    {
        var cost = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++)
        {
            for (var j = 0; j <= other.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    cost[i, j] = i + j;
                    continue;
                }

                cost[i, j] = Math.Min(Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1, cost[i - 1, j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1]) cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }
        }

        return cost[one.Length, other.Length];
    }
}

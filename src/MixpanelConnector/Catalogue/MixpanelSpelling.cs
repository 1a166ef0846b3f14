namespace MixpanelConnector;

/// <summary>Suggests the known word that a misspelt one was meant to be.</summary>
public static class MixpanelSpelling
{
    // The maximum number of wrong letters; also at most a third of the word.
    const int MostTypos = 2;
    const int LongestWord = 64;

    /// <summary>Returns the closest known word; null when none is close.</summary>
    /// <param name="word">The unknown word.</param>
    /// <param name="known">The known words.</param>
    public static string? Nearest(string word, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(word);
        if (word.Length > LongestWord) return null;
        var (nearest, typos) = known.Select(each => (each, each.Equals(word, StringComparison.OrdinalIgnoreCase) ? 0 : Typos(each, word)))
            .DefaultIfEmpty(("", int.MaxValue)).MinBy(pair => pair.Item2);
        return typos <= Math.Min(MostTypos, nearest.Length / 3) ? nearest : null;
    }

    /// <summary>Returns the number of letters that were added, omitted, replaced or swapped with the next.</summary>
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

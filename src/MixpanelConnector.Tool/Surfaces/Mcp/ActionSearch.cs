using System.Text.Json.Nodes;
using MixpanelConnector.Tool.Surfaces.Docs;

namespace MixpanelConnector.Tool.Surfaces.Mcp;

/// <summary>Searches actions by the words of their names, operationIds, groups and descriptions.</summary>
static class ActionSearch
{
    public const int LongestQuery = 200;

    /// <summary>
    /// The maximum number of actions that are described, and the maximum bytes of JSON for all of them. The first one is always described, whatever its size.
    /// </summary>
    public const int MostActions = 10, MostBytes = 12 << 10;

    const int WholeName = 1000, WholeGroup = 500, Misspelt = 3, LeastBeginning = 3;

    // Results that match far worse than the best one are omitted.
    const double LeastShare = 0.25;

    static readonly HashSet<string> Fillers = new(StringComparer.Ordinal)
    {
        "a",
        "all",
        "an",
        "and",
        "are",
        "by",
        "do",
        "for",
        "from",
        "how",
        "i",
        "in",
        "is",
        "me",
        "my",
        "of",
        "on",
        "or",
        "the",
        "to",
        "wa",
        "what",
        "which",
        "who",
        "with",
        "our",
        "us",
        "we",
        "have",
        "it",
        "its",
        "this",
        "that",
        "be",
        "can",
        "per",
        "b",
        "user",
        "something",
    };

    static readonly Lazy<Entry[]> Index = new(() => [.. ActionCatalogue.Groups.SelectMany(group => group.Actions).Select(action => new Entry(action))]);

    /// <summary>The results as JSON: the best first, with their schemas; only the names of those beyond the size limit.</summary>
    public static JsonObject Find(string query, Func<ActionDescriptor, bool> mayRun)
    {
        var found = Ranked(query, mayRun);
        var (described, bytes) = (new JsonArray(), 0);
        foreach (var action in found.Take(MostActions))
        {
            var description = Describe(action);
            bytes += JsonText.Utf8(description).Length;
            if (described.Count > 0 && bytes > MostBytes) break;
            described.Add((JsonNode)description);
        }

        var answer = new JsonObject { ["total"] = found.Count, ["actions"] = described };
        if (described.Count < found.Count) answer["more"] = new JsonArray([.. found.Skip(described.Count).Select(action => (JsonNode)action.Name)]);
        if (Ranked(query, _ => true).FirstOrDefault() is { } best && !mayRun(best)) answer["not_offered"] = AnyAction.WhyNot(best);
        if (found.Count == 0)
            answer["groups"] = new JsonArray([.. ActionCatalogue.Groups.Where(group => group.Actions.Any(mayRun))
                .Select(group => (JsonNode)new JsonObject { ["name"] = group.Name, ["about"] = group.About })]);
        return answer;
    }

    static List<ActionDescriptor> Ranked(string query, Func<ActionDescriptor, bool> mayRun)
    {
        var words = Words(query).Where(word => !Fillers.Contains(word)).Distinct(StringComparer.Ordinal).ToArray();
        var whole = string.Join('-', Words(query));
        var matches = Index.Value.Where(entry => mayRun(entry.Action))
            .Select(entry => (entry.Action, Whole: entry.Whole(whole), Counts: Array.ConvertAll(words, entry.Count))).ToList();
        // A rare word is more significant than a frequent one.
        var weights = words.Select((_, at) => Math.Log2(1 + ((double)matches.Count / Math.Max(1, matches.Count(match => match.Counts[at] > 0))))).ToArray();
        var scored = matches.Select(match => (match.Action, Score: match.Whole + match.Counts.Zip(weights, (count, weight) => count * weight).Sum()))
            .Where(match => match.Score > 0)
            .OrderByDescending(match => match.Score).ToList();
        return [.. scored.TakeWhile(match => match.Score >= scored[0].Score * LeastShare).Select(match => match.Action)];
    }

    static JsonObject Describe(ActionDescriptor action) => new()
    {
        ["name"] = action.Name,
        ["operation_id"] = action.OperationId,
        ["group"] = action.Group.Name,
        ["summary"] = $"{XmlDocs.Summary(action)} {XmlDocs.Remarks(action)}",
        ["effect"] = ActionNames.Snake(action.Effect),
        ["idempotent"] = action.IsRepeatable,
        ["input_schema"] = action.InputSchema(XmlDocs.Describe),
        ["example"] = XmlDocs.Example(action) is { } example ? JsonNode.Parse(example) : null,
    };

    /// <summary>The words of a text, in lower case and singular.</summary>
    static IEnumerable<string> Words(string text)
    {
        var start = -1;
        for (var at = 0; at <= text.Length; at++)
        {
            if (at < text.Length && char.IsLetterOrDigit(text[at]))
            {
                if (start < 0) start = at;
            }
            else if (start >= 0)
            {
                yield return Singular(text[start..at].ToLowerInvariant());
                start = -1;
            }
        }
    }

    static string Singular(string word) => word switch
    {
        [_, _, .., 'i', 'e', 's'] => word[..^3] + "y",
        [_, _, .., not 's', 's'] => word[..^1],
        _ => word,
    };

    sealed class Entry(ActionDescriptor action)
    {
        readonly string _name = string.Join('-', Words(action.Name));
        readonly string _operationId = string.Join('-', Words(action.OperationId));
        readonly string _group = string.Join('-', Words(action.Group.Name));

        // The score of a word in each place, as a whole word and as a prefix.
        readonly (string[] Words, int Whole, int Beginning)[] _places =
        [
            ([.. Words(action.Name)], 10, 6),
            ([.. Words(action.OperationId)], 7, 4),
            ([.. Words(action.Group.Name)], 5, 3),
            ([.. Words(action.Group.Keywords)], 5, 2),
            ([.. Words(XmlDocs.Summary(action) ?? "")], 4, 2),
            ([.. Words(XmlDocs.Remarks(action))], 2, 1),
        ];

        public ActionDescriptor Action { get; } = action;

        /// <summary>The score of one word; 0 for no match.</summary>
        public int Count(string word)
        {
            var count = _places.Max(place => place.Words.Contains(word, StringComparer.Ordinal) ? place.Whole
                : word.Length > LeastBeginning && Array.Exists(place.Words, known => known.StartsWith(word, StringComparison.Ordinal)) ? place.Beginning
                : 0);
            return count > 0 || word.Length <= LeastBeginning || MixpanelSpelling.Nearest(word, _places[0].Words) is null ? count : Misspelt;
        }

        /// <summary>The additional score if all words together are a name.</summary>
        public int Whole(string words) => words == _name || words == _operationId ? WholeName : words == _group ? WholeGroup : 0;
    }
}

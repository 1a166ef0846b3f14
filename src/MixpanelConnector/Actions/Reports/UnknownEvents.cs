namespace MixpanelConnector;

/// <summary>A report that is empty for an event says so, when Mixpanel knows no event of the name: it answers a misspelt name like one that nobody did.</summary>
static class UnknownEvents
{
    const int MostNear = 3;
    const int ShortestPart = 3;

    /// <summary>What to say of the events for which a report has nothing; null for nothing, and where <see cref="MixpanelOptions.HintsAtEventNames"/> does not ask for it.</summary>
    /// <param name="context">The context of the report.</param>
    /// <param name="input">The data view of the report.</param>
    /// <param name="empty">The events that were asked for and of which the report has nothing.</param>
    /// <param name="cancellationToken">Stops the query.</param>
    public static async ValueTask<string?> HintAsync(ActionContext context, ReportInput input, IEnumerable<string?> empty, CancellationToken cancellationToken)
    {
        if (!context.Options.HintsAtEventNames) return null;
        var asked = empty.OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        if (asked.Count == 0) return null;
        IReadOnlyList<string> names;
        try
        {
            var listing = ReportActions.GetEventNames;
            var once = new ActionContext(context.Transport.With(context.Options with { MaxRetries = 0 }), listing, listing.Endpoint);
            names = (await GetEventNames.ExecuteAsync(once, new GetEventNamesInput { WorkspaceId = input.WorkspaceId }, cancellationToken).ConfigureAwait(false)).Names;
        }
        catch (MixpanelException)
        {
            return null; // the report stands without it
        }

        var unknown = asked.Where(name => !names.Contains(name, StringComparer.Ordinal)).ToList();
        return unknown.Count == 0 ? null : string.Join(' ', unknown.Select(name => Sentence(name, Near(name, names))));
    }

    static string Sentence(string name, List<string> near) =>
        $"Nothing was found for \"{name}\", and no event of the last 31 days has this name.{(near.Count == 0 ? " get_event_names lists those that there were; names differ by case and spaces, too." : $" Did you mean {string.Join(" or ", near.Select(each => $"\"{each}\""))}?")}";

    static List<string> Near(string name, IReadOnlyList<string> names)
    {
        var plain = name.ToLowerInvariant();
        var nearest = Spelling.Nearest(plain, names.Select(each => each.ToLowerInvariant()));
        return [.. names.Where(each => each.Equals(nearest, StringComparison.OrdinalIgnoreCase)).Concat(plain.Length < ShortestPart ? [] : names.Where(each => each.Contains(plain, StringComparison.OrdinalIgnoreCase) || (each.Length >= ShortestPart && plain.Contains(each, StringComparison.OrdinalIgnoreCase)))).Distinct(StringComparer.Ordinal).Take(MostNear)];
    }

    /// <summary>Whether a series has no number but zeros. Null, which Mixpanel may give in place of one, is none.</summary>
    public static bool IsEmpty(IEnumerable<double?>? numbers) => numbers?.All(number => number is null or 0) == true;
}

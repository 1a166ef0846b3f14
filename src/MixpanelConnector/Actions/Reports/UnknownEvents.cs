namespace MixpanelConnector;

/// <summary>Detects that an empty report is due to an unknown event name: Mixpanel answers a misspelt name like an event that did not occur.</summary>
static class UnknownEvents
{
    const int MostNear = 3;
    const int ShortestPart = 3;

    /// <summary>
    /// Returns a hint about the events without results; null when there is none, and when <see cref="MixpanelOptions.HintsAtEventNames"/> is not set.
    /// </summary>
    /// <param name="context">The context of the report.</param>
    /// <param name="input">The data view of the report.</param>
    /// <param name="empty">The requested events for which the report has no results.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
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
            names = (await GetEventNames.ExecuteAsync(once, new GetEventNamesInput { WorkspaceId = input.WorkspaceId },
                cancellationToken).ConfigureAwait(false)).Names;
        }
        catch (MixpanelException)
        {
            return null; // the report is complete without it
        }

        if (names.Count == 0)
            return "Nothing was found, and Mixpanel knows the events of the last 31 days only, in which there were none: check the dates, "
                + "and the names of the events.";
        var unknown = asked.Where(name => !names.Contains(name, StringComparer.Ordinal)).ToList();
        return unknown.Count == 0 ? null : string.Join(' ', unknown.Select(name => Sentence(name, Near(name, names))));
    }

    static string Sentence(string name, List<string> near) =>
        $"Nothing was found for \"{name}\": no event of the last 31 days has "
        + $"this name.{(near.Count == 0 ? " get_event_names lists the existing ones; case and spaces matter." : $" Did you mean {string.Join(" or ", near.Select(each => $"\"{each}\""))}?")}";

    static List<string> Near(string name, IReadOnlyList<string> names)
    {
        var plain = name.ToLowerInvariant();
        var nearest = MixpanelSpelling.Nearest(plain, names.Select(each => each.ToLowerInvariant()));
        return
        [
            .. names.Where(each => each.Equals(nearest, StringComparison.OrdinalIgnoreCase))
                .Concat(plain.Length < ShortestPart
                    ? []
                    : names.Where(each => each.Contains(plain, StringComparison.OrdinalIgnoreCase)
                        || (each.Length >= ShortestPart && plain.Contains(each, StringComparison.OrdinalIgnoreCase))))
                .Distinct(StringComparer.Ordinal)
                .Take(MostNear),
        ];
    }

    /// <summary>Whether a series contains only zeros. Null, which Mixpanel may return instead of a series, does not.</summary>
    public static bool IsEmpty(IEnumerable<double?>? numbers) => numbers?.All(number => number is null or 0) == true;
}

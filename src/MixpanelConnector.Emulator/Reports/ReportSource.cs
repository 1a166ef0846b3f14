using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Reports;

/// <summary>Selects the events that a report reads: of a project, in a half-open time range; null for all names.</summary>
/// <param name="From">The start, inclusive.</param>
/// <param name="End">The end, exclusive.</param>
/// <param name="Names">Their names.</param>
/// <param name="DistinctIds">The ids that they were stored under; null for all.</param>
sealed record ReportRange(DateTimeOffset From, DateTimeOffset End, IReadOnlyCollection<string>? Names, IReadOnlyCollection<string>? DistinctIds = null);

/// <summary>The data source of reports: deduplicated events, under their canonical ids, and profiles.</summary>
sealed class ReportSource(EventStore events, ProfileStore profiles, IdentityStore identities, LookupMappings lookups, TimeProvider time)
{
    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>All ids under which events of the given users may be stored.</summary>
    public IReadOnlyCollection<string> IdsOf(Project project, IEnumerable<string> ids) =>
        ids.SelectMany(id => identities.IdsOf(project.Id, id)).ToHashSet(StringComparer.Ordinal);

    /// <summary>Calls an action for each event of a range, in no particular order.</summary>
    public void ForEach(Project project, ReportRange range, Action<EventCursor> action, params ReadOnlySpan<Selector?> selectors) =>
        ForEach(project, range, withProperties: false, action, selectors);

    /// <summary>Calls an action for each event of a range, in no particular order.</summary>
    /// <param name="project">The project.</param>
    /// <param name="range">The events.</param>
    /// <param name="withProperties">Whether the properties' text will be read.</param>
    /// <param name="action">Called for each event.</param>
    /// <param name="selectors">The expressions that will be evaluated; null elements are ignored.</param>
    public void ForEach(Project project, ReportRange range, bool withProperties, Action<EventCursor> action, params ReadOnlySpan<Selector?> selectors)
    {
        using var cursor = Open(project, range, inOrder: false, withProperties, selectors);
        while (cursor.Read())
            action(cursor);
    }

    /// <summary>Returns the events of a range sorted by time; events with the same time in the order in which they were stored.</summary>
    public EventCursor InOrder(Project project, ReportRange range, bool withProperties, params ReadOnlySpan<Selector?> selectors) =>
        Open(project, range, inOrder: true, withProperties, selectors);

    EventCursor Open(Project project, ReportRange range, bool inOrder, bool withProperties, ReadOnlySpan<Selector?> selectors)
    {
        var asked = selectors.ToArray().OfType<Selector>().ToList();
        withProperties |= asked.Exists(selector => selector.Properties.Any(property => property.Root == PropertyRoot.Properties));
        var (connection, command) = events.Deduplicated(project.Id, range, inOrder, withProperties);
        var (ofEvents, ofUsers) = (Read(asked, PropertyRoot.Properties), Read(asked, PropertyRoot.User));
        var (eventJoin, userJoin) = (lookups.For(project.Id, LookupMappings.Event, ofEvents), lookups.For(project.Id, LookupMappings.User, ofUsers));
        return new EventCursor(
            connection, command, [.. ofEvents.Union(eventJoin?.Properties ?? [], StringComparer.Ordinal)],
            UsersFor(project, [.. ofUsers.Union(userJoin?.Properties ?? [], StringComparer.Ordinal)]), eventJoin, userJoin,
            id => identities.Resolve(project.Id, id), new SelectorContext(Now, project.Calendar.Zone, QueryBudget.Current));
    }

    static List<string> Read(List<Selector> selectors, PropertyRoot root) =>
        [
            .. selectors.SelectMany(selector => selector.Properties)
                .Where(property => property.Root == root)
                .Select(property => property.Name)
                .Distinct(StringComparer.Ordinal),
        ];

    Dictionary<string, JsonSelectorRecord>? UsersFor(Project project, List<string> names)
    {
        if (names.Count == 0) return null;
        var asked = names.ConvertAll(name => new PropertyReference(PropertyRoot.User, name));
        var users = new Dictionary<string, JsonSelectorRecord>(StringComparer.Ordinal);
        foreach (var profile in profiles.Read(new ProfileKind(project.Id, "")))
        {
            var user = new JsonSelectorRecord(asked, PropertyRoot.User);
            user.Load(profile.Properties);
            users[profile.Id] = user;
        }
        return users;
    }
}

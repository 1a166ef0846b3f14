using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Selectors;

namespace MixpanelConnector.Emulator.Store;

/// <summary>The parameters of a profile query.</summary>
/// <param name="Where">The expression to match; null for all.</param>
/// <param name="Among">The only ids to consider; null for all.</param>
/// <param name="Behaviors">The behaviors that <c>behaviors["…"]</c> in the expression counts.</param>
/// <param name="AsOf">The time up to which behaviors are counted; null for now.</param>
/// <param name="WithoutProfile">Whether to include ids in <paramref name="Among"/> that have no profile, with no properties.</param>
/// <param name="Search">A text that the id, a name or the e-mail address must contain, case-insensitive; null for all.</param>
/// <param name="SortKey">The expression by whose values the profiles are sorted; null to sort by id.</param>
/// <param name="SortOrder">The sort order.</param>
sealed record ProfileQuestion(
    Selector? Where, IReadOnlyCollection<string>? Among, IReadOnlyList<Behavior> Behaviors, DateTimeOffset? AsOf = null, bool WithoutProfile = false,
    string? Search = null, Selector? SortKey = null, SortOrder SortOrder = SortOrder.Ascending);

enum SortOrder { Ascending, Descending }

/// <summary>Finds the profiles that match a query.</summary>
sealed class ProfileQuery(ProfileStore profiles, ReportSource source, LookupMappings lookups, TimeProvider time)
{
    static readonly string[] Searched = ["$distinct_id", "$name", "$first_name", "$last_name", "$email"];

    /// <summary>Returns the ids of the matching profiles, in a fixed order.</summary>
    /// <exception cref="RefusedException">An expression cannot be evaluated on one of the profiles.</exception>
    public IReadOnlyList<string> Find(Project project, ProfileKind kind, ProfileQuestion question)
    {
        var found = Find(project, Candidates(kind, question.Among, question.WithoutProfile), question).OrderBy(match => match.SortKey.IsUndefined);
        var inOrder = question.SortOrder == SortOrder.Ascending ? found.ThenBy(match => match.SortKey) : found.ThenByDescending(match => match.SortKey);
        return [.. inOrder.ThenBy(match => match.Id, StringComparer.Ordinal).Select(match => match.Id)];
    }

    /// <summary>Returns the users in a cohort, whether they have a profile or not.</summary>
    public IReadOnlyCollection<string> MembersOf(Project project, Cohort cohort)
    {
        var kind = new ProfileKind(project.Id, "");
        var candidates = Candidates(kind, cohort.DistinctIds, withoutProfile: true);
        if (cohort.DistinctIds is null && cohort.Behaviors.Count > 0)
        {
            var known = profiles.Read(kind).Select(profile => profile.Id).ToHashSet(StringComparer.Ordinal);
            var others = CountsOf(project, cohort.Behaviors, asOf: null).Values
                .SelectMany(counts => counts.Keys)
                .Where(id => !known.Contains(id))
                .Distinct(StringComparer.Ordinal);
            candidates = candidates.Concat(others.Select(id => new ProfileRow(id, "{}")));
        }
        return [.. Find(project, candidates, new ProfileQuestion(cohort.Where, Among: null, cohort.Behaviors)).Select(match => match.Id)];
    }

    List<(string Id, SelectorValue SortKey)> Find(Project project, IEnumerable<ProfileRow> candidates, ProfileQuestion question)
    {
        var (where, sortKey, search) = (question.Where, question.SortKey, question.Search);
        if (where is null && sortKey is null && search is null) return [.. candidates.Select(profile => (profile.Id, SelectorValue.Undefined))];
        var context = new SelectorContext(time.GetUtcNow(), project.Calendar.Zone, QueryBudget.Current);
        List<string> names =
        [
            .. new[] { where, sortKey }.OfType<Selector>()
                .SelectMany(selector => selector.Properties)
                .Where(property => property.Root == PropertyRoot.Properties)
                .Select(property => property.Name)
                .Concat(search is null ? [] : Searched).Distinct(StringComparer.Ordinal),
        ];
        var record = new ProfileRecord(names, lookups.For(project.Id, LookupMappings.User, names), CountsOf(project, question.Behaviors, question.AsOf));
        List<(string, SelectorValue)> found = [];
        foreach (var profile in candidates)
        {
            record.Load(profile);
            if ((search is null || Array.Exists(Searched, name => Contains(record.Get(PropertyRoot.Properties, name), search)))
                && (where is null || Where.Holds(where, record, context)))
                found.Add((profile.Id,
                    sortKey is not null && Where.Evaluate(sortKey, record, context, "sort_key") is { Kind: not SelectorKind.Null } key
                        ? key
                        : SelectorValue.Undefined));
        }
        return found;
    }

    static bool Contains(in SelectorValue value, string search) =>
        value.Kind == SelectorKind.Text && value.Text.Contains(search, StringComparison.OrdinalIgnoreCase);

    IEnumerable<ProfileRow> Candidates(ProfileKind kind, IReadOnlyCollection<string>? among, bool withoutProfile)
    {
        if (among is null) return profiles.Read(kind);
        var found = profiles.Find(kind, among);
        var rows = found.Select(profile => new ProfileRow(profile.Key, profile.Value));
        return withoutProfile
            ? rows.Concat(among.Distinct(StringComparer.Ordinal).Where(id => !found.ContainsKey(id)).Select(id => new ProfileRow(id, "{}")))
            : rows;
    }

    /// <summary>The number of times each user showed each behavior.</summary>
    Dictionary<string, Dictionary<string, int>> CountsOf(Project project, IReadOnlyList<Behavior> behaviors, DateTimeOffset? asOf)
    {
        var end = (asOf ?? time.GetUtcNow()).AddMilliseconds(1);
        var counts = new Dictionary<string, Dictionary<string, int>>(StringComparer.Ordinal);
        foreach (var behavior in behaviors)
        {
            var users = new Dictionary<string, int>(StringComparer.Ordinal);
            var names = behavior.Events.Select(selection => selection.Event).Distinct(StringComparer.Ordinal).ToArray();
            source.ForEach(
                project, new ReportRange(end - behavior.Window, end, names),
                cursor =>
                {
                    if (cursor.DistinctId != "" && behavior.Events.Any(selection => selection.Event == cursor.Name && cursor.Holds(selection.Where)))
                        users[cursor.DistinctId] = users.GetValueOrDefault(cursor.DistinctId) + 1;
                },
                [.. behavior.Events.Select(selection => selection.Where)]);
            counts[behavior.Name] = users;
        }
        return counts;
    }

    /// <summary>A profile's properties, including its id, and its behaviors.</summary>
    sealed class ProfileRecord(IEnumerable<string> names, LookupJoin? join, Dictionary<string, Dictionary<string, int>> behaviors) : ISelectorRecord
    {
        readonly JsonSelectorRecord _properties =
            new([.. names.Union(join?.Properties ?? [], StringComparer.Ordinal).Select(name => new PropertyReference(PropertyRoot.Properties, name))]);
        string _id = "";

        public void Load(ProfileRow profile)
        {
            _id = profile.Id;
            _properties.Load(profile.Properties);
        }

        public SelectorValue Get(PropertyRoot root, string name) => root switch
        {
            PropertyRoot.Properties when name == "$distinct_id" => SelectorValue.FromText(_id),
            PropertyRoot.Behaviors =>
                behaviors.TryGetValue(name, out var counts) ? SelectorValue.FromNumber(counts.GetValueOrDefault(_id)) : SelectorValue.Undefined,
            _ => _properties.Get(root, name) is { IsUndefined: true } && join is not null
                ? join.Get(name, key => _properties.Get(root, key))
                : _properties.Get(root, name),
        };
    }
}
